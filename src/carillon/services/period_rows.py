"""What became of messages of many campaigns: the rules of report_rows, read for a page of ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import connection

from carillon.domain.status import Status
from carillon.models import Campaign
from carillon.services.launching import LACK_OF_CREDIT
from carillon.services.report_rows import CLICKS, STOPPABLE, MessageRow, settle


def read(
    page: Sequence[tuple[int, int]], campaigns: Mapping[int, Campaign], *, account_id: int, with_text: bool = False
) -> Iterator[tuple[MessageRow, int]]:
    """(row, campaign id) for each (message id, campaign id), in the order of the page."""
    ids = [message_id for message_id, _ in page]
    campaign_of = dict(page)
    rows = _messages(ids, with_text=with_text)
    _recipients(rows.values(), account_id)
    _outcomes(rows, campaigns, campaign_of)
    _replies(rows)
    _clicks(rows)
    for message_id in ids:
        row = rows.get(message_id)
        if row is not None:
            yield row, campaign_of[message_id]


def _query(sql: str, parameters: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _messages(ids: list[int], *, with_text: bool) -> dict[int, MessageRow]:
    found = _query(
        "SELECT id, recipient_id, msisdn, country, status, price, segments FROM message WHERE id = ANY(%s)", [ids]
    )
    rows = {row[0]: MessageRow(*row) for row in found}
    if with_text:
        for message_id, reason, text in _query(
            "SELECT id, coalesce(reason, ''), text FROM message WHERE id = ANY(%s)", [ids]
        ):
            rows[message_id].reason, rows[message_id].text = reason, text
    return rows


def _recipients(rows: Any, account_id: int) -> None:
    wanted: dict[int, list[MessageRow]] = defaultdict(list)
    for row in rows:
        wanted[row.recipient_id].append(row)
    for recipient_id, list_id, line, fields in _query(
        "SELECT id, list_id, line, fields FROM recipient WHERE account_id = %s AND id = ANY(%s)",
        [account_id, list(wanted)],
    ):
        for row in wanted[recipient_id]:
            row.list_id, row.line, row.fields = list_id, line, fields


def _outcomes(rows: dict[int, MessageRow], campaigns: Mapping[int, Campaign], campaign_of: Mapping[int, int]) -> None:
    launched = [c.launched_at for c in campaigns.values() if c.launched_at is not None]
    segments: dict[int, list[Any]] = defaultdict(list)
    if launched:
        for found in _query(
            "SELECT message_id, status, done_at, submitted_at, error FROM submission WHERE message_id = ANY(%s)"
            " AND submitted_at >= %s",
            [list(rows), min(launched)],
        ):
            segments[found[0]].append(found)
    waiting = []
    for row in rows.values():
        handed = segments.get(row.message_id)
        if handed is not None:
            settle(row, handed)
        elif row.status == Status.IN_PROGRESS:
            waiting.append(row.message_id)
    if waiting:
        _unanswered(rows, waiting, campaigns, campaign_of)


def _unanswered(
    rows: dict[int, MessageRow], waiting: list[int], campaigns: Mapping[int, Campaign], campaign_of: Mapping[int, int]
) -> None:
    """Messages without a submission: where their slice stands says what they are."""
    found = _query(
        "SELECT m.id, m.id <= s.cursor_id, s.state FROM message m JOIN slice s ON s.campaign_id = m.campaign_id"
        " AND s.connector_id = m.connector_id AND m.id BETWEEN s.first_id AND s.last_id WHERE m.id = ANY(%s)",
        [waiting],
    )
    for message_id, is_intended, state in found:
        if is_intended:
            rows[message_id].status = Status.SENDING
        elif state == 4:
            campaign = campaigns[campaign_of[message_id]]
            lacked = campaign.error == LACK_OF_CREDIT
            rows[message_id].status = Status.CREDIT if lacked else Status.DELETED


def _replies(rows: dict[int, MessageRow]) -> None:
    for message_id, text, kind, direction in _query(
        "SELECT message_id, text, kind, direction FROM reply WHERE message_id = ANY(%s) AND direction <> 'MT'"
        " ORDER BY received_at, id",
        [list(rows)],
    ):
        row = rows[message_id]
        if direction == "MO":
            row.replies.append(text)
        if kind == "stop" and row.status in STOPPABLE:
            row.status = Status.STOPPED


def _clicks(rows: dict[int, MessageRow]) -> None:
    for message_id, index, first_at, n in _query(
        f"{CLICKS} WHERE message_id = ANY(%s) AND (link_index < 0 OR human_n > 0)", [list(rows)]
    ):
        rows[message_id].clicks[index] = (first_at, n)
