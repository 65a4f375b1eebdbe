"""`carillon account …`: customers and their credits."""

from __future__ import annotations

import argparse

from carillon.config.cli.arguments import country_list, credit_amount
from carillon.config.cli.frame import (
    Command,
    add_command,
    add_json,
    add_noun,
    credits_text,
    print_json,
    print_rows,
    with_database,
)

COLUMNS = ("id", "name", "parent", "credits", "held", "max_segments", "countries", "weight", "active", "test")


def add_to(commands: Command) -> None:
    verbs = add_noun(commands, "account", help="accounts: create, list, grant credits, weight")
    create = add_command(verbs, "create", with_database(run_create), help="create an account")
    create.add_argument("name", metavar="NAME")
    create.add_argument(
        "--credits", type=credit_amount, default=0, metavar="N", help="credits to start with (default 0)"
    )
    create.add_argument(
        "--max-segments", type=int, choices=range(1, 7), default=1, help="longest message, in SMS (default 1)"
    )
    create.add_argument(
        "--countries", type=country_list, default=[], metavar="FR,BE", help="where it may send (default FR)"
    )
    create.add_argument("--parent", metavar="NAME", help="make it a sub-account of this one")
    create.add_argument(
        "--test", action="store_true", help="a test account: reaches simulators only, may ignore legal hours"
    )
    add_json(create)
    grant = add_command(
        verbs, "grant", with_database(run_grant), help="give credits, or take some back with a negative number"
    )
    grant.add_argument("name", metavar="NAME")
    grant.add_argument("credits", type=credit_amount, metavar="N")
    grant.add_argument("--note", default="", help="why, for the ledger")
    add_json(grant)
    weight = add_command(
        verbs, "weight", with_database(run_weight), help="share of a connector of each of its campaigns beside others'"
    )
    weight.add_argument("name", metavar="NAME")
    weight.add_argument("weight", type=int, metavar="N", help="1 to 100 (default 1)")
    add_json(add_command(verbs, "list", with_database(run_list), help="list the accounts"))


def run_create(arguments: argparse.Namespace) -> int:
    from carillon.services import accounts

    account = accounts.create(
        arguments.name,
        credit=arguments.credits,
        max_segments=arguments.max_segments,
        countries=arguments.countries,
        parent=accounts.by_name(arguments.parent) if arguments.parent else None,
        is_test=arguments.test,
    )
    _print_one(account, as_json=arguments.json, sentence="Account {name} (id {id}) created with {credits} credits.")
    return 0


def run_grant(arguments: argparse.Namespace) -> int:
    from carillon.services import accounts, credits

    account = accounts.by_name(arguments.name)
    credits.grant(account, arguments.credits, note=arguments.note)
    account.refresh_from_db()
    _print_one(account, as_json=arguments.json, sentence="Account {name} now has {credits} credits.")
    return 0


def run_weight(arguments: argparse.Namespace) -> int:
    from carillon.services import account_options, accounts

    account = account_options.update(accounts.by_name(arguments.name), by_operator=True, weight=arguments.weight)
    print(f"Campaigns of {account.name} have weight {account.weight}.")
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    from carillon.models import Account

    rows = [_as_row(account) for account in Account.objects.select_related("parent").order_by("id")]
    print_rows(rows, as_json=arguments.json, columns=COLUMNS)
    return 0


def _print_one(account: object, *, as_json: bool, sentence: str) -> None:
    row = _as_row(account)
    if as_json:
        print_json(row)
    else:
        print(sentence.format(**row))


def _as_row(account: object) -> dict[str, object]:
    from carillon.models import Account

    assert isinstance(account, Account)
    return {
        "id": account.pk,
        "name": account.name,
        "parent": account.parent.name if account.parent else None,
        "credits": credits_text(account.balance),
        "held": credits_text(account.held),
        "max_segments": account.max_segments,
        "countries": ",".join(account.countries) or "FR",
        "weight": account.weight,
        "active": "yes" if account.is_active else "no",
        "test": "yes" if account.is_test else "no",
    }
