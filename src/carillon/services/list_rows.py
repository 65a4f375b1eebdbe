"""The rows of a list: numbers added and removed, lists merged and put together.

Rows keep their line for life: a report says "line 10" of the file the person knows. After a change the first row of each
number is the valid one, the others are duplicates, and the list's figures are counted again: at once for a short list, by a
job for a long one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from carillon.domain.errors import Conflict, InvalidInput, NotFound
from carillon.domain.fields import fold
from carillon.domain.msisdn import Parsed, parse
from carillon.domain.recipients import DUPLICATE, MALFORMED, VALID, Analysis, Judge, Judged, Layout, Rows
from carillon.domain.recipients.layout import find_email_column, find_postcode_column, is_mobile_name
from carillon.models import List, Recipient, User
from carillon.models.accounts import Actor
from carillon.services import ids, lists, routes
from carillon.services.deferral import defer
from carillon.services.list_copy import copy_rows, copy_text

BATCH = 4096
REFRESHED_AT_ONCE = 20_000  # rows counted in the request itself: 0.2 s
MAX_ADDED = 5_000  # beyond that it is a file

_REJUDGE = """
    UPDATE recipient r SET verdict = CASE WHEN ranked.place = 1 THEN 1 ELSE 4 END
    FROM (SELECT id, row_number() OVER (PARTITION BY msisdn ORDER BY line, id) AS place FROM recipient
          WHERE account_id = %(account)s AND list_id = %(list)s AND verdict IN (1, 4)) ranked
    WHERE r.account_id = %(account)s AND r.id = ranked.id
      AND r.verdict <> CASE WHEN ranked.place = 1 THEN 1 ELSE 4 END
"""


def rows_of(item: List, *, verdict: int | None = None) -> QuerySet[Recipient]:
    """Rows in the order of their lines, to be sliced. Pages and searches of long lists: services.list_search."""
    found = Recipient.objects.filter(account_id=item.account_id, list_id=item.pk).order_by("id")
    return found if verdict is None else found.filter(verdict=verdict)


def batches(item: List, *, verdict: int | None = None) -> Iterator[list[tuple[Any, ...]]]:
    """(id, line, msisdn, country, verdict, fields) by key, 4,096 at a time: a million rows never stand in memory."""
    last = 0
    only = "" if verdict is None else f" AND verdict = {int(verdict)}"
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, line, msisdn, country, verdict, fields FROM recipient"  # noqa: S608  an integer of ours
                f" WHERE list_id = %s AND id > %s{only} ORDER BY list_id, id LIMIT %s",
                [item.pk, last, BATCH],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        last = rows[-1][0]
        yield rows


@transaction.atomic
def add_rows(item: List, rows: Sequence[Mapping[str, str]]) -> List:
    """Add rows ({column: value}, columns matched whatever the case and accents; unknown ones are refused) at the end."""
    if not 0 < len(rows) <= MAX_ADDED:
        raise InvalidInput(f"Give 1 to {MAX_ADDED} rows; import a file for more", field="rows", code="row_count")
    fresh = _lock(item)
    table = [_placed(fresh.header, row, fresh.mobile_column) for row in rows]
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(max(line), 0) FROM recipient WHERE list_id = %s", [fresh.pk])
        line = cursor.fetchone()[0] + 1
    layout = _layout(fresh)
    judged = Judge(layout, default_country=lists.default_country(fresh.account)).judge(
        Rows(range(line, line + len(table)), table)
    )
    first_id = ids.take_block("recipient", len(table))
    with connection.cursor() as cursor:
        copy_rows(cursor, [copy_text(fresh, judged, first_id)])
    return _changed(fresh)


def add_numbers(item: List, numbers: Iterable[str]) -> List:
    """Numbers alone, in any written form; the other columns stay empty."""
    return add_rows(item, [{item.mobile_column: number} for number in numbers if number.strip()])


@transaction.atomic
def remove_rows(item: List, row_ids: Sequence[int]) -> int:
    """How many were removed."""
    fresh = _lock(item)
    removed = _delete(fresh, "id = ANY(%s)", list(row_ids))
    if removed:
        _changed(fresh)
    return removed


@transaction.atomic
def remove_numbers(item: List, numbers: Iterable[str]) -> int:
    """Every row of these numbers, written in any form."""
    fresh = _lock(item)
    country = lists.default_country(fresh.account)
    wanted = [number for raw in numbers if (number := parse(raw, country).msisdn) is not None]
    removed = _delete(fresh, "msisdn = ANY(%s)", wanted)
    if removed:
        _changed(fresh)
    return removed


@transaction.atomic
def deduplicate(item: List) -> int:
    """Remove the rows whose number already stands in the list; how many."""
    fresh = _lock(item)
    removed = _delete(fresh, "verdict = ANY(%s)", [DUPLICATE])
    if removed:
        _changed(fresh)
    return removed


def _delete(item: List, condition: str, values: list[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM recipient WHERE account_id = %s AND list_id = %s AND {condition}",  # noqa: S608  three constants above
            [item.account_id, item.pk, values],
        )
        return int(cursor.rowcount)


@transaction.atomic
def merge(actor: Actor, sources: Sequence[List], *, name: str, user: User | None = None) -> List:
    """A new list with the rows of all, in order. Columns equal but for case and accents become one; numbers are judged anew."""
    if len(sources) < 2 or len({source.account_id for source in sources}) > 1:
        raise InvalidInput("Choose at least two lists of the same account", field="lists", code="lists_to_merge")
    for source in sources:
        _check_ready(lists.get(actor, source.pk))
    mobile = sources[0].mobile_column
    header = [mobile]
    places: dict[str, int] = {fold(mobile): 0}
    for source in sources:
        for column in source.header:
            if column != source.mobile_column and fold(column) not in places:
                places[fold(column)] = len(header)
                header.append(column)
    item = List.objects.create(
        account=sources[0].account, user=user or actor, name=lists._checked_name(name), header=header,
        mobile_column=mobile, state=List.State.READY,
    )  # fmt: skip
    judge = Judge(_layout(item), default_country=lists.default_country(item.account))
    line = 1
    for source in sources:
        columns = [0 if c == source.mobile_column else places[fold(c)] for c in source.header]
        for rows in batches(source):
            line = _append(item, judge, [_moved(row[5], columns, len(header)) for row in rows], line)
    return refresh(item.pk)


def _moved(fields: Sequence[str], columns: Sequence[int], width: int) -> list[str]:
    row = [""] * width
    for value, column in zip(fields, columns, strict=False):
        row[column] = value
    return row


def _append(item: List, judge: Judge, table: list[list[str]], line: int) -> int:
    judged = judge.judge(Rows(range(line, line + len(table)), table))
    first_id = ids.take_block("recipient", len(table))
    with connection.cursor() as cursor:
        copy_rows(cursor, [copy_text(item, judged, first_id)])
    return line + len(table)


@transaction.atomic
def create_virtual(
    actor: Actor,
    *,
    name: str,
    members: Sequence[List] = (),
    rows: Sequence[Mapping[str, str]] = (),
    user: User | None = None,
) -> List:
    """A list of lists and/or single recipients (type VIRTUAL). `rows` name their mobile column "mobile" or as the guides do."""
    if not members and not rows:
        raise InvalidInput("Choose at least one list or one recipient", field="lists", code="nothing_chosen")
    chosen = [lists.get(actor, member.pk) for member in members]
    account = chosen[0].account if chosen else (actor.account if actor else None)
    if account is None or any(member.account_id != account.pk for member in chosen):
        raise NotFound("There is no such list", code="list_not_found")
    if any(member.kind == List.Kind.VIRTUAL for member in chosen):
        raise InvalidInput("A list of lists cannot hold another one", field="lists", code="nested_list")
    columns = list(dict.fromkeys(column for row in rows for column in row))
    mobile = next((column for column in columns if is_mobile_name(column)), "mobile")
    if mobile not in columns:
        columns.insert(0, mobile)
    item = List.objects.create(
        account=account, user=user or actor, name=lists._checked_name(name), kind=List.Kind.VIRTUAL, header=columns,
        mobile_column=mobile, state=List.State.READY,
    )  # fmt: skip
    item.members.set(chosen)
    return add_rows(item, rows) if rows else refresh(item.pk)


@transaction.atomic
def refresh(list_id: int) -> List:
    """Count the list again from its rows: figures and analysis."""
    item = List.objects.select_for_update(of=("self",)).select_related("account").get(pk=list_id)
    analysis = Analysis(_layout(item))
    for rows in batches(item):
        numbers = [Parsed(row[2], row[3], row[4] != MALFORMED) for row in rows]
        table = [_moved(row[5], range(len(item.header)), len(item.header)) for row in rows]
        analysis.add(Judged(Rows([row[1] for row in rows], table), numbers, [row[4] for row in rows]))
    item.analysis = analysis.to_json(allowed_countries=routes.allowed_countries(item.account))
    item.analysis["_more"] = analysis.more_json()
    item.size, item.valid_count = analysis.size, analysis.valid
    item.invalid_count, item.duplicate_count = analysis.invalid, analysis.duplicates
    item.save()
    return item


def _changed(item: List) -> List:
    with connection.cursor() as cursor:
        cursor.execute(_REJUDGE, {"account": item.account_id, "list": item.pk})
        cursor.execute("SELECT verdict, count(*) FROM recipient WHERE list_id = %s GROUP BY verdict", [item.pk])
        counts = dict(cursor.fetchall())
    item.size = sum(counts.values())
    item.invalid_count, item.duplicate_count = counts.get(MALFORMED, 0), counts.get(DUPLICATE, 0)
    item.valid_count = counts.get(VALID, 0) + item.duplicate_count
    item.save()
    if item.size <= REFRESHED_AT_ONCE:
        return refresh(item.pk)
    defer("lists.refresh", list_id=item.pk, lock=f"list-{item.pk}", queueing_lock=f"list-refresh-{item.pk}")
    return item


def totals(item: List) -> dict[str, int]:
    """size, valid, invalid, duplicates: of the list, and of its members when it is a list of lists."""
    parts = [item, *item.members.filter(deleted_at=None)] if item.kind == List.Kind.VIRTUAL else [item]
    return {
        "size": sum(part.size for part in parts),
        "valid": sum(part.valid_count for part in parts),
        "invalid": sum(part.invalid_count for part in parts),
        "duplicates": sum(part.duplicate_count for part in parts),
    }


def _lock(item: List) -> List:
    fresh = List.objects.select_for_update(of=("self",)).select_related("account").filter(pk=item.pk).first()
    if fresh is None or fresh.deleted_at is not None:
        raise NotFound(f"There is no list {item.pk}", code="list_not_found")
    return _check_ready(fresh)


def _check_ready(item: List) -> List:
    if item.state != List.State.READY:
        raise Conflict(f"The list '{item.name}' is not imported yet", code="list_not_ready")
    return item


def _layout(item: List) -> Layout:
    layout = Layout(
        "csv", item.charset, item.delimiter, item.has_header, item.header, item.header.index(item.mobile_column)
    )
    layout.email_column = find_email_column(item.header)
    layout.postcode_column = find_postcode_column(item.header)
    return layout


def _placed(header: Sequence[str], row: Mapping[str, str], mobile: str) -> list[str]:
    places = {fold(column): index for index, column in reversed(list(enumerate(header)))}
    placed = [""] * len(header)
    for name, value in row.items():
        index = header.index(name) if name in header else places.get(fold(name))
        if index is None and is_mobile_name(name):
            index = header.index(mobile)
        if index is None:
            raise InvalidInput(f"The list has no column {name!r}", field=name, code="no_such_column")
        placed[index] = str(value)
    return placed
