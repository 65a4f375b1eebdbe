"""Expressions of EJS and Velocity: a small common grammar read by precedence into closures. Nothing is ever executed as code.

    a ? b : c   a || b   a ?? b   a && b   == != === !== < <= > >=   + - * / %   !a -a   a.method(b)   a.length   a[0]
    "text" 'text' 12 12.5 true false null [a, b] [1..5] (a)

A method is looked up by name in `values.METHODS`; an unknown one is an error while parsing, before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from carillon.domain.renderers import values
from carillon.domain.renderers.scope import Draft, Expression, Scope, call, constant
from carillon.domain.renderers.values import METHODS, TRUE_FALSE_NULL, Function, RenderError, Value, is_true


class Token(NamedTuple):
    kind: str  # number, string, name, field, op, end; parsers add their own
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Grammar:
    """What differs between the two languages."""

    token: re.Pattern[str]  # named groups number, string, name, field, op
    words: Mapping[str, str] = field(default_factory=dict)  # operators written as words
    functions: Mapping[str, tuple[Function, int, int]] = field(default_factory=dict)
    methods: Mapping[str, tuple[Function, int, int]] = field(default_factory=lambda: METHODS)
    root: str = ""  # `locals.Name` reads a field
    interpolate: Callable[[Draft, str, int], Expression] | None = None  # of double-quoted text


NUMBER = r"(?P<number>\d+(?:\.\d+)?)"
STRING = r"(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
OPERATORS = r"(?P<op>===|!==|==|!=|<=|>=|&&|\|\||\?\?|\.\.|=>|[-+*/%<>!?:()\[\]{},.;=|])"

_BINARY: dict[str, tuple[int, Callable[[Value, Value], Value]]] = {
    "==": (4, values.is_equal),
    "===": (4, values.is_equal),
    "!=": (4, lambda left, right: not values.is_equal(left, right)),
    "!==": (4, lambda left, right: not values.is_equal(left, right)),
    "<": (5, lambda left, right: values.compare(left, right) < 0),
    "<=": (5, lambda left, right: values.compare(left, right) <= 0),
    ">": (5, lambda left, right: values.compare(left, right) > 0),
    ">=": (5, lambda left, right: values.compare(left, right) >= 0),
    "+": (6, values.add),
    "-": (6, values.subtract),
    "*": (7, values.multiply),
    "/": (7, values.divide),
    "%": (7, values.remainder),
}
MAX_ARGUMENTS = 100
_LAZY = {"||": 2, "??": 2, "&&": 3}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def tokenize(draft: Draft, grammar: Grammar, start: int, end: int) -> list[Token]:
    """Tokens of draft.source[start:end], blanks skipped, without an end token."""
    found: list[Token] = []
    position = start
    while True:
        while position < end and draft.source[position].isspace():
            position += 1
        if position >= end:
            return found
        match = grammar.token.match(draft.source, position, end)
        if match is None or match.lastgroup is None:
            raise draft.error(f"unexpected {draft.source[position]!r}", position)
        kind, word = match.lastgroup, match.group()
        if kind == "name" and word in grammar.words:
            kind, word = "op", grammar.words[word]
        found.append(Token(kind, word, position))
        position = match.end()


class ExpressionParser:
    """Reads expressions from tokens; parsers of statements build on it."""

    def __init__(self, draft: Draft, grammar: Grammar, tokens: list[Token]) -> None:
        self.draft = draft
        self.grammar = grammar
        self.tokens = [*tokens, Token("end", "", len(draft.source))]
        self.at = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def peek(self, offset: int = 1) -> Token:
        return self.tokens[min(self.at + offset, len(self.tokens) - 1)]

    def advance(self) -> Token:
        token = self.token
        self.at += token.kind != "end"
        return token

    def is_op(self, text: str) -> bool:
        return self.token.kind == "op" and self.token.text == text

    def accept(self, text: str) -> bool:
        if self.is_op(text):
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self.unexpected(f"{text!r} expected")

    def unexpected(self, wanted: str) -> Exception:
        found = self.token.text[:20] or "the end"
        return self.draft.error(f"{wanted} before {found!r}", self.token.position)

    def expression(self) -> Expression:
        self.draft.enter(self.token.position)
        test = self.binary(2)
        if self.accept("?"):
            yes = self.expression()
            self.expect(":")
            test = _ternary(test, yes, self.expression())
        self.draft.leave()
        return test

    def binary(self, least: int) -> Expression:
        left = self.unary()
        while self.token.kind == "op":
            operator = self.token.text
            level = _LAZY.get(operator) or _BINARY.get(operator, (0,))[0]
            if level < least:
                return left
            self.at += 1
            right = self.binary(level + 1)
            left = _lazy(operator, left, right) if operator in _LAZY else call(_BINARY[operator][1], (left, right))
        return left

    def unary(self) -> Expression:
        if self.token.kind == "op" and self.token.text in ("!", "-", "+"):
            token = self.advance()
            self.draft.enter(token.position)
            operand = self.unary()
            self.draft.leave()
            if token.text == "!":
                return call(lambda value: not is_true(value), (operand,))
            sign = -1 if token.text == "-" else 1
            return call(lambda value: sign * values.number(value), (operand,))
        return self.postfix(self.primary())

    def postfix(self, value: Expression) -> Expression:
        while True:
            if self.accept("."):
                value = self.method(value)
            elif self.accept("["):
                value = call(values.item_at, (value, self.expression()))
                self.expect("]")
            else:
                return value

    def method(self, value: Expression) -> Expression:
        name = self.advance()
        known = self.grammar.methods.get(name.text)
        if name.kind != "name" or known is None:
            raise self.draft.error(f"no such method: {name.text[:40]!r}", name.position)
        function, least, most = known
        arguments = self.arguments(name, least, most) if self.accept("(") else []
        if not arguments and least:
            raise self.draft.error(f"{name.text!r} needs {least} argument(s)", name.position)
        return call(function, (value, *arguments))

    def arguments(self, name: Token, least: int, most: int) -> list[Expression]:
        found: list[Expression] = []
        while not self.accept(")"):
            if found:
                self.expect(",")
            found.append(self.expression())
        if not least <= len(found) <= most:
            raise self.draft.error(f"{name.text!r} takes {least} to {most} argument(s)", name.position)
        return found

    def primary(self) -> Expression:
        token = self.advance()
        if token.kind == "number":
            return self.draft.number(token.text, token.position)
        if token.kind == "string":
            return self.string(token)
        if token.kind == "field":
            return self.draft.reference(token.text.strip("$!{}"))
        if token.kind == "name":
            return self.name(token)
        if token.kind == "op" and token.text == "(":
            inner = self.expression()
            self.expect(")")
            return inner
        if token.kind == "op" and token.text == "[":
            return self.list()
        self.at -= token.kind != "end"
        raise self.unexpected("a value expected")

    def string(self, token: Token) -> Expression:
        raw = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found.group(1), found.group(1)), token.text[1:-1], flags=re.S)
        if self.grammar.interpolate is not None and token.text[0] == '"' and "$" in raw:
            self.draft.enter(token.position)
            found = self.grammar.interpolate(self.draft, raw, token.position)
            self.draft.leave()
            return found
        return constant(raw)

    def name(self, token: Token) -> Expression:
        if token.text in TRUE_FALSE_NULL:
            return constant(TRUE_FALSE_NULL[token.text])
        if token.text in self.grammar.functions and self.accept("("):
            function, least, most = self.grammar.functions[token.text]
            return call(function, self.arguments(token, least, most))
        if token.text == self.grammar.root:
            return self.root_field()
        if self.is_op("("):
            raise self.draft.error(f"no such function: {token.text[:40]!r}", token.position)
        return self.draft.reference(token.text)

    def root_field(self) -> Expression:
        """`locals.Name` or `locals["Any name"]`."""
        token = self.token
        if self.accept(".") and self.token.kind == "name":
            return self.draft.reference(self.advance().text)
        if self.accept("[") and self.token.kind == "string":
            name = self.advance().text[1:-1]
            self.expect("]")
            return self.draft.reference(name)
        raise self.draft.error(f"{self.grammar.root} is followed by .name or ['name']", token.position)

    def list(self) -> Expression:
        found: list[Expression] = []
        while not self.accept("]"):
            if found and not self.accept(","):
                self.expect("..")
                last = self.expression()
                self.expect("]")
                return call(_range, (found[-1], last))
            found.append(self.expression())
        if len(found) > MAX_ARGUMENTS:
            raise self.draft.error(f"a list here has at most {MAX_ARGUMENTS} items", self.token.position)
        return call(values.make_list, found)


def _range(first: Value, last: Value) -> list[Value]:
    start, end = values.whole(first), values.whole(last)
    if abs(end - start) >= values.MAX_ITEMS:
        raise RenderError(f"a list has more than {values.MAX_ITEMS} items")
    return list(range(start, end + 1)) if start <= end else list(range(start, end - 1, -1))


def _ternary(test: Expression, yes: Expression, no: Expression) -> Expression:
    return lambda scope: yes(scope) if is_true(test(scope)) else no(scope)


def _lazy(operator: str, left: Expression, right: Expression) -> Expression:
    def either(scope: Scope) -> Value:
        scope.tick()
        value = left(scope)
        return value if is_true(value) else right(scope)

    def both(scope: Scope) -> Value:
        scope.tick()
        value = left(scope)
        return right(scope) if is_true(value) else value

    return both if operator == "&&" else either
