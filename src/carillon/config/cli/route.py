"""`carillon route …` and `carillon tariff …`: which connector carries what, and what a country costs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from carillon.config.cli.arguments import credit_amount
from carillon.config.cli.frame import (
    USAGE,
    Command,
    Failure,
    add_command,
    add_json,
    add_noun,
    credits_text,
    print_json,
    print_rows,
    with_database,
)

if TYPE_CHECKING:
    from carillon.services.routes import Candidate, Considered, Explanation

COLUMNS = ("id", "name", "priority", "connector", "traffic", "country", "prefix", "account", "weight", "enabled")


def add_to(commands: Command) -> None:
    verbs = add_noun(commands, "route", help="routes: add, list, explain, remove")
    add = add_command(verbs, "add", with_database(run_add), help="add a rule; what is not given matches everything")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--connector", required=True, metavar="NAME")
    add.add_argument(
        "--priority", type=int, default=100, metavar="N", help="the lowest that matches wins (default 100)"
    )
    add.add_argument("--traffic", choices=("MKG", "NOTIFICATION"), default="")
    add.add_argument("--country", default="", metavar="FR")
    add.add_argument("--prefix", default="", metavar="3367", help="E.164 digits without +")
    add.add_argument("--account", metavar="NAME")
    add.add_argument("--weight", type=int, default=1, metavar="N", help="share among equals (default 1)")
    add.add_argument(
        "--cost",
        type=credit_amount,
        default=0,
        metavar="N",
        help="what the carrier asks: the cheapest of a priority wins",
    )
    add_json(add_command(verbs, "list", with_database(run_list), help="list the rules in the order they are tried"))
    explain = add_command(verbs, "explain", with_database(run_explain), help="which connector a number takes, and why")
    explain.add_argument("number", metavar="NUMBER")
    explain.add_argument("--account", metavar="NAME")
    explain.add_argument("--traffic", choices=("MKG", "NOTIFICATION"), default="MKG")
    add_json(explain)
    add_command(verbs, "remove", with_database(run_remove), help="remove a rule").add_argument("name", metavar="NAME")
    tariffs = add_noun(commands, "tariff", help="tariffs: set, list")
    setting = add_command(tariffs, "set", with_database(run_tariff_set), help="what a segment to a country costs")
    setting.add_argument("country", metavar="FR")
    setting.add_argument("price", type=credit_amount, metavar="CREDITS")
    setting.add_argument("--account", metavar="NAME", help="only for this account")
    add_json(add_command(tariffs, "list", with_database(run_tariff_list), help="list the tariffs"))


def run_add(arguments: argparse.Namespace) -> int:
    from carillon.services import accounts, connectors, routes

    route = routes.add_route(
        name=arguments.name,
        connector=connectors.by_name(arguments.connector),
        priority=arguments.priority,
        traffic=arguments.traffic,
        country=arguments.country,
        prefix=arguments.prefix.lstrip("+"),
        account=accounts.by_name(arguments.account) if arguments.account else None,
        weight=arguments.weight,
        cost=arguments.cost,
    )
    print(f"Route {route.name} to {route.connector.name} added.")
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    from carillon.models import Route

    rows: list[dict[str, object]] = [
        {
            "id": r.pk,
            "name": r.name,
            "priority": r.priority,
            "connector": r.connector.name,
            "traffic": r.traffic or "any",
            "country": r.country or "any",
            "prefix": r.prefix or "any",
            "account": r.account.name if r.account else "any",
            "weight": r.weight,
            "enabled": "yes" if r.is_enabled else "no",
        }
        for r in Route.objects.select_related("connector", "account")
    ]
    print_rows(rows, as_json=arguments.json, columns=COLUMNS)
    return 0


def run_explain(arguments: argparse.Namespace) -> int:
    from carillon.domain import msisdn as numbers
    from carillon.models import Account
    from carillon.services import accounts, routes

    parsed = numbers.parse(arguments.number)
    if parsed.msisdn is None:
        raise Failure(f"'{arguments.number}' is not a telephone number", exit_code=USAGE)
    account = accounts.by_name(arguments.account) if arguments.account else Account(name="(any account)")
    router = routes.Router.load(account)
    found = router.explain(country=parsed.country, msisdn=parsed.msisdn, traffic=arguments.traffic)
    price = routes.tariff_of(account).get(parsed.country)
    cost = "no tariff: status 19" if price is None else f"{credits_text(price)} credit(s) a segment"
    if arguments.json:
        print_json(
            {
                "number": f"+{parsed.msisdn}",
                "country": parsed.country,
                "connector": found.connector,
                "rule": _rule(found.chosen),
                "why": _why(found),
                "tariff": price,
                "considered": [_line(one) for one in found.considered],
            }
        )
    else:
        print(f"+{parsed.msisdn} ({parsed.country}, {arguments.traffic}): {found.connector or 'nothing carries it'}")
        print(f"  rule: {_rule(found.chosen) or '-'} · {_why(found)} · {cost}")
        for one in found.considered:
            print(f"  {_line(one)}")
    return 0 if found.connector and price is not None else 9


def _rule(candidate: Candidate | None) -> str:
    return (candidate.rule or "(no route: any connector)") if candidate else ""


def _why(found: Explanation) -> str:
    if found.chosen is None:
        if found.considered:
            return "no rule matches"
        return "no connector is enabled (simulators serve test accounts only)"
    why = f"lowest priority that matches ({found.chosen.priority})"
    if found.chosen.cost:
        why += f", cheapest of it ({credits_text(found.chosen.cost)})"
    if found.sharing > 1:
        why += f", shared by weight among {found.sharing} connectors"
    if not found.chosen.is_up:
        why += "; it is down, and so is every other match: its messages wait"
    return why


def _line(one: Considered) -> str:
    c = one.candidate
    way = f"{_rule(c)} → {c.connector}"
    if not one.wanted:
        return f"{way}: matches (priority {c.priority}{'' if c.is_up else ', down'})"
    return f"{way}: no, wants {', '.join(f'{name} {value}' for name, value in one.wanted.items())}"


def run_remove(arguments: argparse.Namespace) -> int:
    from carillon.models import Route

    deleted, _ = Route.objects.filter(name=arguments.name).delete()
    if not deleted:
        raise Failure(f"There is no route named '{arguments.name}'", exit_code=3)
    print(f"Route {arguments.name} removed.")
    return 0


def run_tariff_set(arguments: argparse.Namespace) -> int:
    from carillon.services import accounts, routes

    account = accounts.by_name(arguments.account) if arguments.account else None
    row = routes.set_tariff(country=arguments.country, price=arguments.price, account=account)
    print(f"A segment to {row.country} costs {credits_text(row.price)} credit(s).")
    return 0


def run_tariff_list(arguments: argparse.Namespace) -> int:
    from carillon.models import Tariff

    rows: list[dict[str, object]] = [
        {
            "country": t.country,
            "medium": t.medium,
            "account": t.account.name if t.account else "any",
            "credits": credits_text(t.price),
        }
        for t in Tariff.objects.select_related("account").order_by("medium", "country", "account_id")
    ]
    print_rows(rows, as_json=arguments.json, columns=("country", "medium", "account", "credits"))
    return 0
