"""Looking through a list of a million rows: its pages, and the rows of a name or a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from carillon.domain.msisdn import parse
from carillon.models import List, Recipient
from carillon.services.long_lists import Chosen, Turned

MOST = 1_000  # rows found by a search; who needs more gives more letters
WINDOW = 20_000  # ids looked at first; four times as many each time after

BY_NUMBER = "SELECT id FROM recipient WHERE list_id = %s AND msisdn = %s ORDER BY id LIMIT %s"
BY_WORD = """
SELECT id FROM recipient WHERE list_id = %(list)s AND id BETWEEN %(first)s AND %(last)s
  AND (array_to_string(fields, ' ') ILIKE %(word)s OR msisdn::text LIKE %(digits)s)
ORDER BY list_id, id LIMIT %(limit)s
"""


class Rows(Turned):
    """Every row in the order of their lines. The ids of a page come from the index alone, wherever it stands."""

    def __init__(self, item: List) -> None:
        self._item = item

    def __len__(self) -> int:
        """The list's own figure, unless it is short enough to be counted again."""
        if self._item.size > WINDOW:
            return self._item.size
        return int(_query("SELECT count(*) FROM recipient WHERE list_id = %s", [self._item.pk])[0])

    def part(self, low: int, high: int) -> list[Recipient]:
        sql = "SELECT id FROM recipient WHERE list_id = %s ORDER BY list_id, id OFFSET %s LIMIT %s"
        return read(self._item, _query(sql, [self._item.pk, low, max(high - low, 0)]))


def pages(item: List, *, text: str = "") -> Turned:
    """What a Paginator turns over: every row, or those `find` gives."""
    return find(item, text) if text.strip() else Rows(item)


def find(item: List, text: str, *, most: int = MOST) -> Chosen:
    """Rows with `text` in any field, or with that number or part of it; the first `most` in the order of their lines."""
    number = parse(text).msisdn
    ids = _query(BY_NUMBER, [item.pk, number, most + 1]) if number is not None else []
    return Chosen(ids or _by_word(item, text.strip(), most + 1), lambda some: read(item, some), most=most)


def read(item: List, ids: Sequence[int]) -> list[Recipient]:
    return list(Recipient.objects.filter(account_id=item.account_id, list_id=item.pk, id__in=ids).order_by("id"))


def _by_word(item: List, text: str, limit: int) -> list[int]:
    """Growing stretches of ids: what is frequent is found at once, whatever the list's size."""
    sql = "SELECT id FROM recipient WHERE list_id = %s ORDER BY list_id {0}, id {0} LIMIT 1"
    ends = _query(sql.format("ASC"), [item.pk]) + _query(sql.format("DESC"), [item.pk])
    if not ends:
        return []
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    digits = digits_of(text)
    values = {"list": item.pk, "word": f"%{escaped}%", "digits": f"%{digits}%" if digits else None}
    found: list[int] = []
    start, last = ends
    length = WINDOW
    while start <= last and len(found) < limit:
        end = min(start + length - 1, last)
        found += _query(BY_WORD, values | {"first": start, "last": end, "limit": limit - len(found)})
        start, length = end + 1, length * 4
    return found


def digits_of(text: str) -> str:
    """What to look for in E.164 numbers: "06 12 34" is found in 33612345678. "" when the text is no number."""
    number = parse(text).msisdn
    if number is not None:
        return str(number)
    digits = "".join(char for char in text if char.isascii() and char.isdigit())
    is_number = len(digits) >= 4 and not any(char.isalpha() for char in text)
    return digits.removeprefix("00").removeprefix("0") if is_number else ""


def _query(sql: str, parameters: Any) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()]
