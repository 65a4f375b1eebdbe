"""What an operator must know now, each as a stable code and a sentence. Read by the worker, /metrics and `gateway status`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from carillon.models import Connector
from carillon.services import live
from carillon.services.rerouting import is_out_of_use

RECEIPTS_STOP_AFTER_S = 600.0
LEAST_WITHOUT_RECEIPTS = 100
LEAST_OUTCOMES = 100
FAILED_SHARE = 0.5
OLD_QUEUE_S = 600.0
MANY_DOUBTS = 1000
MANY_DELTAS = 200_000


@dataclass(frozen=True, slots=True)
class Alarm:
    code: str
    sentence: str
    connector: str = ""


def current(*, now: datetime) -> list[Alarm]:
    connectors = list(Connector.objects.filter(is_enabled=True))
    queues = live.queues(now=now)
    found: list[Alarm] = []
    for connector in connectors:
        queue = queues.get(connector.pk)
        if queue is None or not queue.messages:
            continue
        if is_out_of_use(connector, now=now):
            why = connector.state_reason or connector.state
            found.append(
                Alarm("connector_down", f"{queue.messages} messages wait and it is down: {why}", connector.name)
            )
        elif queue.oldest_s > OLD_QUEUE_S and connector.state_at is None:
            found.append(Alarm("no_gateway", f"{queue.messages} messages wait and no gateway runs it", connector.name))
    return [*found, *_without_receipts(connectors), *_failing(connectors, now), *_backlogs()]


def _without_receipts(connectors: list[Connector]) -> list[Alarm]:
    """Connectors that answer and tell nothing, by what their gateways count. An SMSC may tell one of them of all messages."""
    found = []
    for connector in connectors:
        seats = live.seats_of(connector.health)
        if any((seat.get("heard_s") or RECEIPTS_STOP_AFTER_S) < RECEIPTS_STOP_AFTER_S for seat in seats):
            continue
        untold = [seat for seat in seats if seat.get("untold_s", 0) > RECEIPTS_STOP_AFTER_S]
        segments = sum(seat.get("untold", 0) for seat in untold)
        if str(connector.options.get("registered_delivery", 1)) != "0" and segments >= LEAST_WITHOUT_RECEIPTS:
            minutes = max(seat["untold_s"] for seat in untold) / 60
            sentence = f"no receipt for {minutes:.0f} minutes, and {segments} segments accepted meanwhile"
            found.append(Alarm("receipts_stopped", sentence, connector.name))
    return found


def _failing(connectors: list[Connector], now: datetime) -> list[Alarm]:
    """Connectors whose latest messages mostly fail. A campaign of its own is paused besides (services.safeguards)."""
    names = {connector.pk: connector.name for connector in connectors}
    return [
        Alarm("many_failures", f"{latest.failed} of its latest {latest.outcomes} messages failed", names[pk])
        for pk, latest in live.latest(now=now, connector_ids=names).items()
        if latest.outcomes >= LEAST_OUTCOMES and latest.failed > latest.outcomes * FAILED_SHARE
    ]


def _backlogs() -> list[Alarm]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM doubt LIMIT %s) d),"
            " (SELECT count(*) FROM (SELECT 1 FROM campaign_delta LIMIT %s) d),"
            " to_regclass('submission_' || to_char(current_date + 7, 'YYYYMM')) IS NULL",
            [MANY_DOUBTS, MANY_DELTAS],
        )
        doubts, deltas, lacks_partition = cursor.fetchone()
    found = []
    if doubts >= MANY_DOUBTS:
        found.append(Alarm("many_doubts", f"{doubts} messages or more are in doubt: see `carillon gateway doubts`"))
    if deltas >= MANY_DELTAS:
        found.append(Alarm("counters_behind", "counters are not folded: does a worker run?"))
    if lacks_partition:
        found.append(Alarm("no_partition", "the next month has no submission partition: does a worker run?"))
    return found
