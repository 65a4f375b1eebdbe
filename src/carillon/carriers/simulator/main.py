"""The simulator as a process of its own: `carillon simulator`, `python -m carillon.carriers.simulator`."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Mapping
from typing import Any

from carillon.carriers.simulator.options import SimulatorOptions, change
from carillon.carriers.simulator.server import serve
from carillon.domain.errors import InvalidInput


def run(
    *,
    host: str = "127.0.0.1",
    port: int = 2775,
    control_port: int | None = None,
    record: str = "",
    changes: Mapping[str, Any] | None = None,
) -> int:
    """Serves until SIGINT or SIGTERM. The control port is the one after `port` unless given. Raises InvalidInput."""
    options = SimulatorOptions(record=record)
    change(options, changes or {})
    if control_port is None:
        control_port = port + 1 if port else 0
    asyncio.run(_serve(host, port, control_port, options))
    return 0


async def _serve(host: str, port: int, control_port: int, options: SimulatorOptions) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    simulator = await serve(host, port, control_port, options)
    sys.stdout.write(f"SMPP on {host}:{simulator.port}, control on {host}:{simulator.control_port}\n")
    sys.stdout.flush()
    await stop.wait()
    await simulator.close()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="carillon simulator", description="An SMSC on loopback speaking SMPP 3.4.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2775, help="SMPP port (2775; 0 takes a free one)")
    parser.add_argument("--control-port", type=int, help="line-JSON port for handsets and faults (the SMPP port + 1)")
    parser.add_argument("--record", default="", metavar="FILE", help="append what is accepted as JSON lines")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="any option, value in JSON")
    given = parser.parse_args(arguments)
    try:
        return run(
            host=given.host,
            port=given.port,
            control_port=given.control_port,
            record=given.record,
            changes=dict(_pair(text) for text in given.set),
        )
    except InvalidInput as error:
        parser.error(error.message)
    except OSError as error:
        sys.stderr.write(f"carillon simulator: {error}\n")
        return 1


def _pair(text: str) -> tuple[str, object]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
