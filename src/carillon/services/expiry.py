"""The end of validity (48 hours unless the campaign says otherwise): what no receipt has settled by then is settled by time.

sent, no receipt             posted (10, 28), final from then on; billed as before
mobile unavailable           expired (22); billed as before
in doubt                     processing error (12), refunded: docs/decisions/0003-at-most-once.md
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from carillon.domain.status import Status, at_end_of_life
from carillon.services import matching, receipts
from carillon.services.matching import Doubt

_RANGE = 20_000
_DUE = """
SELECT id, first_message_id, last_message_id, validity_hours, launched_at FROM campaign
WHERE state IN ('INPROGRESS', 'INJECTED') AND finished_at IS NULL AND launched_at < %s - validity_hours * interval '1 hour'
  AND first_message_id IS NOT NULL
ORDER BY id LIMIT 1000
"""
_CONNECTORS = "SELECT DISTINCT connector_id FROM slice WHERE campaign_id = %s"
_EXPIRE = """
WITH told AS (
    UPDATE submission s
    SET status = CASE WHEN k.traffic = 'NOTIFICATION' THEN %s ELSE %s END, done_at = now()
    FROM campaign k
    WHERE s.connector_id = %s AND s.message_id BETWEEN %s AND %s AND s.campaign_id = %s AND s.status = %s
      AND s.submitted_at < %s AND s.submitted_at >= %s AND k.id = s.campaign_id
    RETURNING s.campaign_id, s.account_id, s.status, s.segments, s.message_id, s.segment
)
SELECT campaign_id, account_id, status, segments > 1, count(*), array_agg(message_id)::text,
       CASE WHEN segments > 1 THEN array_agg(segment) END
FROM told GROUP BY campaign_id, account_id, status, segments
"""
_OLD_DOUBTS = """
SELECT d.connector_id, d.message_id FROM doubt d JOIN campaign k ON k.id = d.campaign_id
WHERE d.at < %s - k.validity_hours * interval '1 hour' ORDER BY d.at LIMIT 5000
"""


def expire(*, now: datetime) -> int:
    """Messages whose status changed, in all campaigns that are old enough."""
    return expire_sent(now=now) + expire_doubts(now=now)


def expire_sent(*, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [now])
        due = cursor.fetchall()
    return sum(_expire_campaign(*row, now=now) for row in due)


def _expire_campaign(
    campaign_id: int, first: int, last: int, validity_hours: int, launched_at: datetime, *, now: datetime
) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTORS, [campaign_id])
        connectors = [row[0] for row in cursor.fetchall()]
    before = now - timedelta(hours=validity_hours)
    total = 0
    for connector_id in connectors:
        for start in range(first, last + 1, _RANGE):
            bounds = (start, min(start + _RANGE - 1, last))
            total += _expire_range(connector_id, campaign_id, bounds, before=before, since=launched_at)
    return total


@transaction.atomic
def _expire_range(
    connector_id: int, campaign_id: int, bounds: tuple[int, int], *, before: datetime, since: datetime
) -> int:
    tick = matching.open_tick(connector_id)
    changes: dict[tuple[int, int], int] = {}
    count = 0
    for old in (Status.SENT, Status.UNAVAILABLE):
        new = at_end_of_life(old)
        twins = receipts.twins(new)
        parameters: list[Any] = [*twins, connector_id, *bounds, campaign_id, int(old), before, since]
        for row in tick.execute(_EXPIRE, parameters).fetchall():
            count += receipts.take(tick, row, old, changes)
    if changes:
        receipts.join_segments(tick, changes)
    tick.write_sums()
    return count


def expire_doubts(*, now: datetime) -> int:
    """Doubts at their end: settled by what receipts there are, else refunded."""
    with connection.cursor() as cursor:
        cursor.execute(_OLD_DOUBTS, [now])
        old = cursor.fetchall()
    return sum(_expire_doubt(connector_id, message_id) for connector_id, message_id in old)


_DOUBT = """
SELECT d.message_id, d.account_id, d.campaign_id, k.payer_id, d.price, d.segments, d.at, k.traffic = 'NOTIFICATION'
FROM doubt d JOIN campaign k ON k.id = d.campaign_id WHERE d.connector_id = %s AND d.message_id = %s FOR UPDATE OF d
"""


@transaction.atomic
def _expire_doubt(connector_id: int, message_id: int) -> int:
    tick = matching.open_tick(connector_id)
    row = tick.execute(_DOUBT, [connector_id, message_id]).fetchone()
    if row is None:
        return 0
    doubt = Doubt(*row)
    known = matching.segments_recorded(tick, [message_id])[message_id]
    found = matching.receipts_of(tick, doubt)
    matching.settle(tick, doubt, found, known, by_us=None if found else Status.PROCESSING)
    tick.write_sums()
    return 1
