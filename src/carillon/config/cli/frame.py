"""What every command shares: Django and the database ready, errors as one sentence, exit codes, output as table or JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from carillon.domain.errors import (
    CarillonError,
    CarrierError,
    Conflict,
    Forbidden,
    InsufficientCredit,
    InvalidInput,
    NotFound,
    Refused,
)

type_of_commands = Any  # argparse names its class with an underscore
Command = type_of_commands
Handler = Callable[[argparse.Namespace], int]

BUG = 1
USAGE = 2  # what argparse itself uses
INTERRUPTED = 130  # 128 + SIGINT, as shells say it
EXIT_CODES: dict[int, str] = {
    0: "done",
    BUG: "an unexpected error: a bug; the traceback is on stderr",
    USAGE: "a wrong argument, file or value; nothing was changed",
    3: "no such account, user, list, campaign … for this account",
    4: "not allowed",
    5: "the right request in the wrong state, such as cancelling what was already sent",
    6: "not enough credits",
    7: "the operator's side refused or did not answer",
    8: "PostgreSQL, a setting or the data folder is not usable",
    9: "done, but not everything was delivered (send --wait) or a check failed (connector test)",
    INTERRUPTED: "interrupted by Ctrl-C",
}
EPILOGUE = "exit codes:\n" + "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())

_CODE_OF: tuple[tuple[type[CarillonError], int], ...] = (
    (InvalidInput, USAGE),
    (Refused, USAGE),
    (NotFound, 3),
    (Forbidden, 4),
    (Conflict, 5),
    (InsufficientCredit, 6),
    (CarrierError, 7),
)


class Failure(CarillonError):
    """Ends a command with this sentence and exit code."""

    def __init__(self, message: str, *, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def exit_code_of(error: CarillonError) -> int:
    if isinstance(error, Failure):
        return error.exit_code
    if error.code == "postgres_unavailable":
        return 8
    return next((code for kind, code in _CODE_OF if isinstance(error, kind)), BUG)


def add_command(
    commands: Command, name: str, handler: Handler, *, help: str, **options: Any
) -> argparse.ArgumentParser:
    """A command with its help; the sentence serves in the list and on its own page."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help, **options)
    parser.set_defaults(handler=handler)
    return parser


def add_noun(commands: Command, name: str, *, help: str) -> Command:
    """A noun such as `account`, whose verbs are added to what this gives."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True)


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen command; whatever happens becomes one sentence on stderr and an exit code."""
    handler: Handler = arguments.handler
    os.umask(0o077)  # lists, e-mails, reports: whatever we write holds people's data
    try:
        code = handler(arguments)
        sys.stdout.flush()
        return code
    except CarillonError as error:
        print(f"carillon: {sentence_of(error)}", file=sys.stderr)
        return exit_code_of(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `carillon report 7 | head`: the reader has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if _is_database_gone(error):
            print(f"carillon: PostgreSQL does not answer: {str(error).strip().splitlines()[0]}", file=sys.stderr)
            return 8
        traceback.print_exc()
        print("carillon: this is a bug. Please report it with the lines above.", file=sys.stderr)
        return BUG


def sentence_of(error: CarillonError) -> str:
    place = ""
    if isinstance(error, InvalidInput):
        place = (f"{error.field}: " if error.field else "") + (f"line {error.line}: " if error.line else "")
    return f"{place}{error.message}"


def _is_database_gone(error: Exception) -> bool:
    from django.db import InterfaceError, OperationalError

    return isinstance(error, OperationalError | InterfaceError)


def set_up_django() -> None:
    """Settings read and checked, models loaded. A bad setting ends the command with exit code 8."""
    import django
    from django.core.exceptions import ImproperlyConfigured

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carillon.config.settings")
    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise Failure(str(error), exit_code=8) from None
    except OSError as error:
        raise Failure(f"The data folder cannot be used: {error}. Set CARILLON_HOME to another.", exit_code=8) from None


@contextmanager
def database(*, migrates: bool = False) -> Iterator[None]:
    """Django ready and the database reachable with its tables up to date, for the time of the block.

    Our own PostgreSQL is started when it does not run, and stops with its last user. On a given one (CARILLON_DATABASE_URL)
    tables are changed only by `carillon migrate` and `carillon up`, which set `migrates`.
    """
    set_up_django()
    from django.conf import settings
    from django.db import connections

    from carillon.config.migrations import migrate, pending
    from carillon.config.postgres import attach

    attachment = attach(settings.HOME, say=say) if settings.HAS_OWN_DATABASE else None
    try:
        if pending():
            if attachment is None and not migrates:
                raise Failure("The tables are older than this version: run `carillon migrate`.", exit_code=8)
            migrate()
        yield
    finally:
        connections.close_all()
        if attachment is not None:
            attachment.detach()


def with_database(handler: Handler) -> Handler:
    """Wrap a command that needs the database."""

    def wrapped(arguments: argparse.Namespace) -> int:
        with database():
            return handler(arguments)

    wrapped.__doc__ = handler.__doc__
    return wrapped


def say(sentence: str) -> None:
    """For the person at the terminal, never for the program that reads our output."""
    print(sentence, file=sys.stderr, flush=True)


def print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2, default=_json_of))


def _json_of(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as their widest value; numbers to the right."""
    cells = [[("" if value is None else str(value)) for value in row] for row in rows]
    numeric = [
        bool(cells) and all(row[at].replace(".", "", 1).lstrip("-").isdigit() for row in cells)
        for at in range(len(columns))
    ]
    widths = [max([len(title), *(len(row[at]) for row in cells)]) for at, title in enumerate(columns)]
    for row in [list(columns), *cells]:
        padded = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        print("  ".join(padded).rstrip())


def print_rows(rows: list[dict[str, object]], *, as_json: bool, columns: Sequence[str]) -> None:
    """The same rows as JSON or as a table of the named columns."""
    if as_json:
        print_json(rows)
    elif rows:
        print_table(columns, [[row[column] for column in columns] for row in rows])
    else:
        say("none")


def credits_text(hundredths: int) -> str:
    """Credits with their two decimals, without zeros that say nothing: 1250 → 12.5."""
    return f"{Decimal(hundredths) / 100:f}".rstrip("0").rstrip(".") if hundredths % 100 else str(hundredths // 100)
