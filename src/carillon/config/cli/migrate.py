"""`carillon migrate`: bring the tables up to date."""

from __future__ import annotations

import argparse

from carillon.config.cli.frame import Command, add_command, say, set_up_django


def add_to(commands: Command) -> None:
    add_command(commands, "migrate", run_migrate, help="bring the tables of the database up to date, then end")


def run_migrate(_arguments: argparse.Namespace) -> int:
    set_up_django()
    from django.conf import settings

    from carillon.config.migrations import migrate
    from carillon.config.postgres import attach

    attachment = attach(settings.HOME, say=say) if settings.HAS_OWN_DATABASE else None
    try:
        say("The tables are up to date." if migrate() else "The tables were already up to date.")
    finally:
        if attachment is not None:
            from django.db import connections

            connections.close_all()
            attachment.detach()
    return 0
