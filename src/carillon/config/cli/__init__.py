"""The `carillon` command: one module per noun, each with `add_to(commands)`.

Exit codes: see EXIT_CODES in frame.py and docs/cli.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import carillon
from carillon.config.cli import (
    account,
    campaign,
    connector,
    demo,
    domain,
    list,
    migrate,
    optout,
    processes,
    route,
    send,
    token,
    up,
    user,
)
from carillon.config.cli.frame import EPILOGUE, Command, run

NOUNS = (up, processes, migrate, account, user, connector, route, list, send, campaign, domain, optout, token, demo)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="carillon",
        description=carillon.__doc__,
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"carillon {carillon.__version__}")
    commands: Command = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for noun in NOUNS:
        noun.add_to(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    return run(build_parser().parse_args(sys.argv[1:] if arguments is None else arguments))
