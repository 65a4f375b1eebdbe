"""`carillon token …`: keys of the API."""

from __future__ import annotations

import argparse

from carillon.config.cli.frame import (
    Command,
    Failure,
    add_command,
    add_json,
    add_noun,
    print_json,
    print_rows,
    say,
    with_database,
)

COLUMNS = ("id", "name", "prefix", "user", "account", "scopes", "test", "used", "state")


def add_to(commands: Command) -> None:
    verbs = add_noun(commands, "token", help="API tokens: create, list, revoke")
    create = add_command(
        verbs, "create", with_database(run_create), help="create a token; its secret is shown this once"
    )
    create.add_argument("name", metavar="NAME", help="to recognise it later")
    create.add_argument("--user", required=True, metavar="LOGIN", help="whose rights it has")
    create.add_argument("--account", metavar="NAME", help="one of its sub-accounts (default: the user's own account)")
    create.add_argument("--scope", action="append", default=[], metavar="SCOPE", help="may be repeated (default: all)")
    create.add_argument("--test", action="store_true", help="a test token: sends to simulators only")
    add_json(create)
    listing = add_command(verbs, "list", with_database(run_list), help="list a user's tokens")
    listing.add_argument("--user", required=True, metavar="LOGIN")
    add_json(listing)
    revoke = add_command(verbs, "revoke", with_database(run_revoke), help="end a token")
    revoke.add_argument("id", type=int, metavar="ID")
    revoke.add_argument("--user", required=True, metavar="LOGIN")


def run_create(arguments: argparse.Namespace) -> int:
    from carillon.services import accounts, tokens

    token, secret = tokens.create(
        user=accounts.user_by_login(arguments.user),
        account=accounts.by_name(arguments.account) if arguments.account else None,
        name=arguments.name,
        scopes=arguments.scope,
        is_test=arguments.test,
    )
    if arguments.json:
        print_json({"id": token.pk, "name": token.name, "secret": secret})
    else:
        say(f"Token {token.pk} of {arguments.user}. Its secret, shown only now:")
        print(secret)
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    from carillon.services import accounts, tokens

    rows: list[dict[str, object]] = [
        {
            "id": token.pk,
            "name": token.name,
            "prefix": token.prefix,
            "user": token.user.login,
            "account": token.account.name,
            "scopes": ",".join(token.scopes) or "all",
            "test": "yes" if token.is_test else "no",
            "used": token.used_at.isoformat(timespec="seconds") if token.used_at else "never",
            "state": "revoked" if token.revoked_at else "good",
        }
        for token in tokens.visible(accounts.user_by_login(arguments.user)).select_related("user", "account")
    ]
    print_rows(rows, as_json=arguments.json, columns=COLUMNS)
    return 0


def run_revoke(arguments: argparse.Namespace) -> int:
    from carillon.domain.errors import NotFound
    from carillon.services import accounts, tokens

    try:
        token = tokens.revoke(actor=accounts.user_by_login(arguments.user), token_id=arguments.id)
    except NotFound:
        raise Failure(f"{arguments.user} has no token {arguments.id}.", exit_code=3) from None
    print(f"Token {token.pk} ({token.name}) revoked.")
    return 0
