"""How fast the bare SMPP client is: no database, receipts acknowledged at once, one core for it.

    python -m bench.protocol [--window 100 1000]        SIZE=200000  SMSC=host:port (default: our own simulator, started beside)

The SMSC must answer and send receipts at once; a stand-in written in C is best, for our simulator is slower than the client and
then is what is measured. Prints messages a second from the first submit to the last receipt, and CPU microseconds a message of
this process.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import re
import resource
import subprocess
import sys
import time
from contextlib import nullcontext

from carillon.carriers.base import CarrierState
from carillon.carriers.smpp.client import SmppCarrier
from carillon.carriers.smpp.options import SmppOptions
from carillon.domain.traffic import Answer, Inbound, Outbound, Receipt

TEXT = "Bonjour Jacqueline, votre rendez-vous est confirmé demain à 10 h. Répondez STOP"


class CountingSink:
    def __init__(self, total: int) -> None:
        self.carrier: SmppCarrier
        self.total = total
        self.handed = self.answers = self.receipts = 0
        self.ids: set[str] = set()
        self.bound, self.done = asyncio.Event(), asyncio.Event()

    def refill(self) -> None:
        count = min(self.carrier.room(), self.total - self.handed)
        if count > 0:
            start = self.handed
            self.handed += count
            self.carrier.submit([Outbound(start + n, 33612000000 + start + n, TEXT, "CARILLON") for n in range(count)])

    def on_answers(self, answers: list[Answer]) -> None:
        self.answers += len(answers)
        self.ids.update(answer.carrier_message_id for answer in answers)
        self.refill()

    def on_receipts(self, receipts: list[tuple[Receipt, object]]) -> None:
        self.receipts += len(receipts)
        self.carrier.acknowledge([ack for _, ack in receipts])
        if self.receipts >= self.total:
            self.done.set()

    def on_inbounds(self, inbounds: list[tuple[Inbound, object]]) -> None:
        self.carrier.acknowledge([ack for _, ack in inbounds])

    def on_written(self, message_ids: list[int]) -> None:
        pass

    def on_lost(self, message_ids: list[int]) -> None:
        sys.exit(f"{len(message_ids)} messages in doubt: {self.carrier.health.reason}")

    def on_unsent(self, messages: list[Outbound]) -> None:
        sys.exit(f"{len(messages)} messages given back: {self.carrier.health.reason}")

    def on_state(self, state: CarrierState, reason: str) -> None:
        if state is CarrierState.BOUND:
            self.bound.set()


async def run(host: str, port: int, *, messages: int, window: int) -> None:
    carrier = SmppCarrier(SmppOptions(host=host, port=port, system_id="bench", window=window))
    sink = CountingSink(messages)
    sink.carrier = carrier
    await carrier.start(sink)
    await sink.bound.wait()
    cpu, started = time.process_time(), time.perf_counter()
    sink.refill()
    async with asyncio.timeout(600):
        await sink.done.wait()
    elapsed, used = time.perf_counter() - started, time.process_time() - cpu
    await carrier.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(
        f"window {window:5}  {messages / elapsed:9,.0f} msg/s with receipts  {used / messages * 1e6:5.1f} µs CPU/msg  "
        f"answers {sink.answers} distinct ids {len(sink.ids)} receipts {sink.receipts}  peak {peak} MiB\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--window", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--profile", metavar="FILE", help="write a cProfile of the last run")
    given = parser.parse_args()
    messages = int(os.environ.get("SIZE", "200000"))
    host, _, port = os.environ.get("SMSC", "").rpartition(":")
    server = None
    if not port:
        server, host, port = start_simulator()
    try:
        for window in given.window:
            with cProfile.Profile() if given.profile else nullcontext() as profile:
                asyncio.run(run(host, int(port), messages=messages, window=window))
            if profile is not None:
                profile.dump_stats(given.profile)
    finally:
        if server is not None:
            server.terminate()
            server.wait()
    sys.stdout.write(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}\n")


def start_simulator() -> tuple[subprocess.Popen[bytes], str, str]:
    command = [sys.executable, "-m", "carillon.carriers.simulator", "--port", "0", "--control-port", "0"]
    command += ["--set", "receipt_delay_s=0", "--set", 'mix={"delivered":1}']
    server = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert server.stdout is not None
    found = re.match(rb"SMPP on (\S+):(\d+),", server.stdout.readline())
    assert found is not None
    return server, found[1].decode(), found[2].decode()


if __name__ == "__main__":
    main()
