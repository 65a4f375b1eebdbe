"""`carillon up`: everything in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import os

from carillon.config.cli.frame import Command, Failure, add_command, database, say
from carillon.config.cli.processes import SIMULATOR_PORT, add_address, tell_address


def add_to(commands: Command) -> None:
    up = add_command(
        commands, "up", run_up, help="start PostgreSQL, web, worker, gateway and simulator; Ctrl-C stops them"
    )
    add_address(up)
    up.add_argument("--simulator-port", type=int, default=SIMULATOR_PORT, metavar="PORT", help="default 2775")
    up.add_argument("--no-simulator", action="store_true", help="do not start the SMSC simulator")
    up.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that answer web requests (default 1)"
    )
    up.add_argument(
        "--demo", action="store_true", help="make a demo account and send the example campaign to the simulator"
    )
    up.add_argument("--once", action="store_true", help="with --demo: end when the report is written")


def run_up(arguments: argparse.Namespace) -> int:
    tell_address(arguments)
    if arguments.demo:
        os.environ.setdefault("CARILLON_DEMO_MAILBOX", "yes")  # the children's: sign-in codes are read at /mailbox/
        os.environ.setdefault("CARILLON_WEBHOOK_PRIVATE", "yes")  # a receiver on this machine may be told
    with database(migrates=True):
        return asyncio.run(_supervise(arguments))


async def _supervise(arguments: argparse.Namespace) -> int:
    from django.conf import settings

    from carillon.config.supervisor import Supervisor

    await _check_free(arguments.host, arguments.port, option="--port")
    if not arguments.no_simulator:
        for port in (arguments.simulator_port, arguments.simulator_port + 1):  # the second is its control port
            await _check_free("127.0.0.1", port, option="--simulator-port")
    supervisor = Supervisor(home=settings.HOME, watches_postgres=settings.HAS_OWN_DATABASE)
    if not arguments.no_simulator:
        supervisor.add("simulator", ["simulator", "--port", str(arguments.simulator_port)])
    supervisor.add("gateway", ["gateway"])
    supervisor.add("worker", ["worker"])
    web = ["web", "--host", arguments.host, "--port", str(arguments.port), "--workers", str(arguments.workers)]
    supervisor.add("web", web)
    if arguments.demo:
        demo = [
            "demo",
            "--simulator-port",
            str(arguments.simulator_port),
            "--web",
            f"http://{arguments.host}:{arguments.port}",
        ]
        supervisor.add_once("demo", demo, ends_everything=arguments.once)
    say(f"Carillon: http://{arguments.host}:{arguments.port} · data in {settings.HOME} · Ctrl-C stops everything")
    return await supervisor.run()


async def _check_free(host: str, port: int, *, option: str) -> None:
    """Say at once that a port is taken, instead of a child that dies again and again."""
    try:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), host, port)
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise Failure(
            f"Cannot listen on {host} port {port}: {reason}. Choose another with {option}.", exit_code=8
        ) from None
    server.close()
    await server.wait_closed()
