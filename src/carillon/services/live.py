"""Live numbers: what a gateway says of a connector, what waits where, and when a campaign will be through."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.db import connection as django_connection
from django.utils import timezone

from carillon.domain.status import TABLE, Outcome
from carillon.models import Connector
from carillon.services.routes import DOWN
from carillon.services.ticks import Run

FRESH_S = 15.0  # an older report says nothing about now
RECENT = timedelta(minutes=15)
_REPORT = """
UPDATE connector SET state = %(state)s, state_reason = %(reason)s, state_at = now(),
    health = jsonb_build_object(
        'seats', CASE WHEN jsonb_typeof(health -> 'seats') = 'object' THEN health -> 'seats' ELSE '{}' END
            || jsonb_build_object(%(seat)s::text, %(report)s::jsonb),
        'told_at', health -> 'told_at',
        'down_since', CASE WHEN %(is_down)s THEN coalesce(health ->> 'down_since', now()::text) END)
WHERE id = %(connector)s RETURNING health ->> 'told_at'
"""
_TELL = """
UPDATE connector SET health = health || jsonb_build_object('told_at', now()::text)
WHERE id = %s AND coalesce((health ->> 'told_at')::timestamptz, '-infinity') < now() - interval '5 seconds'
"""


def report(
    connection: psycopg.Connection[Any], run: Run, state: str, reason: str, numbers: dict[str, Any]
) -> str | None:
    """Written by the gateway every two seconds, on its own connection. Gives when a callback last told of receipts."""
    values = {
        "state": state, "reason": reason[:300], "seat": str(run.seat), "connector": run.connector_id,
        "report": json.dumps(numbers), "is_down": state in DOWN,
    }  # fmt: skip
    row = connection.execute(_REPORT, values).fetchone()
    return row[0] if row is not None else None


def tell(connector_id: int) -> None:
    """An HTTP carrier told of receipts where it calls us: its gateways learn it with their next report."""
    with django_connection.cursor() as cursor:
        cursor.execute(_TELL, [connector_id])


def mark_unusable(connector_id: int, reason: str) -> None:
    """Its options or its secret are wrong: no gateway can start it."""
    since = timezone.now()
    Connector.objects.filter(pk=connector_id).update(
        state="down", state_reason=reason[:300], state_at=since, health={"down_since": since.isoformat()}
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one campaign. `rate` in messages a second over the last two seconds; `ends_at` None when nothing tells."""

    total: int
    handed_over: int
    waiting: int  # in slices, not yet handed over
    in_doubt: int
    rate: float
    ends_at: datetime | None


_WAITING = """
SELECT campaign_id, sum(last_id - cursor_id) FROM slice
WHERE campaign_id = ANY(%s) AND state IN (1, 2) GROUP BY campaign_id
"""
_DOUBTS = "SELECT campaign_id, count(*) FROM doubt WHERE campaign_id = ANY(%s) GROUP BY campaign_id"


def progress(campaign_id: int, *, total: int, now: datetime) -> Progress:
    """`total`: its valid messages (campaign.valid_count)."""
    return progress_of({campaign_id: total}, now=now)[campaign_id]


def progress_of(totals: dict[int, int], *, now: datetime) -> dict[int, Progress]:
    ids = list(totals)
    with django_connection.cursor() as cursor:
        cursor.execute(_WAITING, [ids])
        waiting = {row[0]: int(row[1]) for row in cursor.fetchall()}
        cursor.execute(_DOUBTS, [ids])
        doubts = {row[0]: int(row[1]) for row in cursor.fetchall()}
    rates = rates_now(now=now)
    return {
        i: _progress(totals[i], waiting.get(i, 0), doubts.get(i, 0), rates.get(i, 0.0), now=now) for i in ids
    }  # fmt: skip


def _progress(total: int, waiting: int, in_doubt: int, rate: float, *, now: datetime) -> Progress:
    ends_at = now + timedelta(seconds=waiting / rate) if waiting and rate > 0 else None
    return Progress(total, max(total - waiting - in_doubt, 0), waiting, in_doubt, rate, ends_at)


def rates_now(*, now: datetime) -> dict[int, float]:
    """campaign -> messages a second, summed over the connectors that reported lately."""
    found: dict[int, float] = {}
    for health, at in Connector.objects.filter(is_enabled=True).values_list("health", "state_at"):
        if at is None or (now - at).total_seconds() > FRESH_S:
            continue
        for numbers in seats_of(health):
            for campaign_id, rate in numbers.get("rates", {}).items():
                found[int(campaign_id)] = found.get(int(campaign_id), 0.0) + rate
    return found


def seats_of(health: Any) -> list[dict[str, Any]]:
    """The reports of a connector's gateways."""
    seats = health.get("seats", {}) if isinstance(health, dict) else {}
    return [numbers for numbers in seats.values() if isinstance(numbers, dict)]


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits on a connector: messages in ready slices of campaigns that may send, and how long the oldest has waited."""

    connector_id: int
    messages: int
    oldest_s: float


_QUEUES = """
SELECT s.connector_id, sum(s.last_id - s.cursor_id),
       coalesce(extract(epoch FROM %s - min(greatest(coalesce(k.scheduled_at, k.launched_at), s.not_before))), 0)
FROM slice s JOIN campaign k ON k.id = s.campaign_id
WHERE s.state IN (1, 2) AND k.is_sending AND (s.not_before IS NULL OR s.not_before <= %s)
GROUP BY s.connector_id
"""


def queues(*, now: datetime, connector_ids: Iterable[int] | None = None) -> dict[int, Queue]:
    with django_connection.cursor() as cursor:
        cursor.execute(_QUEUES, [now, now])
        found = {row[0]: Queue(row[0], int(row[1]), max(float(row[2]), 0.0)) for row in cursor.fetchall()}
    return found if connector_ids is None else {i: found.get(i, Queue(i, 0, 0.0)) for i in connector_ids}


@dataclass(frozen=True, slots=True)
class Latest:
    """Of the latest outcomes of a connector. `delay_s`: median from hand-over to receipt."""

    outcomes: int
    delivered: int
    failed: int
    delay_s: float


# Of the messages of each connector's latest slices: bounded by ids, whatever the size of the table.
_LATEST = """
SELECT c.id, count(*), count(*) FILTER (WHERE x.status = ANY(%(delivered)s)),
       count(*) FILTER (WHERE x.status = ANY(%(failed)s)),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM x.done_at - x.submitted_at))
FROM connector c
CROSS JOIN LATERAL (
    SELECT cursor_id FROM slice WHERE connector_id = c.id AND state IN (2, 3) ORDER BY id DESC LIMIT 4) s
JOIN submission x ON x.connector_id = c.id AND x.message_id BETWEEN s.cursor_id - 499 AND s.cursor_id
    AND x.segment > 0 AND x.submitted_at > %(since)s AND x.done_at IS NOT NULL
WHERE c.id = ANY(%(connectors)s) GROUP BY c.id
"""
_DELIVERED = [int(one.status) for one in TABLE.values() if one.outcome is Outcome.DELIVERED]
_FAILED = [int(one.status) for one in TABLE.values() if one.outcome in (Outcome.NOT_DELIVERED, Outcome.NOT_SENT)]


def latest(*, now: datetime, connector_ids: Iterable[int]) -> dict[int, Latest]:
    """Only of connectors that had outcomes in the last quarter of an hour."""
    values: dict[str, Any] = {
        "delivered": _DELIVERED, "failed": _FAILED, "since": now - RECENT, "connectors": list(connector_ids),
    }  # fmt: skip
    with django_connection.cursor() as cursor:
        cursor.execute(_LATEST, values)
        return {row[0]: Latest(row[1], row[2], row[3], float(row[4])) for row in cursor.fetchall()}
