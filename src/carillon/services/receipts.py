"""Receipts inside a tick: one UPDATE for each new status, counted once, whatever is repeated, early, late or contradictory.

The first final receipt of a segment wins; before it, intermediate ones move the status only forward (domain.status.can_move).
A receipt whose answer has not been recorded yet is kept in receipt_unmatched and applied with that answer; services.matching
looks after those that two processes missed between them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from carillon.domain.status import MOVES, NOT_SENT_STATUSES, OPEN_STATUSES, Status, can_move, for_traffic, joined
from carillon.domain.traffic import Receipt
from carillon.services import delivery_sql as sql
from carillon.services.ticks import LONGEST_ID, Tick, clamped, literal, text_literal

_KNOWN = frozenset(int(status) for status in Status)
_OPEN = literal(OPEN_STATUSES)
_USUAL = frozenset(int(status) for status in MOVES[Status.SENT] - NOT_SENT_STATUSES)
# (campaign, account, status, has several segments, count, message ids as text, segments)
Told = tuple[int, int, int, bool, int, str, list[int] | None]


@dataclass(slots=True)
class Applied:
    latest: dict[str, Receipt] = field(default_factory=dict)
    cursors: list[psycopg.Cursor[Any]] = field(default_factory=list)


def begin(tick: Tick, received: Iterable[Receipt], early: Iterable[Receipt]) -> Applied:
    applied = Applied(_latest(early))
    if applied.latest:
        tick.execute(sql.DROP_UNMATCHED, [tick.run.connector_id, text_literal(list(applied.latest))])
        tick.gone = list(applied.latest)
    applied.latest = _latest(received, applied.latest)
    groups: dict[tuple[int, int], list[str]] = defaultdict(list)
    for key, receipt in applied.latest.items():
        groups[receipt.status, receipt.error].append(key)
    applied.cursors = [
        _apply(tick, keys, old=Status.SENT, new=status, error=error) for (status, error), keys in groups.items()
    ]
    return applied


def finish(tick: Tick, applied: Applied) -> None:
    if not applied.latest:
        return
    changes: dict[tuple[int, int], int] = {}
    count = sum(take(tick, row, Status.SENT, changes) for cursor in applied.cursors for row in cursor.fetchall())
    if count < len(applied.latest):
        _others(tick, applied.latest, changes)
    if changes:
        join_segments(tick, changes)


def forget_matched(tick: Tick, again: Iterable[Receipt]) -> None:
    """Those of `again` that are not unknown any more leave the table. (Taking all out and putting the rest back would hide them
    for a moment from whoever settles doubts.)"""
    kept = {receipt.carrier_message_id for receipt in tick.kept}
    matched = [receipt.carrier_message_id for receipt in again if receipt.carrier_message_id not in kept]
    if matched:
        tick.execute(sql.DROP_UNMATCHED, [tick.run.connector_id, text_literal(matched)])
        tick.gone += matched


def _latest(receipts: Iterable[Receipt], before: dict[str, Receipt] | None = None) -> dict[str, Receipt]:
    """One receipt for each id: the furthest of those that came. Those that can move nothing are left out."""
    found = before if before is not None else {}
    useful = MOVES[Status.SENT]
    for receipt in receipts:
        if receipt.status not in _USUAL:
            receipt.status = _usable(receipt.status)
            if receipt.status not in useful:
                continue
        key = receipt.carrier_message_id
        if "\x00" in key or len(key) > LONGEST_ID:
            key = receipt.carrier_message_id = key.replace("\x00", "")[:LONGEST_ID]
        known = found.get(key)
        if (known is None or can_move(known.status, receipt.status)) and key:
            if receipt.error:
                receipt.error = clamped(receipt.error)
            found[key] = receipt
    return found


def _usable(status: int) -> int:
    if status not in _KNOWN:
        return Status.UNKNOWN
    # "Not sent" of an operator that has had it: whatever it says, this was sent and is billed.
    return Status.UNDELIVERED if status in NOT_SENT_STATUSES else status


def _apply(tick: Tick, keys: list[str], *, old: int, new: int, error: int) -> psycopg.Cursor[Any]:
    return tick.execute(
        sql.APPLY_RECEIPTS, [*twins(new), error, tick.run.connector_id, text_literal(keys), int(old), tick.since]
    )


def twins(status: int) -> list[int]:
    """The status for notifications, then for marketing."""
    return [int(for_traffic(status, True)), int(for_traffic(status, False))]


def take(tick: Tick, row: Told, old: int, changes: dict[tuple[int, int], int]) -> int:
    """Counts what one statement changed; segments of longer messages are gathered in `changes` with their old status."""
    campaign_id, account_id, status, is_long, count, ids, segments = row
    if is_long:
        for message_id, segment in zip(ids.strip("{}").split(","), segments or (), strict=True):
            changes.setdefault((int(message_id), segment), old)
        return count
    tick.move(campaign_id, old, status, count)
    tick.tell(account_id, campaign_id, status, ids)
    return count


def _others(tick: Tick, latest: dict[str, Receipt], changes: dict[tuple[int, int], int]) -> None:
    """Receipts that found no segment in the status "sent": repeats, later news of an open one, or unknown ids.

    A segment that is "sent" by now was committed by another gateway since we looked: each statement sees what is new.
    """
    keys = text_literal(list(latest))
    found = tick.execute(sql.KNOWN_IDS, [tick.run.connector_id, keys, tick.since]).fetchall()
    known: dict[str, int] = dict(found)
    moves: dict[tuple[int, int, int], list[str]] = defaultdict(list)
    for key, receipt in latest.items():
        old = known.get(key)
        if old is not None and can_move(old, receipt.status):
            moves[old, receipt.status, receipt.error].append(key)
    for (old, new, error), moved in moves.items():
        for row in _apply(tick, moved, old=old, new=new, error=error).fetchall():
            take(tick, row, old, changes)
    unknown = [receipt for key, receipt in latest.items() if key not in known]
    if unknown:
        tick.kept = unknown
        tick.execute(
            sql.KEEP_UNMATCHED,
            [
                tick.run.connector_id, text_literal([r.carrier_message_id for r in unknown]),
                literal(r.status for r in unknown), literal(r.error for r in unknown), literal(r.msisdn for r in unknown),
                _OPEN,
            ],
        )  # fmt: skip


def join_segments(tick: Tick, changes: dict[tuple[int, int], int]) -> None:
    """What the changed segments make of their messages."""
    ids = literal({message_id for message_id, _ in changes})
    tick.execute(sql.LOCK_MESSAGES, [ids])
    messages: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in tick.execute(sql.SEGMENTS_OF, [tick.run.connector_id, ids]).fetchall():
        messages[row[0]].append(row)
    told: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for message_id, rows in messages.items():
        segments, account_id, campaign_id = rows[0][2], rows[0][5], rows[0][6]
        missing = [Status.SENDING] if len(rows) < segments and all(row[1] for row in rows) else []
        new = joined([*(row[3] for row in rows), *missing])
        old = joined([*(changes.get((message_id, row[1]), row[3]) for row in rows), *missing])
        if new == old:
            continue
        tick.move(campaign_id, old, new)
        told[account_id, campaign_id, new].append(message_id)
    for (account_id, campaign_id, status), found in told.items():
        tick.tell(account_id, campaign_id, status, literal(found))
