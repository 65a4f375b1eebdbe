"""The gateway in several shapes: windows, binds, one process and two, and an SMSC that takes its time.

    make bench-lanes ARGS="[--sink PATH] [--repeat 2]"        SIZE=100000

Each cell is the whole path, committed and durable (bench.send). Without --sink our own simulator plays the SMSC, which is
slower than the gateway; with it, an SMSC stand-in in C that takes smscsink's options. Repeats are interleaved.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from bench.ground import ground, machine, say, size
from bench.processes import Process, Simulator, wait_until
from bench.send import bare_database, bare_protocol, through_everything

CELLS = (  # name, options of the connector, number of processes, answer delay in ms
    ("window 100", {"window": 100}, 1, 0),
    ("window 1000", {"window": 1000}, 1, 0),
    ("window 500, 2 binds", {"window": 500, "binds": 2}, 1, 0),
    ("window 250, 4 binds", {"window": 250, "binds": 4}, 1, 0),
    ("window 1000, 2 gateways", {"window": 1000}, 2, 0),
    ("window 1000, answers after 20 ms", {"window": 1000}, 1, 20),
    ("window 1000, answers after 200 ms", {"window": 1000}, 1, 200),
)
SINK_PORT = 27753


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.lanes")
    parser.add_argument("--sink", type=Path, help="an SMSC stand-in to start for each cell")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--only", default="", help="cells whose name contains this")
    given = parser.parse_args()
    total = size(100_000)
    rates: dict[str, list[float]] = defaultdict(list)
    with ground() as home:
        for _ in range(given.repeat):
            for name, options, gateways, delay_ms in [cell for cell in CELLS if given.only in cell[0]]:
                with smsc(home, given.sink, delay_ms) as port:
                    found = through_everything(home, "127.0.0.1", port, total=total, gateways=gateways, **options)
                rates[name].append(found["rate"])
                say(
                    name, per_s=found["rate"], cpu_us=found["cpu_us"], peak_mb=found["peak_mb"],
                    notification_p50_ms=found["p50_ms"], notification_p99_ms=found["p99_ms"],
                )  # fmt: skip
            if given.only:
                continue
            with smsc(home, given.sink, 0) as port:
                for window in (100, 1000):
                    rates[f"protocol alone, window {window}"].append(bare_protocol(port, total=total, window=window))
            rates["database alone"].append(bare_database(total))
    for name, measured in rates.items():
        say(f"median of {len(measured)}: {name}", per_s=statistics.median(measured))
    print(machine())


@contextlib.contextmanager
def smsc(home: Path, sink: Path | None, delay_ms: int) -> Iterator[int]:
    if sink is None:
        simulator = Simulator(home, receipt_delay_s=0.0, answer_delay_s=delay_ms / 1000, mix={"delivered": 100.0})
        try:
            yield simulator.port
        finally:
            simulator.close()
        return
    command = [str(sink), "--port", str(SINK_PORT), "--dlr", "--quiet", "--latency", str(delay_ms)]
    running = Process(command, log=home / "sink.log")
    try:
        wait_until(lambda: running.popen.poll() is None and listens(SINK_PORT), what="the SMSC stand-in listens")
        yield SINK_PORT
    finally:
        running.close()


def listens(port: int) -> bool:
    import socket

    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
        return True
    return False


if __name__ == "__main__":
    main()
