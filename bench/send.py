"""The whole send path over real SMPP: claim, submit, answer, receipt, status, counters, ledger, all committed and durable.

    python -m bench.send [--runs 3]        SIZE=200000  SMSC=host:port (default: our own simulator, which is the slower side)

Prints, from the same run: messages a second from launch to the last receipt on disk; the bare protocol and the bare database
beside it, and the ratio to each; CPU and memory of the gateway; how long a notification takes while the campaign runs.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.ground import ground, machine, say, size
from bench.processes import Gateway, Process, Simulator, wait_until

TEXT = "Bonjour Jacqueline, votre rendez-vous est confirmé demain à 10 h. Répondez STOP"
WINDOW = 1000


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.send")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--window", type=int, default=WINDOW)
    given = parser.parse_args()
    total = size(200_000)
    with ground() as home:
        simulator = None
        if os.environ.get("SMSC"):
            host, _, port = os.environ["SMSC"].rpartition(":")
        else:
            simulator = Simulator(home, receipt_delay_s=0.0, mix={"delivered": 100.0})
            host, port = "127.0.0.1", str(simulator.port)
        try:
            for _ in range(given.runs):
                one_run(home, host or "127.0.0.1", int(port), total=total, window=given.window)
        finally:
            if simulator is not None:
                simulator.close()
    print(machine())


def one_run(home: Path, host: str, port: int, *, total: int, window: int) -> None:
    sent = through_everything(home, host, port, total=total, window=window)
    protocol = bare_protocol(port, total=min(total, 200_000), window=window) if host == "127.0.0.1" else 0.0
    database = bare_database(min(total, 100_000))
    say(
        "send", messages=total, per_s=sent["rate"], cpu_us=sent["cpu_us"], gateway_mb=sent["peak_mb"],
        notification_p50_ms=sent["p50_ms"], notification_p99_ms=sent["p99_ms"],
    )  # fmt: skip
    say("beside it, alone", protocol_per_s=protocol, database_per_s=database)
    if protocol:
        say("ratio", to_protocol=sent["rate"] / protocol, to_database=sent["rate"] / database)


def through_everything(
    home: Path, host: str, port: int, *, total: int, window: int, gateways: int = 1, binds: int = 1, account: Any = None,
    per_s: int = 0,
) -> dict[str, float]:  # fmt: skip
    """`per_s`: the pace of the campaign (0: none). `account`: whose messages these are (None: one of its own)."""
    from django.db import connection

    from carillon.models import Campaign
    from carillon.services import counts, credits
    from tests import builders

    options = {
        "host": host, "port": port, "system_id": "bench", "window": window, "binds": binds, "gateways": gateways,
    }  # fmt: skip
    connector = builders.make_connector(options=options)
    account = account or builders.make_account(balance=total * 100)
    campaign = builders.make_sendable_campaign(
        connector, n=total, account=account, text=TEXT, is_sending=False, pace_per_hour=per_s * 3600
    )
    while counts.fold() or credits.fold():
        pass
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE message")
        cursor.execute("VACUUM ANALYZE slice")
    running = [Gateway(home, environ={}, only=connector.name) for _ in range(gateways)]
    try:
        wait_until(lambda: seats_bound(connector) == gateways, what="every gateway is bound")
        before = sum(map(cpu_s, running))
        Campaign.objects.filter(pk=campaign.pk).update(is_sending=True)
        started = one("SELECT clock_timestamp()")
        alerts = []
        while counts.by_status(campaign.pk).get(16, 0) < total:
            alert = builders.make_sendable_campaign(connector, n=1, account=account, is_notification=True, price=0)
            alerts.append(alert.pk)
            time.sleep(0.2)
        used = sum(map(cpu_s, running)) - before
        ended = one("SELECT max(done_at) FROM submission WHERE campaign_id = %s", campaign.pk)
        wait_until(
            lambda: one("SELECT count(*) FROM submission WHERE campaign_id = ANY(%s)", alerts) == len(alerts),
            what="every notification has left",
        )
        waits = delays(alerts)
        peak = max(map(peak_mb, running))
        for gateway in running:
            gateway.stop()
    finally:
        for gateway in running:
            gateway.close()
    connector.is_enabled = False
    connector.save()
    return {
        "rate": total / (ended - started).total_seconds(), "cpu_us": used / total * 1e6, "peak_mb": peak,
        "p50_ms": statistics.median(waits) * 1000,
        "p99_ms": sorted(waits)[max(0, int(len(waits) * 0.99) - 1)] * 1000,
    }  # fmt: skip


def seats_bound(connector: Any) -> int:
    connector.refresh_from_db()
    return sum(seat.get("binds", 0) > 0 for seat in connector.health.get("seats", {}).values())


def one(statement: str, *parameters: Any) -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
        return cursor.fetchone()[0]


def delays(campaign_ids: list[int]) -> list[float]:
    """Seconds from the launch of each one-message campaign until its answer was on disk."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM s.submitted_at - k.launched_at)::float8 FROM submission s"
            " JOIN campaign k ON k.id = s.campaign_id WHERE s.campaign_id = ANY(%s)",
            [campaign_ids],
        )
        return [row[0] for row in cursor.fetchall()]


def cpu_s(process: Process) -> float:
    fields = Path(f"/proc/{process.popen.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(process: Process) -> float:
    status = Path(f"/proc/{process.popen.pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found.group(1)) / 1024 if found else 0.0


def bare_protocol(port: int, *, total: int, window: int) -> float:
    """Our SMPP client and the same SMSC, nothing else (bench.protocol)."""
    command = [sys.executable, "-m", "bench.protocol", "--window", str(window)]
    environ = {**os.environ, "SMSC": f"127.0.0.1:{port}", "SIZE": str(total)}
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environ).stdout
    found = re.search(r"([\d,]+) msg/s", said)
    assert found is not None, said
    return float(found.group(1).replace(",", ""))


def bare_database(total: int) -> float:
    """The same ticks with answers and receipts made up here: no carrier, no socket."""
    from carillon.domain.traffic import Answer, Receipt
    from carillon.gateway.main import connect
    from carillon.services import delivery, recovery
    from carillon.services.ticks import Intent, Job
    from tests import builders

    connector = builders.make_connector(is_enabled=False)
    builders.make_sendable_campaign(connector, n=total, account=builders.make_account(balance=total * 100), text=TEXT)
    with connect() as connection:
        delivery.open_session(connection)
        run = recovery.take_seat(
            connection, connector.pk, seat_count=1, host="bench", pid=0, is_gone=lambda seat: False
        )
        assert run is not None
        before: list[Intent] = []
        done = 0
        started = time.perf_counter()
        claims: list[Any] = []
        while done < total:
            job = Job(wants=1000, intents=[(claim.id, claim.last_id) for claim in claims])
            job.answered = [
                (m, [Answer(m.message_id, 1, 1, 24, f"{m.message_id:x}")]) for m in before
            ]  # fmt: skip
            job.receipts = [Receipt(f"{m.message_id:x}", 16, 0, m.msisdn) for m in before]
            outcome = delivery.tick(connection, run, job)
            delivery.committed(run, outcome)
            done += len(before)
            claims = outcome.claimed
            before = (
                [m for fetched in delivery.fetch(connection, run, claims) for m in fetched.messages] if claims else []
            )
        return total / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
