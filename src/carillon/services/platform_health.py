"""The platform at a glance, for operators and for Prometheus: what runs, what waits, what is in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from carillon.models import Account, Campaign, Connector, GatewayRun, Sender
from carillon.services import live

LATE_S = 120.0  # a message that may leave and has waited longer asks for a look
DAY = timedelta(days=1)


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
        concerns=list(_concerns(lanes, runs, jobs)),
    )


def _concerns(lanes: list[Lane], runs: list[GatewayRun], jobs: dict[str, int]) -> Iterator[Concern]:
    enabled = [lane for lane in lanes if lane.connector.is_enabled]
    if not enabled:
        yield Concern("no_connector", True, {})
    if enabled and not runs:
        yield Concern("no_gateway", True, {})
    for lane in enabled:
        if lane.is_fresh and lane.connector.state in live.DOWN:
            yield Concern("down", True, {"name": lane.connector.name, "reason": lane.connector.state_reason})
        if lane.oldest_s > LATE_S:
            yield Concern("late", False, {"name": lane.connector.name, "minutes": int(lane.oldest_s // 60)})
    if jobs.get("failed"):
        yield Concern("failed_jobs", False, {"count": jobs["failed"]})


def _rows(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def _one(sql: str) -> int:
    return int(_rows(sql)[0][0])


def metrics(*, now: datetime) -> str:
    """The same in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""
    health = look(now=now)
    lines: list[str] = []

    def write(name: str, help_text: str, samples: list[tuple[str, float]]) -> None:
        lines.append(f"# HELP carillon_{name} {help_text}")
        lines.append(f"# TYPE carillon_{name} gauge")
        lines.extend(f"carillon_{name}{labels} {value:g}" for labels, value in samples)

    def label(lane: Lane) -> str:
        escaped = lane.connector.name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        return f'{{connector="{escaped}"}}'

    write("waiting_messages", "Messages that may leave now.", [(label(lane), lane.waiting) for lane in health.lanes])
    write(
        "oldest_waiting_seconds", "Age of the oldest of them.", [(label(lane), lane.oldest_s) for lane in health.lanes]
    )
    bound = [(label(lane), float(lane.is_fresh and lane.connector.state == "bound")) for lane in health.lanes]
    write("connector_bound", "1 when a gateway has lately said that the carrier is bound.", bound)
    write("gateways", "Gateways whose lease runs.", [("", len(health.runs))])
    write("sending_campaigns", "Campaigns that are sending.", [("", health.sending)])
    write("messages_per_second", "Handed over in the last seconds.", [("", health.rate)])
    write("in_doubt_messages", "Messages whose fate a crash left open.", [("", health.in_doubt)])
    write("unmatched_receipts", "Receipts that wait for their answer.", [("", health.unmatched)])
    write(
        "jobs", "Background jobs by state.", [(f'{{state="{state}"}}', n) for state, n in sorted(health.jobs.items())]
    )
    write("accounts", "Accounts that may send.", [("", Account.objects.filter(is_active=True).count())])
    return "\n".join(lines) + "\n"
