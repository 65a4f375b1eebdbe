"""`carillon optout …`: the log of opt-outs and consents, as evidence."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from carillon.config.cli.frame import (
    Command,
    Failure,
    add_command,
    add_noun,
    database,
    say,
    set_up_django,
    with_database,
)


def add_to(commands: Command) -> None:
    verbs = add_noun(commands, "optout", help="opt-outs and consents: export and verify their log")
    export = add_command(verbs, "export", with_database(run_export), help="write the log as JSON, one entry a line")
    export.add_argument("account", metavar="ACCOUNT", help="name of the account; - for the platform's own")
    verify = add_command(
        verbs, "verify", run_verify, help="check that no entry of the log was changed, removed or put in another order"
    )
    source = verify.add_mutually_exclusive_group(required=True)
    source.add_argument("file", nargs="?", metavar="FILE", help="an export; needs no database")
    source.add_argument("--account", metavar="NAME", help="the log in the database; - for the platform's own")


def run_export(arguments: argparse.Namespace) -> int:
    for entry in _stored(arguments.account):
        print(json.dumps(entry, ensure_ascii=False, sort_keys=True))
    return 0


def run_verify(arguments: argparse.Namespace) -> int:
    """Exit code 9 when the log does not hold."""
    if arguments.account:
        with database():
            return _judge(_stored(arguments.account))
    set_up_django()
    return _judge(_written(Path(arguments.file)))


def _stored(name: str) -> Iterable[dict[str, Any]]:
    from carillon.services import accounts, consents, optouts

    return consents.export(optouts.PLATFORM if name == "-" else accounts.by_name(name).pk)


def _written(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                entry = json.loads(line)
                if not isinstance(entry, dict):
                    raise ValueError(f"line {number} is no entry")
                yield entry
    except (OSError, ValueError) as error:
        raise Failure(f"{path} cannot be read as an export: {error}", exit_code=2) from None


def _judge(entries: Iterable[Mapping[str, Any]]) -> int:
    from carillon.services import consents

    last = consents.GENESIS

    def remembered() -> Iterator[Mapping[str, Any]]:
        nonlocal last
        for entry in entries:
            yield entry
            last = str(entry.get("hash"))

    n, fault = consents.verify(remembered())
    if fault:
        print(f"{n} entries hold, then: {fault}", file=sys.stderr)
        return 9
    say(
        "Every entry holds. Compare the number and the last hash with what you noted before: an end cut off shows only there."
    )
    print(f"{n} {last}")
    return 0
