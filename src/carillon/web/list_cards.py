"""One list as a card: how far its import is, what was found, the first thing to put right, its first rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from carillon.domain.errors import CarillonError
from carillon.models import List, Recipient
from carillon.services import list_rows, lists, routes

FIRST_ROWS = 10
DELIMITERS: dict[str, Promise] = {
    ";": gettext_lazy("point-virgule"),
    ",": gettext_lazy("virgule"),
    "\t": gettext_lazy("tabulation"),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """The first class of error, in the order that matters: what it is, which lines, whether the rows can be downloaded."""

    text: str
    lines: list[int]
    has_rows: bool = False


@dataclass(frozen=True, slots=True)
class Country:
    code: str
    n: int
    is_allowed: bool


@dataclass(slots=True)
class Card:
    item: List
    percent: int = 0
    facts: dict[str, int] | None = None
    trouble: Trouble | None = None
    countries: list[Country] | None = None
    header: list[str] | None = None
    rows: list[list[str]] | None = None
    mobile: str = ""
    problem: str = ""
    delimiter: str = ""

    @property
    def is_waiting_for_column(self) -> bool:
        return self.item.state == List.State.WAITING and not self.item.mobile_column

    @property
    def is_moving(self) -> bool:
        return self.item.state in (List.State.WAITING, List.State.IMPORTING) and not self.is_waiting_for_column

    @property
    def is_ready(self) -> bool:
        return self.item.state == List.State.READY


def card(item: List, *, with_rows: bool = True) -> Card:
    made = Card(
        item, mobile=item.mobile_column, header=list(item.header), delimiter=str(DELIMITERS.get(item.delimiter, ""))
    )
    if item.state == List.State.READY:
        made.facts = list_rows.totals(item)
        made.countries = countries(item)
        made.trouble = trouble(item)
        if with_rows:
            made.rows = [row.fields for row in _first_rows(item)]
    elif made.is_waiting_for_column:
        _look(made, item)
    else:
        made.percent = min(int(100 * item.done_bytes / item.file_size), 100) if item.file_size else 0
        if item.state == List.State.FAILED:
            made.problem = item.error
    return made


def _first_rows(item: List) -> list[Recipient]:
    return list(list_rows.rows_of(item)[:FIRST_ROWS])


def _look(made: Card, item: List) -> None:
    try:
        layout = lists.look(item)
    except CarillonError as error:
        made.problem = error.message
    else:
        made.header, made.rows = layout.header, layout.preview[:FIRST_ROWS]


def countries(item: List) -> list[Country]:
    """Destinations detected, most frequent first; whether the account may send there as of today."""
    found: dict[str, int] = item.analysis.get("_more", {}).get("countries", {})
    allowed = routes.allowed_countries(item.account)
    made = [Country(code, n, code in allowed) for code, n in found.items() if n]
    return sorted(made, key=lambda country: (-country.n, country.code))


def trouble(item: List) -> Trouble | None:
    """One class of error at a time: rows that cannot be read, bad numbers, destinations that are closed, then duplicates."""
    analysis = item.analysis
    n = int(analysis.get("globalInvalidLine", 0))
    if n:
        text = ngettext(
            "%(n)d ligne a plus de cellules que l'en-tête : vérifiez les séparateurs.",
            "%(n)d lignes ont plus de cellules que l'en-tête : vérifiez les séparateurs.", n,
        )  # fmt: skip
        return Trouble(text % {"n": n}, [])
    if item.invalid_count:
        n = item.invalid_count
        text = ngettext(
            "%(n)d numéro n'est pas un mobile : il ne recevra rien.",
            "%(n)d numéros ne sont pas des mobiles : ils ne recevront rien.", n,
        )  # fmt: skip
        return Trouble(text % {"n": n}, _lines(analysis, "invalidLineList"), has_rows=True)
    closed = [country for country in countries(item) if not country.is_allowed]
    if closed:
        names = ", ".join(f"{country.code} ({country.n})" for country in closed[:5])
        return Trouble(_("Destinations que votre compte n'a pas ouvertes : %(names)s.") % {"names": names}, [])
    if item.duplicate_count:
        n = item.duplicate_count
        text = ngettext(
            "%(n)d doublon ne recevra le message qu'une fois.",
            "%(n)d doublons ne recevront le message qu'une fois.", n,
        )  # fmt: skip
        return Trouble(text % {"n": n}, _lines(analysis, "lineDuplicateMobile"), has_rows=True)
    return None


def _lines(analysis: dict[str, Any], key: str) -> list[int]:
    return [int(line) for line in analysis.get(key, [])[:5]]
