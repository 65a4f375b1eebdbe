"""`carillon list …`: recipient lists."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from carillon.config.cli.frame import (
    USAGE,
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

if TYPE_CHECKING:
    from carillon.models import Account, List

COLUMNS = ("id", "name", "state", "lines", "valid", "invalid", "duplicates", "created")


def add_to(commands: Command) -> None:
    verbs = add_noun(commands, "list", help="recipient lists: import, list, delete")
    importing = add_command(
        verbs, "import", with_database(run_import), help="import a CSV, TXT or XLSX file and judge it"
    )
    importing.add_argument("file", type=Path, metavar="FILE")
    importing.add_argument("--account", required=True, metavar="NAME")
    importing.add_argument("--name", default="", metavar="NAME", help="default: the file's name")
    importing.add_argument("--mobile-column", default="", metavar="COLUMN", help="when it is not found by itself")
    add_json(importing)
    listing = add_command(verbs, "list", with_database(run_list), help="list an account's lists")
    listing.add_argument("--account", required=True, metavar="NAME")
    add_json(listing)
    deleting = add_command(verbs, "delete", with_database(run_delete), help="delete a list")
    deleting.add_argument("id", type=int, metavar="ID")
    deleting.add_argument("--account", required=True, metavar="NAME")


def run_import(arguments: argparse.Namespace) -> int:
    from carillon.services import accounts, lists

    account = accounts.by_name(arguments.account)
    item = import_now(account, arguments.file, name=arguments.name, mobile_column=arguments.mobile_column)
    analysis = lists.analysis_json(item)
    if arguments.json:
        print_json(analysis)
    else:
        print_analysis(item.pk, item.name, analysis)
    return 0


def import_now(account: Account, path: Path, *, name: str = "", mobile_column: str = "") -> List:
    """Store and import a file with a progress bar; what cannot be imported leaves no list behind."""
    from carillon.config.cli.progress import Bar
    from carillon.services import list_import, lists

    with readable(path).open("rb") as file:
        item = lists.create_upload(account=account, user=None, file=file, file_name=path.name, name=name, origin="cli")
    try:
        if mobile_column:
            item.mobile_column = lists.look(item, mobile_column=mobile_column).mobile_name
            item.save(update_fields=["mobile_column"])
        with Bar("Importing", unit="bytes") as bar:
            return list_import.import_file(
                item.pk, progress=lambda position, size, rows: bar.at(position, size, f"{rows} rows")
            )
    except BaseException:
        lists.delete(item)
        raise


def readable(path: Path) -> Path:
    if not path.is_file():
        raise Failure(f"{path}: no such file", exit_code=USAGE)
    return path


def print_analysis(list_id: int, name: str, a: dict[str, object]) -> None:
    print(f"List {list_id} '{name}': {a['size']} lines, charset {a['charsetDetected']}")
    print(f"  valid numbers   {a['validNumberMOBILE']}  {countries(a['validCountryCounter'])}")
    print(f"  invalid         {a['invalidNumberMOBILE']}  {lines(a['invalidLineList'])}")
    print(f"  duplicates      {a['countDuplicateMobile']}  {lines(a['lineDuplicateMobile'])}")
    header, empty = a["header"], a["emptyKeys"]
    assert isinstance(header, list) and isinstance(empty, list)
    print(f"  columns         {', '.join(header)}")
    if empty:
        print(f"  sometimes empty {', '.join(empty)}")


def countries(counter: object) -> str:
    assert isinstance(counter, dict)
    return ", ".join(f"{country} {n}" for country, n in counter.items())


def lines(numbers: object) -> str:
    assert isinstance(numbers, list)
    if not numbers:
        return ""
    shown = ", ".join(str(n) for n in numbers[:10])
    return f"line{'s' if len(numbers) > 1 else ''} {shown}{' …' if len(numbers) > 10 else ''}"


def run_list(arguments: argparse.Namespace) -> int:
    from carillon.models import List
    from carillon.services import accounts

    found = List.objects.filter(account=accounts.by_name(arguments.account), deleted_at=None).exclude(
        kind=List.Kind.INLINE
    )
    rows: list[dict[str, object]] = [
        {
            "id": item.pk,
            "name": item.name,
            "state": item.state,
            "lines": item.size,
            "valid": item.valid_count,
            "invalid": item.invalid_count,
            "duplicates": item.duplicate_count,
            "created": item.created_at.isoformat(timespec="seconds"),
        }
        for item in found.order_by("id")
    ]
    print_rows(rows, as_json=arguments.json, columns=COLUMNS)
    return 0


def run_delete(arguments: argparse.Namespace) -> int:
    from carillon.models import List
    from carillon.services import accounts, lists

    account = accounts.by_name(arguments.account)
    item = List.objects.filter(account=account, pk=arguments.id, deleted_at=None).first()
    if item is None:
        raise Failure(f"There is no list {arguments.id} in {account.name}", exit_code=3)
    lists.delete(item)
    say(f"List {item.pk} deleted.")
    return 0
