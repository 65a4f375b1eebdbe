"""`carillon migrate`: bring the tables up to date."""

from __future__ import annotations

import argparse

from carillon.config.cli.frame import Command, add_command, database, say


def add_to(commands: Command) -> None:
    add_command(commands, "migrate", run_migrate, help="bring the tables of the database up to date, then end")


def run_migrate(_arguments: argparse.Namespace) -> int:
    with database(migrates=True):
        say("The tables are up to date.")
    return 0
