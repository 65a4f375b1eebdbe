"""`carillon domain …`: the short domains of links."""

from __future__ import annotations

import argparse

from carillon.config.cli.frame import Command, add_command, add_json, add_noun, print_rows, say, with_database

COLUMNS = ("name", "account", "default")


def add_to(commands: Command) -> None:
    verbs = add_noun(commands, "domain", help="short domains of links: add, list, remove")
    add = add_command(verbs, "add", with_database(run_add), help="write links with this domain; its DNS must lead here")
    add.add_argument("name", metavar="NAME", help="such as clic-ici.net")
    add.add_argument("--account", metavar="NAME", help="for this account only (default: for all)")
    add.add_argument("--default", action="store_true", help="taken when nobody chooses another")
    listing = add_command(verbs, "list", with_database(run_list), help="list the short domains")
    add_json(listing)
    remove = add_command(verbs, "remove", with_database(run_remove), help="write no more links with it")
    remove.add_argument("name", metavar="NAME")


def run_add(arguments: argparse.Namespace) -> int:
    from carillon.services import accounts, short_domains

    account = accounts.by_name(arguments.account) if arguments.account else None
    made = short_domains.add(arguments.name, account=account, is_default=arguments.default)
    say(f"Links of {account.name if account else 'every account'} may be written with {made.name}.")
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    from carillon.models import ShortDomain

    rows: list[dict[str, object]] = [
        {"name": d.name, "account": d.account.name if d.account else "all", "default": "yes" if d.is_default else "no"}
        for d in ShortDomain.objects.select_related("account").order_by("name")
    ]
    print_rows(rows, as_json=arguments.json, columns=COLUMNS)
    return 0


def run_remove(arguments: argparse.Namespace) -> int:
    from carillon.services import short_domains

    short_domains.remove(arguments.name)
    return 0
