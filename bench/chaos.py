"""Campaigns while everything around them is killed, cut and confused; after each round an independent account is asked for.

    python -m bench.chaos [--minutes 10] [--seed N] [--messages 3000]

A round sends one campaign of short and one of long messages through the simulator, and meanwhile draws faults: kill -9 of a
gateway, of the worker, of the postmaster; a gateway frozen beyond its lease while another takes its seat; connections reset;
an SMSC that is silent, throttles, reports a full queue, hangs up before or after it took a message; receipts told twice, for
unknown ids, and after the end. Then, from what the SMSC recorded and from the rows alone:

    no segment was accepted twice; every message has an outcome, or is in doubt and was not accepted whole;
    counters are what the rows say; the ledger is what the rows say, to the last hundredth of a credit.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.audit import audit
from bench.ground import ground, machine
from bench.processes import Gateway, Process, Simulator, TooLate, wait_until

MIX = {"delivered": 80.0, "undelivered": 15.0, "rejected": 5.0}
QUIET = "SELECT count(*) FROM slice WHERE state IN (1, 2)"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.chaos")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--only", nargs="*", default=[], metavar="FAULT", help="draw only these")
    given = parser.parse_args()
    deadline = time.monotonic() + 60 * given.minutes
    chance = random.Random(given.seed)
    print(f"seed {given.seed}", flush=True)
    with ground() as home:
        chaos = Chaos(home, chance, given.messages, only=given.only)
        try:
            number = 0
            while number == 0 or time.monotonic() < deadline:
                number += 1
                try:
                    faults = chaos.round(number)
                except TooLate as error:
                    faults = [str(error), chaos.picture()]
                if faults:
                    print("FAILED\n" + "\n".join(faults) + f"\nagain with --seed {given.seed}")
                    return 1
        finally:
            chaos.close()
    print(
        f"{number} rounds, {chaos.sent} messages, {chaos.events.total()} faults, nothing twice, everything accounted for"
    )
    print(f"{chaos.in_doubt} messages in doubt at the end, none of which the SMSC had accepted whole")
    print(", ".join(f"{name} {n}" for name, n in sorted(chaos.events.items())))
    print(machine())
    return 0


class Chaos:
    def __init__(self, home: Path, chance: random.Random, messages: int, *, only: list[str]) -> None:
        from tests import builders

        self.home, self.chance, self.messages = home, chance, messages
        self.simulator = Simulator(home, answer_delay_s=0.01, receipt_delay_s=0.3, receipt_spread_s=0.5, mix=MIX)
        self.connector = builders.make_connector(
            options={
                "host": "127.0.0.1", "port": self.simulator.port, "system_id": "chaos", "window": 60, "gateways": 2,
                "reconnect_min_s": 0.1, "reconnect_max_s": 1.0, "response_timeout_s": 4.0, "pause_min_s": 0.05,
                "pause_max_s": 0.5,
            }
        )  # fmt: skip
        self.only = only
        self.gateways: list[Gateway] = []
        self.workers: list[Process] = []
        self.opening: dict[int, int] = {}
        self.events: Counter[str] = Counter()
        self.sent = self.in_doubt = 0
        self.read = 0  # lines of the simulator's record that earlier rounds accounted for

    def close(self) -> None:
        for process in (*self.gateways, *self.workers, self.simulator):
            process.close()

    # ------------------------------------------------------------------ one round

    def first_number(self, number: int) -> int:
        """Numbers of a round never meet those of another, nor those of its two campaigns each other."""
        return 33_600_000_000 + number * 2 * self.messages

    def round(self, number: int) -> list[str]:
        from tests import builders

        half = self.messages // 2
        account = builders.make_account(balance=self.messages * 300)
        self.opening[account.pk] = account.balance
        first = self.first_number(number)
        short = builders.make_sendable_campaign(
            self.connector, n=self.messages - half, account=account, first_msisdn=first, slice_size=100
        )
        builders.make_sendable_campaign(
            self.connector, n=half, account=account, first_msisdn=first + self.messages, slice_size=100, text="Bonjour " * 30,
            segments=2, price=200,
        )  # fmt: skip
        self.sent += self.messages
        self.start_missing()
        names = self.disturb()
        self.calm()
        wait_until(lambda: self.ask(QUIET) == 0, what=f"round {number}: every slice is done")
        wait_until(self.is_silent, what=f"round {number}: every receipt is told")
        self.tell_again()
        self.settle()
        faults = self.account_for(number)
        print(f"round {number}: {', '.join(names)}; {short.pk}: {'FAILED' if faults else 'well'}", flush=True)
        return faults

    def start_missing(self) -> None:
        while sum(gateway.popen.poll() is None for gateway in self.gateways) < 2:
            self.gateways.append(Gateway(self.home, environ={}))
        if not any(worker.popen.poll() is None for worker in self.workers):
            command = [sys.executable, "-m", "carillon", "worker"]
            self.workers.append(Process(command, log=self.home / "worker.log"))

    def disturb(self) -> list[str]:
        """Three to seven faults at moments of their own."""
        faults: list[Callable[[], None]] = [
            self.kill_gateway, self.kill_gateway, self.kill_worker, self.kill_postmaster, self.freeze_gateway, self.reset,
            self.silence, self.throttle, self.fill_queue, self.hang_up_soon, self.tell_unknown, self.tell_again,
        ]  # fmt: skip
        names = []
        for _ in range(self.chance.randint(3, 7)):
            time.sleep(self.chance.uniform(0.05, 1.2))
            fault = self.chance.choice(faults if not self.only else [f for f in faults if f.__name__ in self.only])
            fault()
            names.append(fault.__name__)
            self.events[fault.__name__] += 1
            self.start_missing()
        return names

    # ------------------------------------------------------------------ faults

    def living(self) -> list[Gateway]:
        return [gateway for gateway in self.gateways if gateway.popen.poll() is None]

    def kill_gateway(self) -> None:
        self.chance.choice(self.living()).kill()

    def kill_worker(self) -> None:
        for worker in self.workers:
            if worker.popen.poll() is None:
                worker.kill()

    def kill_postmaster(self) -> None:
        from django.db import connection

        with contextlib.suppress(OSError, StopIteration):  # none lives now: the last kill was a moment ago
            pid = int(next(iter((self.home / "postgres" / "data" / "postmaster.pid").read_text().split())))
            os.kill(pid, signal.SIGKILL)
        connection.close()

    def freeze_gateway(self) -> None:
        """Longer than its lease: when it wakes, its seat is another's."""
        frozen = self.chance.choice(self.living())
        frozen.pause()
        self.gateways.append(Gateway(self.home, environ={}))
        time.sleep(17.0)
        frozen.go_on()

    def reset(self) -> None:
        self.simulator.ask("drop")

    def silence(self) -> None:
        self.simulator.ask("set", is_mute=True)
        time.sleep(self.chance.uniform(0.5, 6.0))
        self.simulator.ask("set", is_mute=False)
        self.simulator.ask("drop")

    def throttle(self) -> None:
        self.simulator.ask("throttle", count=self.chance.randint(1, 200))

    def fill_queue(self) -> None:
        self.simulator.ask("queue_full", count=self.chance.randint(1, 100))

    def hang_up_soon(self) -> None:
        self.simulator.ask("drop_after", count=self.chance.randint(1, 300))

    def tell_unknown(self) -> None:
        for number in range(20):
            text = f"id:ffff{number:04x} sub:001 dlvrd:001 submit date:2611301200 done date:2611301201 stat:DELIVRD err:000 text:"
            self.simulator.ask("deliver", **{"from": "33799999999", "to": "36184", "text": text, "esm_class": 4})

    def tell_again(self) -> None:
        """Receipts of messages that have one, with another end: the first one wins."""
        for line in self.simulator.recorded()[-30:]:
            text = f"id:{line['id']} sub:001 dlvrd:000 submit date:2611301200 done date:2611301201 stat:UNDELIV err:005 text:"
            if self.ask_status(line["id"]) in (16, 20, 27):
                self.simulator.ask("deliver", **{"from": line["to"], "to": line["from"], "text": text, "esm_class": 4})

    # ------------------------------------------------------------------ the account

    def calm(self) -> None:
        self.simulator.ask("set", is_mute=False, answer_delay_s=0.0)
        self.start_missing()

    def connect(self) -> Any:
        from carillon.gateway.main import connect

        return wait_until(lambda: _try(connect), what="the database answers")

    def ask(self, statement: str) -> Any:
        with self.connect() as connection:
            return connection.execute(statement).fetchone()[0]

    def ask_status(self, carrier_id: str) -> int:
        with self.connect() as connection:
            row = connection.execute(
                "SELECT status FROM submission WHERE carrier_message_id = %s", [carrier_id]
            ).fetchone()
            return int(row[0]) if row else 0

    def is_silent(self) -> bool:
        stats = self.simulator.ask("stats")["stats"]
        return not stats["waiting"] and not stats["scheduled"]

    def picture(self) -> str:
        """What stands still, for a failure's report."""
        questions = (
            "SELECT id, state, is_sending, paused_reason FROM campaign WHERE state = 'INPROGRESS'",
            "SELECT id, campaign_id, state, first_id, cursor_id, last_id, run_id, not_before FROM slice WHERE state IN (1, 2)",
            "SELECT id, seat, tick, lease_until - now(), pid FROM gateway_run WHERE alive",
            "SELECT pid, state, wait_event, left(query, 60), now() - xact_start FROM pg_stat_activity WHERE xact_start IS NOT NULL",
            "SELECT state, state_reason, health FROM connector",
        )
        with self.connect() as connection:
            lines = [str(row) for question in questions for row in connection.execute(question).fetchall()[:20]]
        return "\n".join([*lines, str(self.simulator.ask("stats")), *self.living()[-1].said().splitlines()[-40:]])

    def settle(self) -> None:
        """What the worker does within two minutes, now."""
        from django.db import connection

        from carillon.services import counts, credits, matching

        connection.close()
        wait_until(self.is_silent, what="the repeated receipts are told")
        matching.match_known()
        matching.settle_by_number(after=timedelta())
        while counts.fold() or credits.fold():
            pass
        connection.close()

    def account_for(self, number: int) -> list[str]:
        lines = self.simulator.recorded()[self.read :]
        self.read += len(lines)
        segments = Counter((line["to"], line["header"][-2:]) for line in lines)
        faults = [f"accepted {times} times: {to} {part}" for (to, part), times in segments.items() if times > 1]
        parts = Counter(to for to, _ in segments)
        with self.connect() as connection:
            finding = audit(connection, opening=self.opening)
            faults += finding.faults
            low = self.first_number(number)
            rows = connection.execute(
                "SELECT m.msisdn, m.segments, d.message_id IS NOT NULL,"
                " EXISTS (SELECT 1 FROM submission s WHERE s.message_id = m.id) FROM message m"
                " LEFT JOIN doubt d ON d.message_id = m.id WHERE m.msisdn BETWEEN %s AND %s",
                [low, low + 2 * self.messages - 1],
            ).fetchall()
        for msisdn, wanted, in_doubt, has_rows in rows:
            accepted = parts[str(msisdn)]
            if in_doubt and accepted >= wanted:
                faults.append(f"{msisdn} is in doubt, and the SMSC accepted it whole and told its receipts")
                faults += self.evidence(msisdn, lines)
            if not in_doubt and not has_rows:
                faults.append(f"{msisdn} has no outcome and is not in doubt")
            if not in_doubt and has_rows and accepted < wanted:
                faults.append(f"{msisdn} has an outcome, and the SMSC accepted {accepted} of {wanted} segments")
        self.in_doubt += sum(in_doubt for _, _, in_doubt, _ in rows)
        return faults[:20]

    def evidence(self, msisdn: int, lines: list[dict[str, Any]]) -> list[str]:
        questions = (
            "SELECT 'doubt', * FROM doubt WHERE msisdn = %s",
            "SELECT 'unmatched', * FROM receipt_unmatched WHERE msisdn = %s",
            "SELECT 'row', s.* FROM submission s JOIN message m ON m.id = s.message_id WHERE m.msisdn = %s",
        )
        ids = [line["id"] for line in lines if line["to"] == str(msisdn)]
        with self.connect() as connection:
            found = [str(row) for question in questions for row in connection.execute(question, [msisdn]).fetchall()]
            for carrier_id in ids:
                known = connection.execute("SELECT * FROM submission WHERE carrier_message_id = %s", [carrier_id])
                found += [f"id {carrier_id}: {row}" for row in known.fetchall()] or [f"id {carrier_id}: nowhere"]
        return found


def _try(connect: Callable[[], Any]) -> Any:
    import psycopg

    try:
        return connect()
    except psycopg.OperationalError:
        return None


if __name__ == "__main__":
    raise SystemExit(main())
