"""EJS: `<%= expression %>`, `<%- … %>`, `<%# comment %>`, `<% statement %>`, `-%>` eats the line break, `<%%` is `<%`.

Statements: if / else if / else, `for (const x of list) { }`, `list.forEach((x, i) => { })`, `const x = …`, `x = …`, break.
A safe subset of JavaScript's expressions (see expressions.py), with Number, String, parseInt, parseFloat and a few of Math.
Nothing is escaped as HTML: an SMS is plain text.
"""

from __future__ import annotations

import math
import re

from carillon.domain.renderers import values
from carillon.domain.renderers.expressions import (
    NUMBER,
    OPERATORS,
    STRING,
    ExpressionParser,
    Grammar,
    Token,
    tokenize,
)
from carillon.domain.renderers.scope import (
    Break,
    Draft,
    Expression,
    Scope,
    Statement,
    Tree,
    assign,
    block,
    condition,
    loop,
    output,
)
from carillon.domain.renderers.values import METHODS, Value

_NOTHING = re.compile("")
_EATEN = {"-": re.compile(r"(?:\r?\n)?"), "_": re.compile(r"[ \t]*(?:\r?\n)?")}
_DECLARE = ("const", "let", "var")


def _rounded(value: Value) -> Value:
    return math.floor(values.number(value) + 0.5)


GRAMMAR = Grammar(
    token=re.compile(rf"{NUMBER}|{STRING}|(?P<name>Math\.\w+|[^\W\d]\w*)|{OPERATORS}"),
    functions={
        "Number": (values.number, 1, 1),
        "String": (values.text, 1, 1),
        "parseInt": (values.whole, 1, 2),
        "parseFloat": (values.number, 1, 1),
        "Math.round": (_rounded, 1, 1),
        "Math.floor": (lambda value: math.floor(values.number(value)), 1, 1),
        "Math.ceil": (lambda value: math.ceil(values.number(value)), 1, 1),
        "Math.abs": (lambda value: abs(values.number(value)), 1, 1),
        "Math.min": (lambda *found: min(map(values.number, found)), 1, 20),
        "Math.max": (lambda *found: max(map(values.number, found)), 1, 20),
    },
    methods=METHODS | {"replace": (values.replace_first, 2, 2)},
    root="locals",
)


def parse(source: str) -> Tree:
    draft = Draft(source)
    parser = _Parser(draft, GRAMMAR, _tokens(draft))
    body = block(parser.statements(closing=""))
    return draft.finish(body)


def _tokens(draft: Draft) -> list[Token]:
    """The whole template as one run of tokens: text and outputs are tokens among those of the code."""
    source = draft.source
    found: list[Token] = []
    start = position = 0
    while (opened := source.find("<%", position)) >= 0:
        if source.startswith("<%%", opened):
            position = opened + 3
            continue
        closed = source.find("%>", opened + 2)
        if closed < 0:
            raise draft.error("'<%' is not closed by '%>'", opened)
        first, last = source[opened + 2], source[closed - 1]
        piece = source[start:opened]
        found.append(Token("text", piece.rstrip(" \t") if first == "_" else piece, start))
        if first != "#":
            found += _code(draft, opened, closed)
        eaten = _EATEN.get(last, _NOTHING) if closed > opened + 2 else _NOTHING
        start = position = eaten.match(source, closed + 2).end()  # type: ignore[union-attr]
    found.append(Token("text", source[start:], start))
    return [token for token in found if token.kind != "text" or token.text]


def _code(draft: Draft, opened: int, closed: int) -> list[Token]:
    """Tokens of one `<% … %>`."""
    start, end = opened + 2, closed
    head: list[Token] = []
    if draft.source[start] in "=-":
        head = [Token("output", "", opened)]
    start += draft.source[start] in "=-_" and start < end
    end -= draft.source[end - 1] in "-_" and end > start
    return [*head, *tokenize(draft, GRAMMAR, start, end), Token("close", "", closed + 2)]


class _Parser(ExpressionParser):
    def statements(self, *, closing: str) -> list[Statement]:
        """Up to `closing` ("}" is taken, "" is the end of the template)."""
        if closing:
            self.draft.enter(self.token.position)
        found: list[Statement] = []
        while True:
            if closing and self.accept(closing):
                self.draft.leave()
                return found
            if self.token.kind == "end":
                if closing:
                    raise self.unexpected("'}' expected")
                return found
            found.append(self.statement())

    def statement(self) -> Statement:
        token = self.advance()
        if token.kind == "text":
            return self.draft.literal(token.text.replace("<%%", "<%").replace("%%>", "%>"))
        if token.kind == "output":
            statement = output(self.expression())
            self.accept(";")
            if self.advance().kind != "close":
                self.at -= 1
                raise self.unexpected("'%>' expected")
            return statement
        if token.kind == "close" or (token.kind == "op" and token.text == ";"):
            return block([])
        return self.started(token)

    def started(self, token: Token) -> Statement:
        if token.text == "if":
            return self.condition()
        if token.text == "for":
            return self.for_of()
        if token.text == "break":
            return _leave
        if token.text in _DECLARE:
            return self.assignment(self.advance())
        if self.is_op("="):
            return self.assignment(token)
        self.at -= 1
        return self.for_each(self.before_for_each())

    def assignment(self, name: Token) -> Statement:
        if name.kind != "name":
            raise self.draft.error("a name expected", name.position)
        self.expect("=")
        value = self.expression()
        self.draft.declared.add(name.text)
        return assign(name.text, value)

    def condition(self) -> Statement:
        branches = [self.branch()]
        otherwise: Statement | None = None
        while self.is_else():
            self.at = self.else_at + 1
            if self.token.kind == "name" and self.token.text == "if":
                self.at += 1
                branches.append(self.branch())
                continue
            otherwise = self.body()
            break
        return condition(branches, otherwise)

    def branch(self) -> tuple[Expression, Statement]:
        self.expect("(")
        test = self.expression()
        self.expect(")")
        return test, self.body()

    def is_else(self) -> bool:
        """`} else` may stand in one tag, or `}` and `else` in two with blanks between."""
        self.else_at = self.at
        while self.tokens[self.else_at].kind == "close" or (
            self.tokens[self.else_at].kind == "text" and not self.tokens[self.else_at].text.strip()
        ):
            self.else_at += 1
        token = self.tokens[self.else_at]
        return token.kind == "name" and token.text == "else"

    def body(self) -> Statement:
        self.expect("{")
        return block(self.statements(closing="}"))

    def for_of(self) -> Statement:
        self.expect("(")
        if self.token.text in _DECLARE:
            self.at += 1
        name = self.advance()
        if name.kind != "name" or self.advance().text != "of":
            raise self.draft.error("'for (const x of list)' is the only loop", name.position)
        over = self.expression()
        self.expect(")")
        self.draft.declared.add(name.text)
        return loop(over, self.body(), lambda item, index, count: {name.text: item})

    def before_for_each(self) -> Expression:
        """The list in `list.forEach(`: everything before the last `.forEach`."""
        end = self.at
        while self.tokens[end].text != "forEach":
            if self.tokens[end].kind in ("end", "close", "text"):
                raise self.draft.error("only if, for, forEach and assignments can stand here", self.token.position)
            end += 1
        rest, self.tokens = self.tokens, [*self.tokens[: end - 1], Token("end", "", self.tokens[end].position)]
        over = self.expression()
        if self.token.kind != "end":
            raise self.unexpected("'.forEach' expected")
        self.tokens, self.at = rest, end + 1
        return over

    def for_each(self, over: Expression) -> Statement:
        self.expect("(")
        names: list[str] = []
        has_brackets = self.accept("(")
        while self.token.kind == "name":
            names.append(self.advance().text)
            if not self.accept(","):
                break
        if has_brackets:
            self.expect(")")
        self.expect("=>")
        self.draft.declared.update(names)
        body = self.body()
        self.expect(")")
        return loop(over, body, lambda item, index, count: dict(zip(names, (item, index), strict=False)))


def _leave(scope: Scope) -> None:
    raise Break
