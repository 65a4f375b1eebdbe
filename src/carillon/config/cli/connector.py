"""`carillon connector …`: the carriers the gateway keeps connections to."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from carillon.config.cli.frame import (
    USAGE,
    Command,
    Failure,
    add_command,
    add_json,
    add_noun,
    print_json,
    print_rows,
    with_database,
)
from carillon.config.cli.user import read_password

if TYPE_CHECKING:
    from carillon.carriers.base import Carrier, CarrierState
    from carillon.domain.traffic import Answer, Inbound, Outbound, Receipt

TEST_S = 10.0
COLUMNS = ("id", "name", "kind", "enabled", "state", "reason")


def add_to(commands: Command) -> None:
    verbs = add_noun(commands, "connector", help="connectors: add, list, test, enable, disable, remove")
    add = add_command(verbs, "add", with_database(run_add), help="add a carrier; asks for its password")
    add.add_argument("name", metavar="NAME")
    add.add_argument(
        "--kind", default="smpp", metavar="KIND", help="smpp, simulator, smsfactor, smsmode, twilio, kannel, generic"
    )
    add.add_argument("--host", metavar="H")
    add.add_argument("--port", type=int, metavar="P")
    add.add_argument("--system-id", metavar="ID")
    add.add_argument("--bind", choices=("transceiver", "pair"), help="pair: transmitter and receiver apart")
    add.add_argument("--binds", type=int, metavar="N", help="connections at once (default 1)")
    add.add_argument("--window", type=int, metavar="N", help="submits without an answer, for each connection")
    add.add_argument("--rate", type=float, metavar="SEGMENTS_PER_S", help="most segments a second")
    add.add_argument("--tls", action="store_true", default=None, help="encrypt, and verify the certificate")
    add.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other option of the carrier (docs/carriers.md)",
    )
    add.add_argument("--password-stdin", action="store_true", help="read the password from the first line of stdin")
    add_json(add)
    add_json(add_command(verbs, "list", with_database(run_list), help="list the connectors and their state"))
    for verb, handler, sentence in (
        ("test", run_test, "connect once and say what the far end answers"),
        ("enable", run_enable, "let the gateway use it"),
        ("disable", run_disable, "stop using it; what waits on it may go by another"),
        ("remove", run_remove, "remove a connector that has carried nothing"),
    ):
        add_command(verbs, verb, with_database(handler), help=sentence).add_argument("name", metavar="NAME")


def options_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options given, under the names the carrier's own options class has."""
    named = ("host", "port", "system_id", "bind", "binds", "window", "rate", "tls")
    options = {key: getattr(arguments, key) for key in named if getattr(arguments, key) is not None}
    for pair in arguments.option:
        key, separator, value = pair.partition("=")
        if not separator:
            raise Failure(f"--option {pair}: write KEY=VALUE", exit_code=USAGE)
        options[key.strip().replace("-", "_")] = value
    return options


def run_add(arguments: argparse.Namespace) -> int:
    from carillon.carriers import registry
    from carillon.services import connectors

    options = options_of(arguments)
    if arguments.kind == "simulator":
        options = {"host": "127.0.0.1", "port": 2775, "system_id": "carillon"} | options
        secret = read_password(arguments) if arguments.password_stdin else "carillon"
    else:
        secret = read_password(arguments)
    registry.build(arguments.kind, options, secret)  # refuses what cannot be meant
    connector = connectors.add(name=arguments.name, kind=arguments.kind, options=options, secret=secret)
    if arguments.json:
        print_json({"id": connector.pk, "name": connector.name, "kind": connector.kind, "options": connector.options})
    else:
        print(f"Connector {connector.name} ({connector.kind}) added. Try it: carillon connector test {connector.name}")
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    from carillon.models import Connector

    rows: list[dict[str, object]] = [
        {
            "id": c.pk,
            "name": c.name,
            "kind": c.kind,
            "enabled": "yes" if c.is_enabled else "no",
            "state": c.state or "unknown",
            "reason": c.state_reason,
        }
        for c in Connector.objects.order_by("id")
    ]
    print_rows(rows, as_json=arguments.json, columns=COLUMNS)
    return 0


def run_test(arguments: argparse.Namespace) -> int:
    import asyncio

    from carillon.carriers import registry
    from carillon.services import connectors

    connector = connectors.by_name(arguments.name)
    carrier = registry.build(connector.kind, connector.options, connectors.secret_of(connector))
    is_good, sentence = asyncio.run(try_once(carrier))
    print(f"{connector.name}: {sentence}")
    return 0 if is_good else 9


class Listener:
    """A gateway's ear that waits for the first word about the connection and takes nothing else."""

    def __init__(self) -> None:
        import asyncio

        self.said: asyncio.Future[tuple[bool, str]] = asyncio.get_running_loop().create_future()

    def on_state(self, state: CarrierState, reason: str) -> None:
        if self.said.done():
            return
        if state == "bound":
            self.said.set_result((True, "connected; the far end accepts our bind"))
        elif state in ("down", "closed"):
            self.said.set_result((False, reason or "the connection was refused"))

    def on_answers(self, answers: list[Answer]) -> None: ...
    def on_receipts(self, receipts: list[tuple[Receipt, object]]) -> None: ...
    def on_inbounds(self, inbounds: list[tuple[Inbound, object]]) -> None: ...
    def on_written(self, message_ids: list[int]) -> None: ...
    def on_lost(self, message_ids: list[int]) -> None: ...
    def on_unsent(self, messages: list[Outbound]) -> None: ...


async def try_once(carrier: Carrier) -> tuple[bool, str]:
    """Bind and unbind. What waits at the far end stays there: nothing is acknowledged."""
    import asyncio

    listener = Listener()
    await carrier.start(listener)
    try:
        return await asyncio.wait_for(listener.said, TEST_S)
    except TimeoutError:
        return False, f"no answer within {TEST_S:.0f} seconds"
    finally:
        await carrier.close(timeout_s=1.0)


def run_enable(arguments: argparse.Namespace) -> int:
    return _switch(arguments.name, is_enabled=True)


def run_disable(arguments: argparse.Namespace) -> int:
    return _switch(arguments.name, is_enabled=False)


def _switch(name: str, *, is_enabled: bool) -> int:
    from carillon.services import connectors

    connector = connectors.change(connectors.by_name(name), is_enabled=is_enabled)
    print(f"Connector {connector.name} {'enabled' if is_enabled else 'disabled'}.")
    return 0


def run_remove(arguments: argparse.Namespace) -> int:
    from carillon.services import connectors

    connector = connectors.by_name(arguments.name)
    connectors.remove(connector)
    print(f"Connector {arguments.name} removed.")
    return 0
