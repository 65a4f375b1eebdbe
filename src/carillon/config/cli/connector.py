"""`carillon connector …`: the carriers the gateway keeps connections to."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
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
    from carillon.models import Connector

TEST_S = 10.0
COLUMNS = ("id", "name", "kind", "enabled", "state", "reason")


def add_to(commands: Command) -> None:
    verbs = add_noun(commands, "connector", help="connectors: add, set, show, list, test, enable, disable, remove")
    add = add_command(verbs, "add", with_database(run_add), help="add a carrier; asks for its password")
    add.add_argument("name", metavar="NAME")
    add.add_argument(
        "--kind", default="smpp", metavar="KIND", help="smpp, simulator, smsfactor, smsmode, twilio, kannel, generic"
    )
    _add_options(add)
    add_json(add)
    change = add_command(verbs, "set", with_database(run_set), help="change options; KEY= takes one away")
    change.add_argument("name", metavar="NAME")
    _add_options(change)
    show = add_command(verbs, "show", with_database(run_show), help="its options, and the address its provider calls")
    show.add_argument("name", metavar="NAME")
    add_json(show)
    add_json(add_command(verbs, "list", with_database(run_list), help="list the connectors and their state"))
    for verb, handler, sentence in (
        ("test", run_test, "connect once and say what the far end answers"),
        ("enable", run_enable, "let the gateway use it"),
        ("disable", run_disable, "stop using it; what waits on it may go by another"),
        ("remove", run_remove, "remove a connector that has carried nothing"),
    ):
        add_command(verbs, verb, with_database(handler), help=sentence).add_argument("name", metavar="NAME")


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", metavar="H")
    parser.add_argument("--port", type=int, metavar="P")
    parser.add_argument("--system-id", metavar="ID")
    parser.add_argument("--bind", choices=("transceiver", "pair"), help="pair: transmitter and receiver apart")
    parser.add_argument("--binds", type=int, metavar="N", help="connections at once (default 1)")
    parser.add_argument("--window", type=int, metavar="N", help="submits without an answer, for each connection")
    parser.add_argument("--rate", type=float, metavar="SEGMENTS_PER_S", help="most segments a second")
    parser.add_argument("--tls", action="store_true", default=None, help="encrypt, and verify the certificate")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other option of the carrier (docs/carriers.md); KEY=@FILE reads it from a file",
    )
    parser.add_argument("--password-stdin", action="store_true", help="read the password from the first line of stdin")


def options_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options given, under the names the carrier's own options class has."""
    named = ("host", "port", "system_id", "bind", "binds", "window", "rate", "tls")
    options = {key: getattr(arguments, key) for key in named if getattr(arguments, key) is not None}
    for pair in arguments.option:
        key, separator, value = pair.partition("=")
        if not separator:
            raise Failure(f"--option {pair}: write KEY=VALUE", exit_code=USAGE)
        options[key.strip().replace("-", "_")] = _read_file(value[1:]) if value.startswith("@") else value
    return options


def _read_file(name: str) -> str:
    """A secret never stands on the command line, where other users of the machine would see it."""
    try:
        return Path(name).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{name}: {error}", exit_code=USAGE) from None


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
    sealed = registry.SECRET_OPTIONS.get(arguments.kind, ())
    connector = connectors.add(name=arguments.name, kind=arguments.kind, options=options, secret=secret, sealed=sealed)
    if arguments.json:
        print_json(_as_shown(connector))
        return 0
    print(f"Connector {connector.name} ({connector.kind}) added. Try it: carillon connector test {connector.name}")
    _print_callback(connector)
    return 0


def run_set(arguments: argparse.Namespace) -> int:
    from carillon.carriers import registry
    from carillon.services import connectors

    connector = connectors.by_name(arguments.name)
    options = connectors.options_of(connector) | options_of(arguments)
    options = {name: value for name, value in options.items() if value != ""}
    secret = read_password(arguments) if arguments.password_stdin else None
    registry.build(connector.kind, options, connectors.secret_of(connector) if secret is None else secret)
    sealed = registry.SECRET_OPTIONS.get(connector.kind, ())
    connectors.change(connector, options=options, secret=secret, sealed=sealed)
    print(f"Connector {connector.name} changed. The gateway follows within two seconds.")
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    from carillon.services import connectors

    connector = connectors.by_name(arguments.name)
    shown = _as_shown(connector)
    if arguments.json:
        print_json(shown)
        return 0
    print(f"{connector.name} ({connector.kind}): {shown['state']} {connector.state_reason}".rstrip())
    for name, value in sorted(connectors.shown_options(connector).items()):
        print(f"  {name} = {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
    _print_callback(connector)
    return 0


def _as_shown(connector: Connector) -> dict[str, Any]:
    from carillon.services import connectors

    state = (connector.state or "unknown") if connector.is_enabled else "disabled"
    shown = {"id": connector.pk, "name": connector.name, "kind": connector.kind, "state": state}
    return shown | {"options": connectors.shown_options(connector), "callback_url": _callback_of(connector) or None}


def _callback_of(connector: Connector) -> str:
    """What an HTTP provider is to call; "" for the other kinds."""
    from carillon.carriers import registry
    from carillon.services import callbacks, connectors

    if connector.kind not in registry.PROVIDERS:
        return ""
    return str(connectors.options_of(connector).get("callback_url", callbacks.url_of(connector)))


def _print_callback(connector: Connector) -> None:
    from urllib.parse import urlsplit

    address = _callback_of(connector)
    if not address:
        return
    print(f"Receipts and replies: let the provider call {address} (its path is a secret)")
    if urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1"):
        print("Nobody outside this machine reaches that address: set CARILLON_PUBLIC_URL.")


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
    carrier = registry.build(connector.kind, connectors.options_of(connector), connectors.secret_of(connector))
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
