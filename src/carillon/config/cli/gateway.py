"""`carillon gateway status | doubts`: what the gateways do now, and which messages wait for their settlement."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from carillon.config.cli.frame import add_command, add_json, print_json, print_rows, print_table, with_database

COLUMNS = (
    "connector", "state", "queue", "oldest", "rate", "answer_ms", "outstanding", "receipts", "throttled", "reconnects", "reason",
)  # fmt: skip
EVERY_S = 2.0
MOST_DOUBTS = 1000


def add_to(gateway: argparse.ArgumentParser) -> None:
    """Without a verb, `carillon gateway` runs one."""
    verbs = gateway.add_subparsers(metavar="VERB")
    status = add_command(
        verbs, "status", with_database(run_status), help="connectors, queues, rates, alarms; live on a terminal"
    )
    status.add_argument("--once", action="store_true", help="print once, also on a terminal")
    add_json(status)
    doubts = add_command(verbs, "doubts", with_database(run_doubts), help="messages in doubt, with their reason")
    add_json(doubts)


def run_status(arguments: argparse.Namespace) -> int:
    is_live = sys.stdout.isatty() and not arguments.once and not arguments.json
    while True:
        rows, alarms = look()
        if arguments.json:
            print_json({"connectors": rows, "alarms": alarms})
            return 0
        if is_live:
            print("\x1b[H\x1b[2J", end="")
        print_table(COLUMNS, [[row[column] for column in COLUMNS] for row in rows])
        for alarm in alarms:
            print(f"! {alarm['connector'] + ': ' if alarm['connector'] else ''}{alarm['sentence']}")
        if not is_live:
            return 0
        time.sleep(EVERY_S)


def look() -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """One row for each connector, summed over its gateways; and the alarms."""
    from django.utils import timezone

    from carillon.models import Connector
    from carillon.services import alarms, live, metrics

    now = timezone.now()
    queues = live.queues(now=now)
    rows = []
    for connector in Connector.objects.order_by("id"):
        seats = live.seats_of(connector.health)
        queue = queues.get(connector.pk)
        is_up = metrics.is_up(connector, now=now)
        sums = {key: sum(seat.get(key, 0) for seat in seats) for key in ("receipts", "throttled", "reconnects")}
        rows.append(
            {
                "connector": connector.name,
                "state": connector.state
                if is_up or connector.state == "down"
                else "disabled"
                if not connector.is_enabled
                else "silent",
                "queue": queue.messages if queue else 0,
                "oldest": f"{queue.oldest_s:.0f} s" if queue else "",
                "rate": round(sum(seat.get("rate", 0.0) for seat in seats), 1) if is_up else 0.0,
                "answer_ms": round(max((seat.get("answer_latency_s", 0.0) for seat in seats), default=0.0) * 1000, 1),
                "outstanding": sum(seat.get("outstanding", 0) for seat in seats) if is_up else 0,
                **sums,
                "reason": connector.state_reason,
            }
        )
    found = [
        {"code": alarm.code, "connector": alarm.connector, "sentence": alarm.sentence}
        for alarm in alarms.current(now=now)
    ]
    return rows, found


def run_doubts(arguments: argparse.Namespace) -> int:
    from carillon.models import Connector, Doubt

    names = dict(Connector.objects.values_list("id", "name"))
    rows: list[dict[str, object]] = [
        {
            "message": doubt.message_id,
            "campaign": doubt.campaign_id,
            "connector": names.get(doubt.connector_id, ""),
            "msisdn": doubt.msisdn,
            "since": doubt.at,
            "reason": doubt.reason,
        }
        for doubt in Doubt.objects.order_by("at")[:MOST_DOUBTS]
    ]
    print_rows(rows, as_json=arguments.json, columns=("message", "campaign", "connector", "msisdn", "since", "reason"))
    return 0
