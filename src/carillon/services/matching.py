"""Receipts that found no message at once, and messages in doubt: brought together afterwards, by a periodic job.

By id: two gateways of one connector may read an answer and its receipt at the same moment and miss each other.
By number and time: a message in doubt has no id. Its receipt is the one for the same connector and number that no answer
explains; several doubts for one number are settled only when there are receipts for all of them, in order of time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from carillon.domain.status import Status, for_traffic, joined
from carillon.domain.traffic import Receipt
from carillon.services import delivery_sql as sql
from carillon.services import receipts
from carillon.services.ticks import Run, Tick, literal, own_id, text_literal

KEEP_UNMATCHED = timedelta(days=8)
# An answer still on its way explains most unmatched receipts: only older ones may belong to a message in doubt.
SETTLE_AFTER = timedelta(seconds=60)
_BATCH = 5000

_WAITING = "SELECT DISTINCT connector_id FROM receipt_unmatched WHERE received_at > now() - %s * interval '1 second'"
_BY_ID = """
SELECT r.carrier_message_id, r.status, r.error, r.msisdn FROM receipt_unmatched r
WHERE r.connector_id = %s AND r.received_at > now() - %s * interval '1 second' AND EXISTS (
    SELECT 1 FROM submission s
    WHERE s.connector_id = r.connector_id AND s.carrier_message_id = r.carrier_message_id AND s.submitted_at >= %s)
LIMIT %s FOR UPDATE OF r SKIP LOCKED
"""
_BY_NUMBER = """
SELECT d.connector_id, d.msisdn FROM doubt d JOIN receipt_unmatched r ON r.connector_id = d.connector_id
WHERE r.msisdn = d.msisdn AND r.received_at < now() - %s * interval '1 second' AND r.received_at > d.at - interval '10 minutes'
GROUP BY d.connector_id, d.msisdn LIMIT %s
"""
_DOUBTS = """
SELECT d.message_id, d.account_id, d.campaign_id, k.payer_id, d.price, d.segments, d.at, k.traffic = 'NOTIFICATION'
FROM doubt d JOIN campaign k ON k.id = d.campaign_id
WHERE d.connector_id = %s AND d.msisdn = %s ORDER BY d.at, d.message_id FOR UPDATE OF d
"""
_RECEIPTS = """
SELECT carrier_message_id, status, error, msisdn FROM receipt_unmatched
WHERE connector_id = %s AND msisdn = %s AND received_at > %s - interval '10 minutes' ORDER BY received_at, carrier_message_id
FOR UPDATE
"""
_ALONE = """
SELECT d.msisdn, (SELECT count(*) FROM doubt o WHERE o.connector_id = d.connector_id AND o.msisdn = d.msisdn)
FROM doubt d WHERE d.connector_id = %s AND d.message_id = %s
"""
_PURGE = "DELETE FROM receipt_unmatched WHERE received_at < now() - %s * interval '1 second'"


@dataclass(frozen=True, slots=True)
class Doubt:
    message_id: int
    account_id: int
    campaign_id: int
    payer_id: int
    price: int
    segments: int
    at: Any
    is_notification: bool


def open_tick(connector_id: int) -> Tick:
    """A tick's arithmetic on Django's connection, inside the caller's transaction; its ledger rows belong to no run."""
    connection.ensure_connection()
    return Tick(connection.connection, Run(0, connector_id, tick=-1))


def _seconds(span: timedelta) -> float:
    return span.total_seconds()


def match_known(*, within: timedelta = timedelta(minutes=15)) -> int:
    """Apply unmatched receipts whose answer is recorded by now, however many; returns how many."""
    count = 0
    for connector_id in _connectors(within):
        while matched := _match_connector(connector_id, within):
            count += matched
    return count


def _connectors(within: timedelta) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [_seconds(within)])
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def _match_connector(connector_id: int, within: timedelta) -> int:
    tick = open_tick(connector_id)
    rows = tick.execute(_BY_ID, [connector_id, _seconds(within), tick.since, _BATCH]).fetchall()
    if rows:
        tick.execute(sql.DROP_UNMATCHED, [connector_id, text_literal([row[0] for row in rows])])
        receipts.finish(tick, receipts.begin(tick, [Receipt(*row) for row in rows], []))
        tick.write_sums()
    return len(rows)


def settle_by_number(*, after: timedelta = SETTLE_AFTER) -> int:
    """Settle doubts by the receipts for their numbers; returns how many messages."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_NUMBER, [_seconds(after), _BATCH])
        pairs = cursor.fetchall()
    return sum(_settle_number(connector_id, msisdn) for connector_id, msisdn in pairs)


@transaction.atomic
def _settle_number(connector_id: int, msisdn: int) -> int:
    tick = open_tick(connector_id)
    doubts = [Doubt(*row) for row in tick.execute(_DOUBTS, [connector_id, msisdn]).fetchall()]
    if not doubts:
        return 0
    found = [Receipt(*row) for row in tick.execute(_RECEIPTS, [connector_id, msisdn, doubts[0].at]).fetchall()]
    known = segments_recorded(tick, [doubt.message_id for doubt in doubts])
    needs = [max(1, doubt.segments - len(known[doubt.message_id])) for doubt in doubts]
    if len(found) < sum(needs):
        return 0
    for doubt, needed in zip(doubts, needs, strict=True):
        taken, found = found[:needed], found[needed:]
        settle(tick, doubt, taken, known[doubt.message_id])
    tick.write_sums()
    return len(doubts)


def receipts_of(tick: Tick, doubt: Doubt) -> list[Receipt]:
    """What came for its number, fewer than its segments: an SMSC that cuts by itself tells only one. [] when another message
    in doubt may be meant."""
    alone = tick.execute(_ALONE, [tick.run.connector_id, doubt.message_id]).fetchone()
    if alone is None or alone[1] != 1:
        return []
    rows = tick.execute(_RECEIPTS, [tick.run.connector_id, alone[0], doubt.at]).fetchall()
    return [Receipt(*row) for row in rows[: doubt.segments]]


def segments_recorded(tick: Tick, message_ids: Sequence[int]) -> dict[int, list[tuple[int, int]]]:
    """message -> [(segment, status)]."""
    known: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in tick.execute(sql.SEGMENTS_OF, [tick.run.connector_id, literal(message_ids)]).fetchall():
        known[row[0]].append((row[1], row[3]))
    return known


def settle(
    tick: Tick, doubt: Doubt, found: Sequence[Receipt], known: Sequence[tuple[int, int]], *, by_us: Status | None = None
) -> None:
    """The message is no longer in doubt: its receipts become its segments, or `by_us` its end."""
    before = [status for _, status in known]
    number = max((segment for segment, _ in known), default=0)
    rows: list[tuple[int, int, int, int, int, int, int, int, str]] = []
    price = doubt.price
    for receipt in found:
        number += 1
        status = for_traffic(receipt.status, doubt.is_notification)
        rows.append((doubt.message_id, number, max(doubt.segments, number), doubt.account_id, doubt.campaign_id, status,
                     receipt.error, price, receipt.carrier_message_id))  # fmt: skip
        price = 0
    if by_us is not None:
        rows.append((doubt.message_id, 0, doubt.segments, doubt.account_id, doubt.campaign_id, by_us, 0, price,
                     own_id(doubt.message_id, 0)))  # fmt: skip
    *numbers, ids = zip(*rows, strict=True)
    connector_id = tick.run.connector_id
    tick.execute(sql.ADD_ANSWERS, [connector_id, *map(literal, numbers), text_literal(ids)])
    new = joined([*before, *(row[5] for row in rows)])
    tick.move(doubt.campaign_id, joined([*before, Status.SENDING]), new)
    tick.settle(doubt.payer_id, doubt.campaign_id, doubt.price, new)
    tick.tell(doubt.account_id, doubt.campaign_id, new, literal([doubt.message_id]))
    tick.execute(sql.TAKE_DOUBT, [connector_id, doubt.message_id])
    if found:
        tick.execute(
            sql.DROP_UNMATCHED, [connector_id, text_literal([receipt.carrier_message_id for receipt in found])]
        )


def purge_unmatched() -> int:
    """Receipts nobody asked for, eight days old; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_PURGE, [_seconds(KEEP_UNMATCHED)])
        return int(cursor.rowcount)
