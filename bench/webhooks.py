"""`make bench-webhooks`: the real gateway at PACE receipts a second with a webhook configured for receipts, and without, in turns.

    python -m bench.webhooks [--runs 3] [--batch 500]      SIZE=100000  PACE=10000 (0: as fast as it goes)  SMSC=host:port

A worker runs all the time. Three kinds of runs follow each other: no webhook; a webhook whose receiver (a process of its own)
answers at once; one whose receiver never answers. Printed: the pace that the gateway keeps, its processor time a message, how
long a notification takes meanwhile, all beside the runs without; events delivered a second, and how long after the last receipt
the last event arrived. Every event must arrive once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from bench.ground import cpu_s, ground, machine, say, size
from bench.processes import Process, Simulator, wait_until
from bench.send import WINDOW, through_everything

KINDS = ("without", "told", "hanging")
Figures = dict[str, float]


class Counter:
    """The receiver's process: answers 204, or never; GET tells how much has come."""

    def __init__(self, *, hangs: bool) -> None:
        self.hangs = hangs
        self.ids: set[str] = set()
        self.events = self.calls = 0
        self.last_at = 0.0

    async def serve(self) -> None:
        server = await asyncio.start_server(self.converse, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET"):
                told = {"events": self.events, "different": len(self.ids), "calls": self.calls, "last_at": self.last_at}
                body = json.dumps(told).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            else:
                length = next(
                    int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                )
                body = await reader.readexactly(length)
                self.calls += 1
                if self.hangs:
                    await asyncio.sleep(3600)
                said = json.loads(body)
                events = said.get("events", [said])
                self.ids.update(event["id"] for event in events)
                self.events += len(events)
                self.last_at = time.time()
                writer.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class Receiver(Process):
    def __init__(self, home: Path, *, hangs: bool) -> None:
        name = "hanging" if hangs else "told"
        arguments = [sys.executable, "-m", "bench.webhooks", "--receiver", name]
        super().__init__(arguments, log=home / f"{name}.log", environ={})
        port = wait_until(lambda: self.said().strip(), what="the receiver listens")
        self.url = f"http://127.0.0.1:{port}/"

    def told(self) -> dict[str, Any]:
        with urllib.request.urlopen(self.url, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.webhooks")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--receiver", choices=KINDS[1:], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.receiver:
        asyncio.run(Counter(hangs=given.receiver == "hanging").serve())
        return
    with ground() as home:
        from django.conf import settings

        os.environ["CARILLON_WEBHOOK_PRIVATE"] = "1"  # for the worker: the receivers are on this machine
        settings.WEBHOOK_PRIVATE = True
        simulator = None if os.environ.get("SMSC") else Simulator(home, receipt_delay_s=0.0, mix={"delivered": 100.0})
        host, _, port = os.environ.get("SMSC", f"127.0.0.1:{simulator.port if simulator else 0}").rpartition(":")
        running: dict[str, Process] = {kind: Receiver(home, hangs=kind == "hanging") for kind in KINDS[1:]}
        running["worker"] = Process([sys.executable, "-m", "carillon", "worker"], log=home / "worker.log", environ={})
        try:
            found: dict[str, list[Figures]] = {kind: [] for kind in KINDS}
            for _ in range(given.runs):
                for kind, figures in found.items():
                    figures.append(one_run(home, host, int(port), kind, running, batch=given.batch))
            conclude(found)
        finally:
            for process in (*running.values(), *([simulator] if simulator else [])):
                process.close()
    print(machine())


def one_run(home: Path, host: str, port: int, kind: str, running: dict[str, Process], *, batch: int) -> Figures:
    from carillon.services import webhooks
    from tests import builders

    total = size(100_000)
    account = builders.make_account(balance=total * 100)
    hook, before = None, {}
    if isinstance(receiver := running.get(kind), Receiver):
        before = receiver.told()
        hook, _ = webhooks.create(account, url=receiver.url, events=["receipt"], batch_size=batch)
    worker = running["worker"].popen.pid
    used = cpu_s(worker)
    pace = int(os.environ.get("PACE", "10000"))
    sent = through_everything(home, host, port, total=total, window=WINDOW, account=account, per_s=pace)
    if kind == "told":
        sent |= delivered(running[kind], before, account.pk)
    sent["worker_cpu_us"] = (cpu_s(worker) - used) / total * 1e6
    if hook is not None:
        webhooks.delete(hook)
    say(kind, **{name: round(value, 2) for name, value in sent.items()})
    return sent


def delivered(receiver: Any, before: dict[str, Any], account_id: int) -> Figures:
    """Waits for every event: one a receipt, and each of these is final."""
    from bench.send import one

    expected = one("SELECT count(*) FROM submission WHERE account_id = %s AND done_at IS NOT NULL", account_id)
    first, last = (
        one(f"SELECT extract(epoch FROM {end}(done_at))::float8 FROM submission WHERE account_id = %s", account_id)
        for end in ("min", "max")
    )
    told = wait_until(
        lambda: (t := receiver.told())["different"] - before["different"] >= expected and t, what="every event arrived"
    )
    assert told["different"] == told["events"], told  # none twice
    return {
        "events": expected, "events_per_s": expected / (told["last_at"] - first), "lag_s": told["last_at"] - last,
        "calls": told["calls"] - before["calls"],
    }  # fmt: skip


def conclude(found: dict[str, list[Figures]]) -> None:
    """Medians, and the ratio of each kind to the runs without a webhook."""
    middle = {
        kind: {name: statistics.median(run[name] for run in runs) for name in runs[0]} for kind, runs in found.items()
    }
    for kind in KINDS[1:]:
        ratio = {name: middle[kind][name] / middle["without"][name] for name in ("rate", "cpu_us", "p50_ms", "p99_ms")}
        say(f"{kind} / without", **ratio)
    say("told", **{name: middle["told"][name] for name in ("rate", "events_per_s", "lag_s", "worker_cpu_us")})


if __name__ == "__main__":
    main()
