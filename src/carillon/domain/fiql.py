"""FIQL, the search language of period reports: text → tree. Turning the tree into SQL is the services' work.

    fields.REF==DRAFT;fields.REF==value    ";" and, "," or, ( ) groups; "and" binds stronger
    item=re=3368581*                       numbers that begin so
    msg=re=Hello*                          a word that begins so anywhere in the text
    type==BCAST_MKG                        BCAST_MKG marketing, P2P notification

Blanks around names, operators and values do not count. Values may be quoted ("a;b") or percent-encoded (a%3Bb). Numbers are
normalised: 0685812475, +33 6 85 81 24 75 and 33685812475 are the same. A search has at most 200 comparisons.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from carillon.domain import msisdn
from carillon.domain.errors import InvalidInput

MAX_TERMS = 200
MAX_DEPTH = 20
MAX_LENGTH = 10_000  # characters
MAX_STARS = 5


class Subject(StrEnum):
    FIELD = "field"  # a column of the list, named by `Term.name`
    ITEM = "item"
    TYPE = "type"
    MSG = "msg"


class Match(StrEnum):
    EQUAL = "equal"
    NOT_EQUAL = "not_equal"
    PATTERN = "pattern"  # from the start of the value
    WORD_PATTERN = "word_pattern"  # from the start of any word


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison. For patterns `parts` are the pieces between the stars: "ab*c" → ("ab", "c"), "ab*" → ("ab", "")."""

    subject: Subject
    match: Match
    value: str
    name: str = ""
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class And:
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    children: tuple[Node, ...]


Node = Term | And | Or

_SUBJECT = re.compile(r"\s*(fields\s*\.\s*[^=!,;()]+?|item|type|msg)\s*(?==|!=)", re.IGNORECASE)
_OPERATOR = re.compile(r"\s*(==|!=|=re=)\s*", re.IGNORECASE)
_VALUE = re.compile(r"\"([^\"]*)\"\s*|'([^']*)'\s*|([^,;()]*)")


def parse(search: str) -> Node | None:
    """The tree; None for a blank search. InvalidInput (fiql_syntax, fiql_too_large, fiql_field) names the place."""
    if len(search) > MAX_LENGTH:
        raise InvalidInput(f"The search is longer than {MAX_LENGTH} characters", field="search", code="fiql_too_large")
    if not search.strip():
        return None
    return _Parser(search).whole()


def terms(node: Node) -> list[Term]:
    """Every comparison, from left to right."""
    if isinstance(node, Term):
        return [node]
    return [term for child in node.children for term in terms(child)]


class _Parser:
    def __init__(self, search: str) -> None:
        self.search = search
        self.at = 0
        self.count = 0
        self.depth = 0

    def whole(self) -> Node:
        found = self.either()
        if self.at < len(self.search):
            raise self.error("end expected")
        return found

    def error(self, message: str) -> InvalidInput:
        rest = self.search[self.at : self.at + 20]
        return InvalidInput(
            f"Search, character {self.at + 1}: {message} before {rest!r}", field="search", code="fiql_syntax"
        )

    def accept(self, mark: str) -> bool:
        while self.search.startswith((" ", "\t", "\n", "\r"), self.at):
            self.at += 1
        if self.search.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def either(self) -> Node:
        found = [self.both()]
        while self.accept(","):
            found.append(self.both())
        return found[0] if len(found) == 1 else Or(tuple(found))

    def both(self) -> Node:
        found = [self.one()]
        while self.accept(";"):
            found.append(self.one())
        return found[0] if len(found) == 1 else And(tuple(found))

    def one(self) -> Node:
        if not self.accept("("):
            return self.term()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise InvalidInput(f"Groups are nested more than {MAX_DEPTH} deep", field="search", code="fiql_too_large")
        found = self.either()
        if not self.accept(")"):
            raise self.error("')' expected")
        self.depth -= 1
        return found

    def term(self) -> Term:
        self.count += 1
        if self.count > MAX_TERMS:
            raise InvalidInput(f"More than {MAX_TERMS} comparisons", field="search", code="fiql_too_large")
        subject = _SUBJECT.match(self.search, self.at)
        if subject is None:
            raise self.unknown()
        self.at = subject.end()
        operator = _OPERATOR.match(self.search, self.at)
        if operator is None:
            raise self.error("==, != or =re= expected")
        self.at = operator.end()
        return self.comparison(subject[1], operator[1].lower(), self.value())

    def unknown(self) -> InvalidInput:
        name = re.match(r"\s*([\w.]+)\s*(?:==|!=|=)", self.search[self.at :])
        if name is None:
            return self.error("a comparison expected")
        return InvalidInput(
            f"Unknown field {name[1][:40]!r}: use fields.<COLUMN>, item, type or msg", field="search", code="fiql_field"
        )

    def value(self) -> str:
        found = _VALUE.match(self.search, self.at)
        assert found is not None  # the third form also matches nothing
        self.at = found.end()
        quoted = found[1] if found[1] is not None else found[2]
        return quoted if quoted is not None else unquote(found[3].strip())

    def comparison(self, subject: str, operator: str, value: str) -> Term:
        kind, name = Subject.FIELD, ""
        if subject.lower().startswith("fields"):
            name = unquote(subject.split(".", 1)[1].strip())
        else:
            kind = Subject(subject.lower())
        if operator == "=re=":
            return self.pattern(kind, name, value)
        if kind is Subject.ITEM:
            value = _number(value)
        match = Match.EQUAL if operator == "==" else Match.NOT_EQUAL
        return Term(kind, match, value.upper() if kind is Subject.TYPE else value, name)

    def pattern(self, kind: Subject, name: str, value: str) -> Term:
        if value.count("*") > MAX_STARS:
            raise InvalidInput(f"More than {MAX_STARS} stars in one value", field="search", code="fiql_too_large")
        if kind is Subject.TYPE:
            raise self.error("type is compared with == or !=, not =re=,")
        if kind is Subject.ITEM:
            value = _number(value) if "*" not in value else _beginning(value)
        match = Match.WORD_PATTERN if kind is Subject.MSG else Match.PATTERN
        return Term(kind, match, value, name, tuple(value.split("*")))


def _number(value: str) -> str:
    """E.164 digits where it is a number, else the digits there are (they match nothing)."""
    found = msisdn.parse(value).msisdn
    return re.sub(r"\D", "", value) if found is None else str(found)


def _beginning(value: str) -> str:
    """The start of a number: +33 6, 00336 and 06 all mean 336."""
    digits = re.sub(r"[^0-9*]", "", value)
    if value.strip().startswith("+"):
        return digits
    return digits[2:] if digits.startswith("00") else "33" + digits[1:] if digits.startswith("0") else digits
