"""The platform at a glance, for operators: what runs, what waits, what is in doubt. For machines: services.metrics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from carillon.models import Campaign, Connector, GatewayRun, Sender
from carillon.services import alarms, live
from carillon.services.routes import DOWN

LATE_S = 120.0  # a message that may leave and has waited longer asks for a look


@dataclass(frozen=True, slots=True)
class Concern:
    """Something an operator should look at. `code` names the sentence; `values` complete it."""

    code: str
    is_grave: bool
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lane:
    """A connector with its queue. Durations in seconds."""

    connector: Connector
    waiting: int
    oldest_s: float
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class Health:
    """`jobs`: background jobs by state; the rest are counts now."""

    lanes: list[Lane]
    runs: list[GatewayRun]
    jobs: dict[str, int]
    sending: int
    in_doubt: int
    unmatched: int
    undecided_senders: int
    rate: float
    concerns: list[Concern]


def look(*, now: datetime) -> Health:
    """Everything the page and the metrics show, in some small queries: no table of messages is counted."""
    queues = live.queues(now=now)
    lanes = [
        Lane(
            connector=connector,
            waiting=queues[connector.pk].messages if connector.pk in queues else 0,
            oldest_s=queues[connector.pk].oldest_s if connector.pk in queues else 0.0,
            is_fresh=connector.state_at is not None and (now - connector.state_at).total_seconds() <= live.FRESH_S,
        )
        for connector in Connector.objects.order_by("name")
    ]
    runs = list(GatewayRun.objects.filter(alive=True, lease_until__gt=now).order_by("connector_id", "seat"))
    jobs = dict(_rows("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status"))
    in_doubt = _one("SELECT count(*) FROM doubt")
    unmatched = _one("SELECT count(*) FROM receipt_unmatched")
    return Health(
        lanes=lanes,
        runs=runs,
        jobs=jobs,
        sending=Campaign.objects.filter(state="INPROGRESS", is_sending=True).count(),
        in_doubt=in_doubt,
        unmatched=unmatched,
        undecided_senders=Sender.objects.filter(state=Sender.State.WAITING).count(),
        rate=sum(live.rates_now(now=now).values()),
        concerns=list(_concerns(lanes, runs, jobs, now)),
    )


def _concerns(lanes: list[Lane], runs: list[GatewayRun], jobs: dict[str, int], now: datetime) -> Iterator[Concern]:
    enabled = [lane for lane in lanes if lane.connector.is_enabled]
    if not enabled:
        yield Concern("no_connector", True, {})
    if enabled and not runs:
        yield Concern("no_gateway", True, {})
    for lane in enabled:
        if lane.is_fresh and lane.connector.state in DOWN:
            yield Concern("down", True, {"name": lane.connector.name, "reason": lane.connector.state_reason})
        if lane.oldest_s > LATE_S:
            yield Concern("late", False, {"name": lane.connector.name, "minutes": int(lane.oldest_s // 60)})
    if jobs.get("failed"):
        yield Concern("failed_jobs", False, {"count": jobs["failed"]})
    for alarm in alarms.current(now=now):
        if alarm.code not in {"connector_down", "no_gateway"}:  # said above
            yield Concern(alarm.code, True, {"name": alarm.connector, "sentence": alarm.sentence})


def _rows(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _one(sql: str) -> int:
    return int(_rows(sql)[0][0])
