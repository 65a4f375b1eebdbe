"""What a parsed template is made of, and the bounds of its run.

Expressions and statements are closures over a `Scope`: `Expression(scope) -> value`, `Statement(scope)` writes. Each loop
turn, call and branch costs a step; steps and output are bounded, so a render ends in milliseconds whatever the template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from carillon.domain.errors import InvalidInput
from carillon.domain.renderers.values import (
    MAX_TEXT,
    Missing,
    RenderError,
    TooLong,
    Value,
    is_true,
    items,
    number,
    text,
)

MAX_STEPS = 2_000
MAX_TEMPLATE = 10_000  # characters
MAX_DEPTH = 30

# Links stand in the text as ${track_1}… and ${optout} in every syntax.
LINK = re.compile(r"\$\{\s*(track_\d{1,2}|optout)\s*\}", re.IGNORECASE)


class Scope:
    """One render: the fields of the row, the variables of the template, what is written so far."""

    __slots__ = ("fields", "out", "size", "steps", "variables")

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = fields
        self.variables: dict[str, Value] = {}
        self.out: list[str] = []
        self.size = 0
        self.steps = 0

    def tick(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise RenderError(f"the template takes more than {MAX_STEPS} steps")

    def write(self, piece: str) -> None:
        self.size += len(piece)
        if self.size > MAX_TEXT:
            raise TooLong(f"the message is longer than {MAX_TEXT} characters")
        self.out.append(piece)


Expression = Callable[[Scope], Value]
Statement = Callable[[Scope], None]


class Break(Exception):
    """Leaves the innermost loop."""


class Stop(Exception):
    """Ends the message here (Velocity's #stop)."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed template. `references`: names it reads, in order; `declared`: those it sets itself.

    `literals`: its pieces of text; `sure`: those every recipient gets, joined (outside any condition).
    """

    references: tuple[str, ...]
    declared: frozenset[str]
    literals: tuple[str, ...]
    sure: str
    body: Statement

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(name for name in self.references if name not in self.declared)

    def render(self, fields: Mapping[str, str]) -> str:
        scope = Scope(fields)
        try:
            self.body(scope)
        except Stop:
            pass
        except Break as error:
            raise RenderError("break outside a loop") from error
        return "".join(scope.out)


class Draft:
    """What a parser gathers while it reads: names, pieces of text, and where it is for error messages."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.references: dict[str, None] = {}
        self.declared: set[str] = set()
        self.literals: list[str] = []
        self.sure: list[str] = []
        self.depth = 0

    def error(self, message: str, position: int) -> InvalidInput:
        line = self.source.count("\n", 0, position) + 1
        column = position - self.source.rfind("\n", 0, position)
        return InvalidInput(
            f"Template error, line {line}, column {column}: {message}.", field="message", code="template_syntax"
        )

    def enter(self, position: int) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"nested more than {MAX_DEPTH} deep", position)

    def leave(self) -> None:
        self.depth -= 1

    def number(self, digits: str, position: int) -> Expression:
        try:
            return constant(number(digits))
        except RenderError as error:
            raise self.error(str(error), position) from error

    def reference(self, name: str) -> Expression:
        self.references[name] = None

        def read(scope: Scope) -> Value:
            if name in scope.variables:
                return scope.variables[name]
            found = scope.fields.get(name)
            return Missing(name) if found is None else found

        return read

    def literal(self, piece: str) -> Statement:
        """Text as it stands, link placeholders replaced."""
        parts: list[Statement] = []
        for index, part in enumerate(LINK.split(piece)):
            if index % 2:
                parts.append(output(self.reference(part.lower())))
            elif part:
                self.literals.append(part)
                parts.append(_write(part))
            if self.depth == 0:
                self.sure.append("${" + part.lower() + "}" if index % 2 else part)
        return block(parts)

    def finish(self, body: Statement) -> Tree:
        return Tree(
            references=tuple(self.references),
            declared=frozenset(self.declared),
            literals=tuple(self.literals),
            sure="".join(self.sure),
            body=body,
        )


def _write(piece: str) -> Statement:
    return lambda scope: scope.write(piece)


def constant(value: Value) -> Expression:
    return lambda scope: value


def output(expression: Expression) -> Statement:
    def run(scope: Scope) -> None:
        scope.tick()
        scope.write(text(expression(scope)))

    return run


def block(statements: Sequence[Statement]) -> Statement:
    if len(statements) == 1:
        return statements[0]

    def run(scope: Scope) -> None:
        for statement in statements:
            statement(scope)

    return run


def condition(branches: Sequence[tuple[Expression, Statement]], otherwise: Statement | None) -> Statement:
    def run(scope: Scope) -> None:
        for test, body in branches:
            scope.tick()
            if is_true(test(scope)):
                body(scope)
                return
        if otherwise is not None:
            otherwise(scope)

    return run


def loop(
    over: Expression,
    body: Statement,
    bind: Callable[[Value, int, int], dict[str, Any]],
    otherwise: Statement | None = None,
) -> Statement:
    """`bind(item, index, count)` gives the variables of each turn; what they hid comes back afterwards."""

    def run(scope: Scope) -> None:
        found = items(over(scope))
        outer = dict(scope.variables)
        hidden: set[str] = set()
        for index, item in enumerate(found):
            scope.tick()
            turn = bind(item, index, len(found))
            hidden |= turn.keys()
            scope.variables.update(turn)
            try:
                body(scope)
            except Break:
                break
        for name in hidden:
            if name in outer:
                scope.variables[name] = outer[name]
            else:
                scope.variables.pop(name, None)
        if not found and otherwise is not None:
            otherwise(scope)

    return run


def assign(name: str, expression: Expression) -> Statement:
    def run(scope: Scope) -> None:
        scope.tick()
        scope.variables[name] = expression(scope)

    return run


def call(function: Callable[..., Value], arguments: Sequence[Expression]) -> Expression:
    def run(scope: Scope) -> Value:
        scope.tick()
        return function(*(argument(scope) for argument in arguments))

    return run
