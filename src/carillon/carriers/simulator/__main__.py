"""python -m carillon.carriers.simulator --port 2775 --control-port 2776"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys

from carillon.carriers.simulator.options import SimulatorOptions, change
from carillon.carriers.simulator.server import serve
from carillon.domain.errors import InvalidInput


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="carillon simulator", description="An SMSC on loopback speaking SMPP 3.4.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2775, help="SMPP port (2775; 0 takes a free one)")
    parser.add_argument("--control-port", type=int, default=2776, help="line-JSON port for handsets and faults (2776)")
    parser.add_argument("--record", default="", metavar="FILE", help="append what is accepted as JSON lines")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="any option, value in JSON")
    given = parser.parse_args(arguments)
    options = SimulatorOptions(record=given.record)
    try:
        change(options, dict(_pair(text) for text in given.set))
    except InvalidInput as error:
        parser.error(error.message)
    asyncio.run(_run(given.host, given.port, given.control_port, options))
    return 0


def _pair(text: str) -> tuple[str, object]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


async def _run(host: str, port: int, control_port: int, options: SimulatorOptions) -> None:
    simulator = await serve(host, port, control_port, options)
    sys.stdout.write(f"SMPP on {host}:{simulator.port}, control on {host}:{simulator.control_port}\n")
    sys.stdout.flush()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    await simulator.close()


if __name__ == "__main__":
    raise SystemExit(main())
