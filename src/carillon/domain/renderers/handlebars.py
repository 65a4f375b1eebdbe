"""Handlebars: `{{Name}}` `{{[Any name]}}` `{{helper a b}}` `{{#if a}}…{{else if b}}…{{else}}…{{/if}}` `{{#unless}}` `{{#each}}`
`{{#with}}` `{{#eq a b}}`, `{{#Name}}…{{/Name}}`, `{{^Name}}…{{/Name}}`, subexpressions `(eq a b)`, `{{! comment }}`, `{{~ ~}}`,
`{{#each list as |item index|}}` with `this`, `@index`, `@first`, `@last`; helpers as handlebars.java has them (`HELPERS`).

Nothing is escaped as HTML: an SMS is plain text. Left out: partials, decorators, registering helpers, dates (no clock here).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from carillon.domain.renderers import values
from carillon.domain.renderers.expressions import NUMBER, STRING, Token
from carillon.domain.renderers.scope import (
    Draft,
    Expression,
    Statement,
    Tree,
    block,
    call,
    condition,
    constant,
    loop,
    output,
)
from carillon.domain.renderers.values import METHODS, TRUE_FALSE_NULL, Function, Value, is_true, text

_TAG = re.compile(
    r"\\\{\{|\{\{~?!--.*?--~?\}\}|\{\{(?P<left>~?)(?P<open>\{|[#^/&!>]?)(?P<code>(?:[^{}\"']|\"[^\"]*\"|'[^']*')*)\}?(?P<right>~?)\}\}",
    re.DOTALL,
)
_ALONE = re.compile(r"(?m)^[ \t]*(\{\{~?(?:[#/^!]|else\b)[^{}\n]*\}\})[ \t]*\r?\n")
_TOKEN = re.compile(
    rf"\s*(?:{NUMBER}(?![\w.])|{STRING}|\[(?P<segment>[^\]]+)\]|(?P<name>@?(?:\.\./)*[^\W\d][\w-]*(?:\.[^\W\d][\w-]*)?|\.)"
    r"|(?P<op>\(|\)|\||=|-))"
)


def _yes_no(value: Value, yes: Value = "yes", no: Value = "no") -> Value:
    return yes if is_true(value) else no


def _abbreviate(value: Value, width: Value) -> str:
    whole, most = text(value), values.whole(width)
    return whole if len(whole) <= most else whole[: max(most - 3, 0)] + "..."


def _all(*found: Value) -> bool:
    return all(map(is_true, found))


def _any(*found: Value) -> bool:
    return any(map(is_true, found))


def _first(*found: Value) -> Value:
    return next((value for value in found if is_true(value)), "")


# name -> (function, least, most arguments)
HELPERS: dict[str, tuple[Function, int, int]] = {
    "eq": (values.is_equal, 2, 2),
    "neq": (lambda left, right: not values.is_equal(left, right), 2, 2),
    "gt": (lambda left, right: values.compare(left, right) > 0, 2, 2),
    "gte": (lambda left, right: values.compare(left, right) >= 0, 2, 2),
    "lt": (lambda left, right: values.compare(left, right) < 0, 2, 2),
    "lte": (lambda left, right: values.compare(left, right) <= 0, 2, 2),
    "and": (_all, 1, 10),
    "or": (_any, 1, 10),
    "not": (lambda value: not is_true(value), 1, 1),
    "lower": (METHODS["toLowerCase"][0], 1, 1),
    "upper": (METHODS["toUpperCase"][0], 1, 1),
    "capitalize": (values.capitalise_words, 1, 1),
    "capitalizeFirst": (values.capitalise, 1, 1),
    "abbreviate": (_abbreviate, 2, 2),
    "cut": (lambda value, mark=" ": values.replace_all(value, mark, ""), 1, 2),
    "defaultIfEmpty": (_first, 2, 2),
    "default": (_first, 2, 10),
    "join": (values.join, 1, 2),
    "replace": (values.replace_all, 3, 3),
    "substring": (values.substring, 2, 3),
    "yesno": (_yes_no, 1, 3),
    "ljust": (values.pad_end, 2, 3),
    "rjust": (values.pad_start, 2, 3),
    "trim": (lambda value: text(value).strip(), 1, 1),
    "split": (values.split, 1, 2),
    "contains": (values.contains, 2, 2),
    "size": (values.length, 1, 1),
    "lookup": (values.item_at, 2, 2),
    "add": (lambda left, right: values.checked(values.number(left) + values.number(right)), 2, 2),
    "subtract": (values.subtract, 2, 2),
    "multiply": (values.multiply, 2, 2),
    "divide": (values.divide, 2, 2),
    "numberFormat": (values.fixed, 1, 2),
}
_LOOP_NAMES = ("this", "@index", "@first", "@last", "@key")


def parse(source: str) -> Tree:
    draft = Draft(source)
    draft.declared.update(_LOOP_NAMES)
    return draft.finish(_Parser(draft).template())


class _Tag:
    __slots__ = ("code", "kind", "position", "tokens")

    def __init__(self, kind: str, code: str, position: int) -> None:
        self.kind, self.code, self.position = kind, code, position
        self.tokens: list[Token] = []


class _Parser:
    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.pieces = self.scan()
        self.at = 0
        self.tokens: list[Token] = []
        self.next = 0

    def scan(self) -> list[str | _Tag]:
        """The template as texts and tags; comments gone, `~` and lines with only a block tag cleaned up."""
        source = _ALONE.sub(r"\1", self.draft.source)
        self.draft.source = source
        pieces: list[str | _Tag] = []
        start, is_trimmed = 0, False
        for found in _TAG.finditer(source):
            piece = source[start : found.start()]
            pieces.append(piece.lstrip() if is_trimmed else piece)
            start, is_trimmed = found.end(), found["right"] == "~" or found.group().endswith("~}}")
            if found.group() == "\\{{":
                end = source.find("}}", start)
                start = len(source) if end < 0 else end + 2
                pieces.append("{{" + source[found.end() : start])
                continue
            if found["left"] or found.group().startswith("{{~"):
                pieces[-1] = str(pieces[-1]).rstrip()
            if found["code"] is not None and found["open"] != "!":
                code = found["code"].removesuffix("~")
                pieces.append(_Tag(found["open"], code, found.start("code")))
        rest = source[start:]
        if "{{" in rest:
            raise self.draft.error("'{{' is not closed by '}}'", start + rest.index("{{"))
        return [piece for piece in [*pieces, rest.lstrip() if is_trimmed else rest] if piece]

    def template(self) -> Statement:
        body, tag = self.block()
        if tag is not None:
            raise self.draft.error(f"{{{{{tag.kind}{tag.code.strip()}}}}} without its opening", tag.position)
        return body

    def block(self) -> tuple[Statement, _Tag | None]:
        """Statements up to `{{/…}}`, `{{else}}` or `{{^}}`; that tag is returned."""
        found: list[Statement] = []
        while self.at < len(self.pieces):
            piece = self.pieces[self.at]
            self.at += 1
            if isinstance(piece, str):
                found.append(self.draft.literal(piece))
            elif (
                piece.kind == "/"
                or piece.code.split()[:1] == ["else"]
                or (piece.kind == "^" and not piece.code.strip())
            ):
                return block(found), piece
            else:
                found.append(self.tag(piece))
        return block(found), None

    def tag(self, tag: _Tag) -> Statement:
        if tag.kind == ">":
            raise self.draft.error("partials are not available", tag.position)
        if tag.kind in ("#", "^"):
            self.draft.enter(tag.position)
            statement = self.section(tag)
            self.draft.leave()
            return statement
        self.read(tag)
        value = self.helper_or_value(is_top=True)
        self.end(tag)
        if self.draft.depth == 0:
            self.draft.sure.append("${" + tag.code.strip() + "}")
        return output(value)

    def section(self, tag: _Tag) -> Statement:
        self.read(tag)
        name = self.tokens[0].text
        if name in ("if", "unless", "each", "with"):
            self.next += 1
            value = self.helper_or_value(is_top=False)
        else:
            value = self.helper_or_value(is_top=True)
        names = self.block_names()
        self.end(tag)
        self.draft.declared.update(names)
        body, closing = self.block()
        otherwise, closing = self.otherwise(closing)
        if closing is None or closing.code.strip() != name.strip("[]"):
            raise self.draft.error(f"{{{{/{name}}}}} is missing", tag.position)
        if tag.kind == "^" or name == "unless":
            return condition([(call(lambda found: not is_true(found), (value,)), body)], otherwise)
        if name == "each":
            return loop(value, body, _turn(names), otherwise)
        if name == "with":
            return condition([(value, loop(call(_one, (value,)), body, _turn(names)))], otherwise)
        return condition([(value, body)], otherwise)

    def otherwise(self, closing: _Tag | None) -> tuple[Statement | None, _Tag | None]:
        """What stands after `{{else}}` or `{{else if …}}`, and the closing tag."""
        if closing is None or closing.kind == "/":
            return None, closing
        words = closing.code.split(maxsplit=1)
        if len(words) < 2:
            return self.block()
        self.draft.enter(closing.position)
        self.read(_Tag("", words[1], closing.position + closing.code.index(words[1], 4)))
        negate = self.tokens[0].text == "unless"
        if self.tokens[0].text in ("if", "unless"):
            self.next += 1
        test = self.helper_or_value(is_top=self.next == 0)
        self.end(closing)
        body, tag = self.block()
        rest, tag = self.otherwise(tag)
        self.draft.leave()
        if negate:
            test = call(lambda found: not is_true(found), (test,))
        return condition([(test, body)], rest), tag

    def read(self, tag: _Tag) -> None:
        """Tokens of one tag."""
        self.tokens, self.next, position = [], 0, 0
        code = tag.code.rstrip()
        while position < len(code):
            match = _TOKEN.match(code, position)
            if match is None or match.lastgroup is None:
                raise self.draft.error(f"unexpected {code[position:].lstrip()[:20]!r}", tag.position + position)
            self.tokens.append(Token(match.lastgroup, match.group(match.lastgroup), tag.position + match.start()))
            position = match.end()
        if not self.tokens:
            raise self.draft.error("an empty tag", tag.position)
        self.tokens.append(Token("end", "", tag.position + len(code)))

    def end(self, tag: _Tag) -> None:
        token = self.tokens[self.next]
        if token.kind != "end":
            raise self.draft.error(f"unexpected {token.text[:20]!r}", token.position)

    def helper_or_value(self, *, is_top: bool) -> Expression:
        """A helper with its arguments (at the start of a tag or behind '('), else one value."""
        token = self.tokens[self.next]
        follows = self.tokens[self.next + 1].kind if self.next + 1 < len(self.tokens) else "end"
        if is_top and token.kind == "name" and follows != "end" and self.tokens[self.next + 1].text not in (")", "as"):
            if token.text not in HELPERS:
                raise self.draft.error(f"no such helper: {token.text[:40]!r}", token.position)
            self.next += 1
            return self.helper(token)
        return self.value()

    def helper(self, token: Token) -> Expression:
        function, least, most = HELPERS[token.text]
        arguments: list[Expression] = []
        while self.tokens[self.next].text not in (")", "as", "") or self.tokens[self.next].kind in (
            "string",
            "segment",
        ):
            arguments.append(self.value())
        if not least <= len(arguments) <= most:
            raise self.draft.error(f"{token.text!r} takes {least} to {most} argument(s)", token.position)
        return call(function, arguments)

    def value(self) -> Expression:
        token = self.tokens[self.next]
        self.next += token.kind != "end"
        if token.kind == "number":
            return self.draft.number(token.text, token.position)
        if token.kind == "string":
            return constant(token.text[1:-1])
        if token.kind == "segment":
            return self.draft.reference(token.text)
        if token.kind == "name":
            return self.name(token)
        if token.text == "(":
            self.draft.enter(token.position)
            inner = self.helper_or_value(is_top=True)
            self.draft.leave()
            if self.tokens[self.next].text != ")":
                raise self.draft.error("')' expected", token.position)
            self.next += 1
            return inner
        if token.text == "-" and self.tokens[self.next].kind == "number":
            self.next += 1
            return self.draft.number("-" + self.tokens[self.next - 1].text, token.position)
        raise self.draft.error("a value expected", token.position)

    def name(self, token: Token) -> Expression:
        name = token.text.replace("../", "")
        if name in TRUE_FALSE_NULL:
            return constant(TRUE_FALSE_NULL[name])
        if name == ".":
            return self.draft.reference("this")
        head, _, tail = name.partition(".")
        if tail and head in ("this", "@root"):
            return self.draft.reference(tail)
        if tail in ("length", "size"):
            return call(values.length, (self.draft.reference(head),))
        if tail:
            raise self.draft.error(f"fields have no parts: {name[:40]!r}", token.position)
        return self.draft.reference(name)

    def block_names(self) -> list[str]:
        """`as |item index|` at the end of a block tag."""
        if self.tokens[self.next].text != "as":
            return []
        names = [token.text for token in self.tokens[self.next + 1 : -1] if token.kind == "name"]
        self.next = len(self.tokens) - 1
        return names[:2]


def _one(value: Value) -> list[Value]:
    return value if isinstance(value, list) and len(value) == 1 else [text(value)]


def _turn(names: list[str]) -> Callable[[Value, int, int], dict[str, Value]]:
    def bind(item: Value, index: int, count: int) -> dict[str, Value]:
        turn: dict[str, Value] = dict(
            zip(_LOOP_NAMES, (item, index, index == 0, index + 1 == count, index), strict=True)
        )
        return turn | dict(zip(names, (item, index), strict=False))

    return bind
