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
        'down_since', CASE WHEN %(is_down)s THEN coalesce(health ->> 'down_since', now()::text) END)
WHERE id = %(connector)s
"""


def report(connection: psycopg.Connection[Any], run: Run, state: str, reason: str, numbers: dict[str, Any]) -> None:
    """Written by the gateway every two seconds, on its own connection."""
    values = {
        "state": state, "reason": reason[:300], "seat": str(run.seat), "connector": run.connector_id,
        "report": json.dumps(numbers), "is_down": state in DOWN,
    }  # fmt: skip
    connection.execute(_REPORT, values)


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
