"""`carillon web | links | worker | gateway | simulator`: the processes one by one, for systemd or several machines."""

from __future__ import annotations

import argparse
import os

from carillon.config.cli.frame import Command, add_command, set_up_django, with_database
from carillon.config.cli.gateway import add_to as add_gateway_verbs

SIMULATOR_PORT = 2775
EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 (recognised, not chosen)
WEB_POOL = 10  # connections of each web process


def add_to(commands: Command) -> None:
    web = add_command(commands, "web", run_web, help="serve the web pages and the API")
    add_address(web)
    web.add_argument("--workers", type=int, default=1, metavar="N", help="processes that answer requests (default 1)")
    links = add_command(commands, "links", run_links, help="serve the short links alone, for a machine of their own")
    add_address(links)
    links.add_argument("--workers", type=int, default=1, metavar="N", help="processes that answer requests (default 1)")
    worker = add_command(commands, "worker", with_database(run_worker), help="run background jobs")
    worker.add_argument("--concurrency", type=int, default=4, metavar="N", help="jobs at the same time (default 4)")
    gateway = add_command(commands, "gateway", with_database(run_gateway), help="send messages and receive receipts")
    gateway.add_argument(
        "--connector", action="append", metavar="NAME", help="only this connector; may be repeated (default: all)"
    )
    add_gateway_verbs(gateway)
    simulator = add_command(
        commands, "simulator", run_simulator, help="play an SMSC (SMPP 3.4) for trials, on loopback"
    )
    simulator.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1")
    simulator.add_argument(
        "--port", type=int, default=SIMULATOR_PORT, help=f"0 takes a free one (default {SIMULATOR_PORT})"
    )


def add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1: this machine only)"
    )
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default 8000)")


def tell_address(arguments: argparse.Namespace) -> None:
    """Links in messages and e-mails lead where we listen, unless a public address is given."""
    if arguments.host not in EVERYWHERE:
        host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
        os.environ.setdefault("CARILLON_PUBLIC_URL", f"http://{host}:{arguments.port}")


def run_web(arguments: argparse.Namespace) -> int:
    tell_address(arguments)
    # Each request has a thread of its own, so connections kept by thread would never be used twice.
    os.environ.setdefault("CARILLON_DATABASE_POOL_SIZE", str(WEB_POOL))
    return with_database(_serve)(arguments)


def run_links(arguments: argparse.Namespace) -> int:
    return with_database(_serve_links)(arguments)


def _serve(arguments: argparse.Namespace) -> int:
    return _serve_application("application", arguments)


def _serve_links(arguments: argparse.Namespace) -> int:
    return _serve_application("links", arguments, is_factory=True)


def _serve_application(name: str, arguments: argparse.Namespace, *, is_factory: bool = False) -> int:
    from django.conf import settings

    from carillon.config.web_server import serve

    serve(
        f"carillon.config.asgi:{name}",
        factory=is_factory,
        host=arguments.host,
        port=arguments.port,
        workers=arguments.workers if arguments.workers > 1 else None,
        lifespan="on",  # clicks that wait are stored before the process ends
        proxy_headers=bool(settings.TRUSTED_PROXIES),
        forwarded_allow_ips="*" if settings.TRUSTED_PROXIES else None,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=10,
    )
    return 0


def run_worker(arguments: argparse.Namespace) -> int:
    from carillon.config.worker import run_worker as run

    run(concurrency=arguments.concurrency)
    return 0


def run_gateway(arguments: argparse.Namespace) -> int:
    from carillon.gateway.main import run

    return run(only=arguments.connector)


def run_simulator(arguments: argparse.Namespace) -> int:
    set_up_django()  # for the logging only
    from carillon.carriers.simulator.main import run

    return run(host=arguments.host, port=arguments.port)
