"""Numbers for Prometheus, as its text format wants them. Read from the database only: any web process can answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from carillon.models import Connector
from carillon.services import alarms, live

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# name in health, metric, kind, help
_OF_SEATS = (
    ("submitted", "carillon_segments_submitted_total", "counter", "Segments written to the carrier."),
    ("answered", "carillon_segments_answered_total", "counter", "Segments the carrier answered."),
    ("refused", "carillon_segments_refused_total", "counter", "Segments the carrier refused for good."),
    ("throttled", "carillon_segments_throttled_total", "counter", "Segments the carrier asked to have later."),
    ("receipts", "carillon_receipts_total", "counter", "Delivery receipts received."),
    ("inbounds", "carillon_inbound_total", "counter", "Texts received from people."),
    ("reconnects", "carillon_reconnects_total", "counter", "Connections lost and made again."),
    ("ticks", "carillon_ticks_total", "counter", "Transactions of the send path."),
    ("rate", "carillon_messages_per_second", "gauge", "Messages recorded a second, over the last report."),
    ("outstanding", "carillon_messages_outstanding", "gauge", "Messages intended and not yet answered."),
)
_AVERAGES = (
    ("answer_latency_s", "carillon_answer_latency_seconds", "Moving average from submit to answer."),
    ("tick_ms", "carillon_tick_milliseconds", "Mean duration of a transaction of the send path."),
)


@dataclass(slots=True)
class _Page:
    lines: list[str] = field(default_factory=list)

    def add(self, name: str, kind: str, text: str, samples: Iterable[tuple[dict[str, str], float]]) -> None:
        self.lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        for labels, value in samples:
            inside = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
            self.lines.append(f"{name}{{{inside}}} {value:g}" if inside else f"{name} {value:g}")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def text(*, now: datetime) -> str:
    page = _Page()
    connectors = list(Connector.objects.order_by("id"))
    _connectors(page, connectors, now)
    _queues(page, connectors, now)
    _totals(page)
    found = alarms.current(now=now)
    page.add(
        "carillon_alarm", "gauge", "1 while the alarm stands.",
        (({"code": alarm.code, "connector": alarm.connector}, 1.0) for alarm in found),
    )  # fmt: skip
    return "\n".join(page.lines) + "\n"


def _connectors(page: _Page, connectors: list[Connector], now: datetime) -> None:
    page.add(
        "carillon_connector_up", "gauge", "1 when the connector's gateway is bound and reported lately.",
        (({"connector": c.name}, float(is_up(c, now=now))) for c in connectors if c.is_enabled),
    )  # fmt: skip
    seats = [(c.name, seat, numbers) for c in connectors for seat, numbers in _seats(c)]
    for key, name, kind, sentence in _OF_SEATS:
        samples = (({"connector": c, "seat": seat}, float(n[key])) for c, seat, n in seats if key in n)
        page.add(name, kind, sentence, samples)
    for key, name, sentence in _AVERAGES:
        samples = (({"connector": c, "seat": seat}, float(n[key])) for c, seat, n in seats if key in n)
        page.add(name, "gauge", sentence, samples)


def is_up(connector: Connector, *, now: datetime) -> bool:
    is_fresh = connector.state_at is not None and (now - connector.state_at).total_seconds() <= live.FRESH_S
    return connector.is_enabled and is_fresh and connector.state in ("bound", "throttled")


def _seats(connector: Connector) -> list[tuple[str, dict[str, Any]]]:
    seats = connector.health.get("seats", {}) if isinstance(connector.health, dict) else {}
    return [(seat, numbers) for seat, numbers in sorted(seats.items()) if isinstance(numbers, dict)]


def _queues(page: _Page, connectors: list[Connector], now: datetime) -> None:
    queues = live.queues(now=now, connector_ids=[c.pk for c in connectors])
    depth = [({"connector": c.name}, float(queues[c.pk].messages)) for c in connectors]
    age = [({"connector": c.name}, queues[c.pk].oldest_s) for c in connectors]
    page.add("carillon_queue_messages", "gauge", "Messages waiting to be handed over.", depth)
    page.add("carillon_queue_age_seconds", "gauge", "How long the oldest of them has been allowed to leave.", age)
    names = {c.pk: c.name for c in connectors}
    found = live.latest(now=now, connector_ids=names)
    page.add(
        "carillon_receipt_delay_seconds", "gauge", "Median from hand-over to receipt, over the latest ones.",
        (({"connector": names[pk]}, latest.delay_s) for pk, latest in found.items()),
    )  # fmt: skip
    page.add(
        "carillon_delivered_ratio", "gauge", "Share delivered among the latest receipts.",
        (({"connector": names[pk]}, latest.delivered / latest.outcomes) for pk, latest in found.items()),
    )  # fmt: skip


def _totals(page: _Page) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM doubt), (SELECT count(*) FROM receipt_unmatched),"
            " (SELECT count(*) FROM outbox), (SELECT count(*) FROM campaign_delta),"
            " (SELECT count(*) FROM campaign WHERE state = 'INPROGRESS')"
        )
        doubts, unmatched, outbox, deltas, running = cursor.fetchone()
    page.add("carillon_messages_in_doubt", "gauge", "Messages in doubt.", [({}, float(doubts))])
    page.add("carillon_receipts_unmatched", "gauge", "Receipts that match no message yet.", [({}, float(unmatched))])
    page.add("carillon_outbox_rows", "gauge", "Facts not yet told to webhooks.", [({}, float(outbox))])
    page.add("carillon_counter_deltas", "gauge", "Counter changes not folded yet.", [({}, float(deltas))])
    page.add("carillon_campaigns_running", "gauge", "Campaigns in progress.", [({}, float(running))])
