"""`carillon user …`: who can sign in."""

from __future__ import annotations

import argparse
import getpass
import sys

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

COLUMNS = ("id", "login", "account", "role", "email", "mobile", "active")
ROLES = ("user", "admin", "operator")


def add_to(commands: Command) -> None:
    verbs = add_noun(commands, "user", help="users: create, list, set a password")
    create = add_command(verbs, "create", with_database(run_create), help="create a user; asks for the password")
    create.add_argument("login", metavar="LOGIN", help="usually the e-mail address")
    create.add_argument("--account", required=True, metavar="NAME")
    create.add_argument("--role", choices=ROLES, default="user", help="operator: of the whole platform (default user)")
    create.add_argument("--email", default="", help="default: the login, when it is an address")
    create.add_argument("--mobile", default="")
    create.add_argument("--first-name", default="")
    create.add_argument("--last-name", default="")
    _add_password(create)
    add_json(create)
    password = add_command(verbs, "password", with_database(run_password), help="set a user's password")
    password.add_argument("login", metavar="LOGIN")
    _add_password(password)
    listing = add_command(verbs, "list", with_database(run_list), help="list the users")
    listing.add_argument("--account", metavar="NAME", help="only of this account")
    add_json(listing)


def _add_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--password-stdin", action="store_true", help="read the password from the first line of stdin")


def read_password(arguments: argparse.Namespace) -> str:
    """A secret never stands on the command line, where other users of the machine would see it."""
    if arguments.password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Again: "):
            raise Failure("The two passwords differ.", exit_code=USAGE)
    else:
        raise Failure("Give the password on stdin with --password-stdin.", exit_code=USAGE)
    if not password:
        raise Failure("The password is empty.", exit_code=USAGE)
    return password


def run_create(arguments: argparse.Namespace) -> int:
    from carillon.services import accounts

    user = accounts.create_user(
        arguments.login,
        account=accounts.by_name(arguments.account),
        password=read_password(arguments),
        role=arguments.role,
        email=arguments.email,
        mobile=arguments.mobile,
        first_name=arguments.first_name,
        last_name=arguments.last_name,
    )
    if arguments.json:
        print_json({"id": user.pk, "login": user.login, "account": user.account.name, "role": user.role})
    else:
        print(f"User {user.login} ({user.role}) created in {user.account.name}.")
    return 0


def run_password(arguments: argparse.Namespace) -> int:
    from carillon.services import accounts

    accounts.set_password(accounts.user_by_login(arguments.login), read_password(arguments))
    print(f"Password of {arguments.login} changed.")
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    from carillon.models import User
    from carillon.services import accounts

    users = User.objects.select_related("account").order_by("id")
    if arguments.account:
        users = users.filter(account=accounts.by_name(arguments.account))
    rows: list[dict[str, object]] = [
        {
            "id": user.pk,
            "login": user.login,
            "account": user.account.name,
            "role": user.role,
            "email": user.email,
            "mobile": user.mobile,
            "active": "yes" if user.is_active else "no",
        }
        for user in users
    ]
    print_rows(rows, as_json=arguments.json, columns=COLUMNS)
    return 0
