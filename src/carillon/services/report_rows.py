"""What became of each message, read in chunks: judgement, submissions, doubts, cursors, replies and clicks joined in Python.

One message's status is, in this order:
    17              its person answered STOP, or opted out by its link, after it was delivered
    the judgement   when it was refused at preparation (2 3 4 5 6 7 14 15 18 19)
    its segments    joined (domain.status.joined) when at least one was handed over
    9               intended and in doubt, or intended and not yet answered
    23 or 8         its slice was cancelled
    1               still waiting
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from carillon.domain.status import Status, is_final, joined
from carillon.models import Campaign
from carillon.services.launching import LACK_OF_CREDIT

CHUNK = 5_000

STOPPABLE = frozenset({Status.DELIVERED, Status.DELIVERED_P2P})


# Clicks of people; of the preview's image, every showing.
CLICKS = """
SELECT message_id, link_index, CASE WHEN link_index < 0 THEN first_at ELSE coalesce(first_human_at, first_at) END,
       CASE WHEN link_index < 0 THEN n ELSE human_n END FROM click_count
"""


@dataclass(slots=True)
class MessageRow:
    """One message of a report. `fields` in the order of its list's header; times aware UTC; price in hundredths."""

    message_id: int
    recipient_id: int
    msisdn: int | None
    country: str
    status: int
    price: int
    segments: int
    reason: str = ""
    done_at: datetime | None = None
    submitted_at: datetime | None = None
    error: int = 0
    list_id: int = 0
    line: int = 0
    fields: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    clicks: dict[int, tuple[datetime, int]] = field(default_factory=dict)  # link index (-1 preview) -> first, count
    text: str = ""


def read(
    campaign: Campaign, *, statuses: Collection[int] | None = None, message_ids: Collection[int] | None = None,
    with_text: bool = False,
) -> Iterator[MessageRow]:  # fmt: skip
    """Rows of one campaign in the order of their ids; `statuses` as filtered codes, already expanded by alias groups."""
    if campaign.first_message_id is None or campaign.last_message_id is None:
        return
    reader = _Reader(campaign, with_text=with_text)
    if message_ids is not None:
        rows = reader.chunk(min(message_ids, default=0), max(message_ids, default=-1)) if message_ids else []
        wanted = set(message_ids)
        yield from (r for r in rows if r.message_id in wanted and (statuses is None or r.status in statuses))
        return
    for first in range(campaign.first_message_id, campaign.last_message_id + 1, CHUNK):
        for row in reader.chunk(first, min(first + CHUNK - 1, campaign.last_message_id)):
            if statuses is None or row.status in statuses:
                yield row


class _Reader:
    def __init__(self, campaign: Campaign, *, with_text: bool) -> None:
        self.campaign = campaign
        self.text = "m.text" if with_text else "''"
        self.cancelled_status = Status.CREDIT if campaign.error == LACK_OF_CREDIT else Status.DELETED
        self.has_feedback = campaign.launched_at is not None

    def chunk(self, first: int, last: int) -> list[MessageRow]:
        rows = self._messages(first, last)
        if not rows:
            return rows
        self._recipients(rows)
        if self.has_feedback:
            self._outcomes(rows, first, last)
            self._replies(rows, first, last)
            self._clicks(rows, first, last)
        return rows

    def _query(self, sql: str, parameters: list[Any]) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    def _messages(self, first: int, last: int) -> list[MessageRow]:
        found = self._query(
            "SELECT m.id, m.recipient_id, m.msisdn, m.country, m.status, m.price, m.segments, coalesce(m.reason, ''),"  # noqa: S608
            f" {self.text} FROM message m WHERE m.id BETWEEN %s AND %s AND m.campaign_id = %s ORDER BY m.id",
            [first, last, self.campaign.pk],
        )
        return [MessageRow(i, r, n, c, s, p, g, w, text=t) for i, r, n, c, s, p, g, w, t in found]

    def _recipients(self, rows: list[MessageRow]) -> None:
        ids = [r.recipient_id for r in rows]
        low, high = min(ids), max(ids)
        if high - low < 2 * len(rows) + 100:  # the usual case: one list, read in one go
            where, bounds = "id BETWEEN %s AND %s", list[Any]([low, high])
        else:
            where, bounds = "id = ANY(%s)", [ids]
        found = self._query(
            f"SELECT id, list_id, line, fields FROM recipient WHERE account_id = %s AND {where}",  # noqa: S608 (one of two above)
            [self.campaign.account_id, *bounds],
        )
        by_id = {row[0]: row for row in found}
        for row in rows:
            known = by_id.get(row.recipient_id)
            if known is not None:
                _, row.list_id, row.line, row.fields = known

    def _outcomes(self, rows: list[MessageRow], first: int, last: int) -> None:
        segments: dict[int, list[Any]] = defaultdict(list)
        for found in self._query(
            "SELECT message_id, status, done_at, submitted_at, error FROM submission"
            " WHERE message_id BETWEEN %s AND %s AND campaign_id = %s AND submitted_at >= %s",
            [first, last, self.campaign.pk, self.campaign.launched_at],
        ):
            segments[found[0]].append(found)
        slices = self._query(
            "SELECT connector_id, first_id, last_id, cursor_id, state FROM slice WHERE campaign_id = %s AND last_id >= %s"
            " AND first_id <= %s ORDER BY id DESC",  # the newest slice that covers a message is the one it belongs to
            [self.campaign.pk, first, last],
        )
        waiting: list[MessageRow] = []
        for row in rows:
            handed = segments.get(row.message_id)
            if handed is not None:
                settle(row, handed)
            elif row.status == Status.IN_PROGRESS:
                waiting.append(row)
        if waiting:
            self._unanswered(waiting, slices)

    def _unanswered(self, waiting: list[MessageRow], slices: list[Any]) -> None:
        """Messages without a submission: where their slice stands says what they are."""
        connectors = dict(
            self._query(
                "SELECT id, connector_id FROM message WHERE id = ANY(%s) AND status = 1",
                [[r.message_id for r in waiting]],
            )
        )
        in_doubt = {
            found[0]
            for found in self._query(
                "SELECT message_id FROM doubt WHERE campaign_id = %s AND message_id BETWEEN %s AND %s",
                [self.campaign.pk, waiting[0].message_id, waiting[-1].message_id],
            )
        }
        for row in waiting:
            if row.message_id in in_doubt:
                row.status = Status.SENDING
                continue
            mine = connectors.get(row.message_id)
            for connector_id, first_id, last_id, cursor_id, state in slices:
                if connector_id == mine and first_id <= row.message_id <= last_id:
                    if row.message_id <= cursor_id:
                        row.status = Status.SENDING
                    elif state == 4:
                        row.status = self.cancelled_status
                    break

    def _replies(self, rows: list[MessageRow], first: int, last: int) -> None:
        by_id = None
        for message_id, text, kind, direction in self._query(
            "SELECT message_id, text, kind, direction FROM reply WHERE message_id BETWEEN %s AND %s AND campaign_id = %s"
            " AND direction <> 'MT' ORDER BY received_at, id",
            [first, last, self.campaign.pk],
        ):
            by_id = by_id or {r.message_id: r for r in rows}
            row = by_id.get(message_id)
            if row is not None:
                if direction == "MO":
                    row.replies.append(text)
                if kind == "stop" and row.status in STOPPABLE:
                    row.status = Status.STOPPED

    def _clicks(self, rows: list[MessageRow], first: int, last: int) -> None:
        by_id = None
        for message_id, index, first_at, n in self._query(
            f"{CLICKS} WHERE message_id BETWEEN %s AND %s AND campaign_id = %s AND (link_index < 0 OR human_n > 0)",
            [first, last, self.campaign.pk],
        ):
            by_id = by_id or {r.message_id: r for r in rows}
            if message_id in by_id:
                by_id[message_id].clicks[index] = (first_at, n)


def settle(row: MessageRow, handed: list[Any]) -> None:
    """Join the segments; a message of n segments of which some were never answered is still on its way."""
    if len(handed) == 1:
        _, status, done_at, row.submitted_at, row.error = handed[0]
    else:
        status = joined([h[1] for h in handed])
        done_at = max((h[2] for h in handed if h[2] is not None), default=None)
        row.submitted_at = min(h[3] for h in handed)
        row.error = max(h[4] for h in handed)
    row.status = status
    row.done_at = done_at if is_final(status) else None
