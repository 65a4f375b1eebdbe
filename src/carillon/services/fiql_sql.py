"""A FIQL tree as a parameterised SQL condition over `message m`, `recipient r`, `list l`, `campaign c`.

Nothing a person wrote becomes SQL text: names choose columns by position, values are parameters. Positions come from the
headers of the lists concerned, so that a field is found as everywhere else (case and accents ignored, exact spelling first).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from carillon.domain import fiql
from carillon.domain.fields import Columns
from carillon.domain.fiql import And, Match, Node, Or, Subject, Term

TRAFFIC = {"BCAST_MKG": "MKG", "P2P": "NOTIFICATION"}
MAX_DIGITS = 15  # E.164
Sql = tuple[str, list[Any]]
NEVER: Sql = ("FALSE", [])


@dataclass(frozen=True, slots=True)
class Header:
    """Columns of lists that share them, and which one is the mobile number."""

    names: tuple[str, ...]
    mobile: str = ""
    columns: Columns = field(init=False, compare=False)

    def __post_init__(self) -> None:
        index = self.names.index(self.mobile) if self.mobile in self.names else None
        object.__setattr__(self, "columns", Columns(self.names, mobile_index=index))


def needs_rows(node: Node | None) -> bool:
    """Whether the condition looks at the recipients' own columns."""
    return node is not None and any(term.subject is Subject.FIELD for term in fiql.terms(node))


def condition(node: Node, headers: Sequence[Header]) -> Sql:
    """`headers`: every different header of the lists concerned (see `needs_rows`)."""
    if isinstance(node, Term):
        return _term(node, headers)
    parts = [condition(child, headers) for child in node.children]
    word = " AND " if isinstance(node, And) else " OR "
    assert isinstance(node, And | Or)
    return "(" + word.join(sql for sql, _ in parts) + ")", [value for _, values in parts for value in values]


def _term(term: Term, headers: Sequence[Header]) -> Sql:
    if term.subject is Subject.TYPE:
        return _type(term)
    if term.subject is Subject.ITEM:
        return _item(term)
    if term.subject is Subject.MSG:
        return _text(term, "m.text")
    return _field(term, headers)


def _type(term: Term) -> Sql:
    """Any other type exists nowhere: no row has it, every row differs from it."""
    wanted = TRAFFIC.get(term.value)
    if term.match is Match.NOT_EQUAL:
        return ("TRUE", []) if wanted is None else ("c.traffic <> %s", [wanted])
    return NEVER if wanted is None else ("c.traffic = %s", [wanted])


def _item(term: Term) -> Sql:
    if term.match is Match.PATTERN:
        return _number_pattern(term)
    if not term.value or len(term.value) > MAX_DIGITS:
        return NEVER if term.match is Match.EQUAL else ("TRUE", [])
    if term.match is Match.EQUAL:
        return "m.msisdn = %s", [int(term.value)]
    return "(m.msisdn IS NULL OR m.msisdn <> %s)", [int(term.value)]


def _number_pattern(term: Term) -> Sql:
    """ "3368581*" as ranges of numbers, one per possible length, which the index on msisdn serves."""
    start = term.parts[0]
    if any(part for part in term.parts[1:]):
        return "m.msisdn::text LIKE %s", [_like(term.parts)]
    if len(term.parts) == 1:
        return ("m.msisdn = %s", [int(start)]) if start and len(start) <= MAX_DIGITS else NEVER
    if not start:
        return "m.msisdn IS NOT NULL", []
    if len(start) > MAX_DIGITS or start.startswith("0"):
        return NEVER
    ranges, values = [], []
    for length in range(max(len(start), 8), MAX_DIGITS + 1):
        scale = 10 ** (length - len(start))
        ranges.append("m.msisdn BETWEEN %s AND %s")
        values += [int(start) * scale, (int(start) + 1) * scale - 1]
    return "(" + " OR ".join(ranges) + ")", values


def _field(term: Term, headers: Sequence[Header]) -> Sql:
    """One alternative per header that has the field; a list without it never matches, not even "differs"."""
    alternatives, values = [], []
    for header in headers:
        index = header.columns.index(term.name)
        if index is None:
            continue
        sql, found = _text(term, f"r.fields[{index + 1}]")
        alternatives.append(f"(l.header = %s::varchar[] AND {sql})")
        values += [list(header.names), *found]
    return ("(" + " OR ".join(alternatives) + ")", values) if alternatives else NEVER


def _text(term: Term, column: str) -> Sql:
    if term.match is Match.EQUAL:
        return f"{column} = %s", [term.value]
    if term.match is Match.NOT_EQUAL:
        return f"{column} IS DISTINCT FROM %s", [term.value]
    if term.match is Match.PATTERN:
        return f"{column} LIKE %s", [_like(term.parts)]
    return f"{column} ~* %s", [_word(term.parts)]


def _like(parts: Sequence[str]) -> str:
    return "%".join(part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for part in parts)


def _word(parts: Sequence[str]) -> str:
    """From the start of any word. A star in the middle stays inside the text's line; the whole word is wanted without one."""
    pieces = [_literal(part) for part in parts]
    start = "(?:^|\\W)" if parts[0][:1].isalnum() or not parts[0] else ""
    end = "(?:$|\\W)" if len(parts) == 1 and parts[0][-1:].isalnum() else ""
    return start + ".*?".join(pieces) + end


def _literal(text: str) -> str:
    return "".join(char if char.isalnum() or char == " " else f"\\{char}" if char.isascii() else char for char in text)
