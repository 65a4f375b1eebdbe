"""Our side: claim, submit, answer, receipt, status, counters and ledger, all committed to a durable PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.peers.measure import Meter, Result
from bench.peers.smsc import Centre
from bench.processes import Gateway, wait_until

TEXT = "Bonjour Jacqueline, votre rendez-vous est confirme demain a 10 h. Repondez STOP"
DELIVERED = 16
NOTIFICATIONS_PER_S = 20
LATE_S = 120.0


class Unequal(Exception):
    """The rows, the counters and the ledger do not tell the same story."""


@dataclass(frozen=True)
class Setting:
    home: Path
    centre: Centre
    latency_ms: int = 0
    gateways: int = 1
    binds: int = 1
    window: int = 1000

    def __str__(self) -> str:
        each = " each" if self.gateways > 1 else ""
        gateways = f"{self.gateways} gateway{'s' * (self.gateways > 1)}"
        return f"{gateways}, {self.binds} bind{'s' * (self.binds > 1)}{each}, window {self.window}"


def send(setting: Setting, messages: int) -> Result:
    with _running(setting, messages) as (campaigns, gateways):
        with Meter(postmaster(setting.home), *(gateway.popen.pid for gateway in gateways)) as meter:
            started = _launch(campaigns)
            wait_until(lambda: _delivered(campaigns) >= messages, what="the last receipt", timeout_s=LATE_S)
            seconds = time.perf_counter() - started
        check(campaigns)
    return Result(messages, seconds, meter.cpu_s, meter.peak_mb)


@dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds from the launch of a notification until its answer was on disk, while a campaign ran."""

    messages: int
    rate: float
    n: int
    p50: float
    p99: float
    most: float


def notifications(setting: Setting, messages: int) -> Waits:
    from carillon.services import texts
    from tests import builders

    sent: list[int] = []
    with _running(setting, messages) as (campaigns, _):
        account = builders.make_account(balance=10_000_000)
        started = _launch(campaigns)
        while _delivered(campaigns) < messages:
            due = started + len(sent) / NOTIFICATIONS_PER_S
            time.sleep(max(due - time.perf_counter(), 0.001))
            sent.append(texts.send_text(account, msisdn=33700000000 + len(sent), text="Votre code : 123456"))
            if time.perf_counter() - started > LATE_S + messages / 2000:
                raise AssertionError(f"{_delivered(campaigns):,} of {messages:,} delivered when the time was over")
        seconds = time.perf_counter() - started
        recorded = "SELECT count(DISTINCT message_id) FROM submission WHERE message_id = ANY(%s)"
        wait_until(lambda: one(recorded, sent) == len(sent), what="every notification left", timeout_s=LATE_S)
        check(campaigns)
    waits = sorted(row[0] * 1000 for row in _rows(_DELAYS, sent))
    most = int(len(waits) * 0.99 + 0.999999) - 1  # nearest rank
    return Waits(messages, messages / seconds, len(waits), statistics.median(waits), waits[most], waits[-1])


_DELAYS = (
    "SELECT extract(epoch FROM s.submitted_at - k.launched_at)::float8 FROM submission s"
    " JOIN campaign k ON k.id = s.campaign_id WHERE s.message_id = ANY(%s)"
)


def bare_protocol(setting: Setting, messages: int) -> Result:
    """Our SMPP client alone: nothing is stored, receipts are acknowledged at once."""
    with setting.centre.open(setting.latency_ms) as (host, port):
        command = [sys.executable, "-m", "bench.protocol", "--window", str(setting.window)]
        environ = {**os.environ, "SIZE": str(messages), "SMSC": f"{host}:{port}"}
        said = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=LATE_S).stdout
    found = re.search(r"([\d,]+) msg/s.*?([\d.]+) µs CPU.*?peak (\d+) MiB", said)
    assert found is not None, said
    rate, cpu_us, peak = float(found[1].replace(",", "")), float(found[2]), float(found[3])
    return Result(messages, messages / rate, cpu_us * messages / 1e6, peak)


@contextlib.contextmanager
def _running(setting: Setting, messages: int) -> Iterator[tuple[list[Any], list[Gateway]]]:
    """Campaigns that wait for their launch, and gateways bound to a fresh SMSC: each has a connector with a login of its own."""
    from carillon.models import Connector
    from tests import builders

    with setting.centre.open(setting.latency_ms) as (host, port):
        options = {"host": host, "port": port, "window": setting.window, "binds": setting.binds}
        logins = [f"bench{number}" for number in range(setting.gateways)]
        connectors = [builders.make_connector(options={**options, "system_id": login}) for login in logins]
        share = messages // setting.gateways
        campaigns = [
            builders.make_sendable_campaign(
                connector, n=share, account=builders.make_account(balance=share * 100), text=TEXT, is_sending=False
            )
            for connector in connectors
        ]
        settle_down()
        gateways = [Gateway(setting.home, environ={}, only=connector.name) for connector in connectors]
        try:
            wait_until(lambda: _are_bound(connectors), what="every gateway is bound", timeout_s=60)
            yield campaigns, gateways
            for gateway in gateways:
                gateway.stop(timeout_s=30)
        finally:
            for gateway in gateways:
                gateway.close()
            Connector.objects.filter(pk__in=[connector.pk for connector in connectors]).update(is_enabled=False)


def settle_down() -> None:
    """The same state of the database before each run: counters folded, dead rows gone, nothing left to write."""
    from django.db import connection

    from carillon.services import counts, credits

    while counts.fold() or credits.fold():
        pass
    with connection.cursor() as cursor:
        for table in ("message", "slice", "campaign_delta", "balance_delta"):
            cursor.execute(f"VACUUM ANALYZE {table}")
        cursor.execute("CHECKPOINT")


def _are_bound(connectors: list[Any]) -> bool:
    for connector in connectors:
        connector.refresh_from_db()
    return all(connector.state == "bound" for connector in connectors)


def _launch(campaigns: list[Any]) -> float:
    from carillon.models import Campaign

    Campaign.objects.filter(pk__in=[campaign.pk for campaign in campaigns]).update(is_sending=True)
    return time.perf_counter()


def _delivered(campaigns: list[Any]) -> int:
    from carillon.services import counts

    found = counts.by_campaign([campaign.pk for campaign in campaigns])
    return sum(statuses.get(DELIVERED, 0) for statuses in found.values())


def check(campaigns: list[Any]) -> None:
    """Every message once, delivered, and paid for exactly. Raises Unequal."""
    for campaign in campaigns:
        n = campaign.valid_count
        rows = one("SELECT count(*) FROM submission WHERE campaign_id = %s AND status = %s", campaign.pk, DELIVERED)
        different = one("SELECT count(DISTINCT message_id) FROM submission WHERE campaign_id = %s", campaign.pk)
        balance, held = _rows("SELECT sum(balance), sum(held) FROM ledger WHERE campaign_id = %s", campaign.pk)[0]
        if (rows, different, -balance, held) != (n, n, campaign.price, 0):
            raise Unequal(f"{n} messages: {rows} delivered, {different} sent, {-balance} paid, {held} held")


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "data" / "postmaster.pid").read_text(encoding="ascii").split()[0])


def one(statement: str, *parameters: Any) -> Any:
    return _rows(statement, *parameters)[0][0]


def _rows(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
        return list(cursor.fetchall())
