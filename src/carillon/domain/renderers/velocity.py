"""Velocity (VTL 2.2): `$name` `${name}` `$!name` `${name|'default'}` `$name.toUpperCase()`, `#set`, `#if #elseif #else #end`,
`#foreach($x in $list) #end` with `$foreach.index .count .hasNext .first .last`, `#break`, `#stop`, `## comment`, `#* *#`,
`#[[ as is ]]#`, `\\$` and `\\#`. Lines that hold only a directive disappear, as in Velocity 2.

Left out: #macro, #define, #parse, #include, #evaluate, tools, and every Java method that is not in values.METHODS. A name that
is no field is an error for the recipient (Velocity would print `$name`); `$!name` is empty.
"""

from __future__ import annotations

import re
from typing import Any

from carillon.domain.renderers import values
from carillon.domain.renderers.expressions import NUMBER, OPERATORS, STRING, ExpressionParser, Grammar, tokenize
from carillon.domain.renderers.scope import (
    Break,
    Draft,
    Expression,
    Scope,
    Statement,
    Stop,
    Tree,
    assign,
    block,
    call,
    condition,
    loop,
    output,
)
from carillon.domain.renderers.values import METHODS, Missing, RenderError, TooLong, Value, is_true

_NAME = r"[^\W\d]\w*"
_START = re.compile(
    rf"(?P<escape>\\[$#])|(?P<line>##[^\n]*\n?)|(?P<comment>#\*.*?\*#)|\#\[\[(?P<raw>.*?)\]\]\#"
    rf"|\#(?P<directive>{_NAME}|\{{{_NAME}\}})|\$(?P<quiet>!?)(?P<brace>\{{?)\s*(?P<name>{_NAME})",
    re.DOTALL,
)
_DIRECTIVES = ("if", "elseif", "else", "end", "set", "foreach", "break", "stop")
_REFUSED = ("macro", "define", "parse", "include", "evaluate")
_WITH_BRACKETS = ("if", "elseif", "set", "foreach")
_METHOD = re.compile(rf"\.({_NAME})")
_FOREACH = ("index", "count", "hasNext", "first", "last")


def _interpolate(draft: Draft, raw: str, position: int) -> Expression:
    """`"Bonjour $name"`: only references live in a text."""
    inner = Draft(raw)
    inner.references, inner.declared, inner.depth = draft.references, draft.declared, draft.depth
    body = _Parser(inner).text_with_references()

    def render(scope: Scope) -> Value:
        scope.tick()
        part = Scope(scope.fields)
        part.variables, part.steps = scope.variables, scope.steps
        try:
            body(part)
        except TooLong as error:
            raise RenderError(f"a value is longer than {values.MAX_TEXT} characters") from error
        scope.steps = part.steps
        return "".join(part.out)

    return render


GRAMMAR = Grammar(
    token=re.compile(rf"{NUMBER}|{STRING}|(?P<field>\$!?\{{{_NAME}\}}|\$!?{_NAME})|(?P<name>{_NAME})|{OPERATORS}"),
    words={
        "eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "and": "&&", "or": "||", "not": "!",
    },
    methods=METHODS | {"replace": (values.replace_all, 2, 2)},
    interpolate=_interpolate,
)  # fmt: skip


def parse(source: str) -> Tree:
    draft = Draft(source)
    return draft.finish(_Parser(draft).template())


class _Parser:
    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.at = 0
        self.text = ""  # literal text gathered so far
        self.directive = ""  # the one that ended the last block

    def template(self) -> Statement:
        body = self.block(until=())
        return body

    def text_with_references(self) -> Statement:
        found: list[Statement] = []
        while (start := _START.search(self.draft.source, self.at)) is not None:
            self.text += self.draft.source[self.at : start.start()]
            self.at = start.end()
            if start["name"]:
                self.flush(found)
                found.append(self.reference(start))
            else:
                self.text += start.group()
        self.text += self.draft.source[self.at :]
        self.flush(found)
        return block(found)

    def block(self, *, until: tuple[str, ...]) -> Statement:
        """Statements up to one of the directives `until` (taken), or the end of the template."""
        found: list[Statement] = []
        opened = self.at
        while (start := _START.search(self.draft.source, self.at)) is not None:
            self.text += self.draft.source[self.at : start.start()]
            self.at = start.end()
            directive = (start["directive"] or "").strip("{}")
            if directive in until:
                self.gobble(start.start())
                self.flush(found)
                self.directive = directive
                return block(found)
            if statement := self.statement(start, directive, found):
                found.append(statement)
        self.text += self.draft.source[self.at :]
        self.at = len(self.draft.source)
        self.flush(found)
        if until:
            raise self.draft.error("#end is missing for what starts here", max(opened - 1, 0))
        return block(found)

    def statement(self, start: re.Match[str], directive: str, found: list[Statement]) -> Statement | None:
        if start["name"]:
            self.flush(found)
            return self.reference(start)
        if directive in _REFUSED:
            raise self.draft.error(f"#{directive} is not available", start.start())
        if directive in _DIRECTIVES:
            return self.run(directive, start.start(), found)
        if start["escape"]:
            self.text += start.group()[1]
        elif start["raw"] is not None:
            self.text += start["raw"]
        elif start["line"]:
            self.gobble_comment(start)
        elif not start["comment"]:
            self.text += start.group()
        return None

    def run(self, directive: str, position: int, found: list[Statement]) -> Statement | None:
        if directive in ("elseif", "else", "end"):
            raise self.draft.error(f"#{directive} without #if or #foreach", position)
        inside = self.brackets(directive) if directive in _WITH_BRACKETS else None
        self.gobble(position)
        self.flush(found)
        if directive == "break":
            return _leave
        if directive == "stop":
            return _stop
        if inside is None:
            raise self.draft.error(f"#{directive} is followed by (…)", position)
        self.draft.enter(position)
        try:
            return {"set": self.set, "if": self.condition, "foreach": self.foreach}[directive](inside)
        finally:
            self.draft.leave()

    def set(self, inside: ExpressionParser) -> Statement:
        name = self.variable(inside)
        inside.expect("=")
        value = self.whole(inside)
        self.draft.declared.add(name)
        return assign(name, value)

    def condition(self, inside: ExpressionParser) -> Statement:
        branches = [(self.whole(inside), self.block(until=("elseif", "else", "end")))]
        while self.directive == "elseif":
            test = self.brackets("elseif")
            if test is None:
                raise self.draft.error("#elseif is followed by (…)", self.at)
            branches.append((self.whole(test), self.block(until=("elseif", "else", "end"))))
        return condition(branches, self.block(until=("end",)) if self.directive == "else" else None)

    def foreach(self, inside: ExpressionParser) -> Statement:
        name = self.variable(inside)
        if inside.advance().text != "in":
            raise self.draft.error("#foreach($x in $list) expected", self.at)
        over = self.whole(inside)
        self.draft.declared |= {name, *(f"foreach.{part}" for part in _FOREACH), "velocityCount"}
        body = self.block(until=("else", "end"))
        otherwise = self.block(until=("end",)) if self.directive == "else" else None

        def turn(item: Value, index: int, count: int) -> dict[str, Any]:
            place = (index, index + 1, index + 1 < count, index == 0, index + 1 == count)
            return {name: item, "velocityCount": index + 1} | {
                f"foreach.{part}": value for part, value in zip(_FOREACH, place, strict=True)
            }

        return loop(over, body, turn, otherwise)

    def variable(self, inside: ExpressionParser) -> str:
        token = inside.advance()
        if token.kind != "field":
            raise self.draft.error("a $name expected", token.position)
        return token.text.strip("$!{}")

    def whole(self, inside: ExpressionParser) -> Expression:
        found = inside.expression()
        if inside.token.kind != "end":
            raise inside.unexpected("')' expected")
        return found

    def brackets(self, directive: str) -> ExpressionParser | None:
        """The expression in (…) right behind a directive; None when there is no bracket."""
        source, start = self.draft.source, self.at
        while source.startswith((" ", "\t"), start):
            start += 1
        if not source.startswith("(", start):
            return None
        end = self.closing(start)
        self.at = end + 1
        return _Expressions(self.draft, GRAMMAR, tokenize(self.draft, GRAMMAR, start + 1, end))

    def closing(self, start: int) -> int:
        """Position of the bracket that closes the one at `start`, texts skipped."""
        depth, quote, position = 0, "", start
        while position < len(self.draft.source):
            character = self.draft.source[position]
            if quote:
                position += character == "\\"
                quote = "" if character == quote else quote
            elif character in "\"'":
                quote = character
            elif character in "()":
                depth += 1 if character == "(" else -1
                if depth == 0:
                    return position
            position += 1
        raise self.draft.error("'(' is not closed", start)

    def reference(self, start: re.Match[str]) -> Statement:
        """`$name`, with methods as far as they are known: in "$Prix.Merci" the full stop is text."""
        name = start["name"]
        read = self.draft.reference(name)
        while (method := _METHOD.match(self.draft.source, self.at)) is not None:
            if name == "foreach" and method[1] in _FOREACH:
                self.draft.references.pop("foreach", None)
                read = self.draft.reference(f"foreach.{method[1]}")
                self.at = method.end()
                continue
            has_bracket = self.draft.source.startswith("(", method.end())
            if method[1] not in GRAMMAR.methods and not has_bracket:
                break
            if not has_bracket and method[1] not in ("length", "size", "isEmpty"):
                break
            end = self.closing(method.end()) + 1 if has_bracket else method.end()
            tokens = tokenize(self.draft, GRAMMAR, method.start(1), end)
            read = ExpressionParser(self.draft, GRAMMAR, tokens).method(read)
            self.at = end
        if start["brace"]:
            read = self.closing_brace(read)
        return self.printed(name, read, is_quiet=bool(start["quiet"]))

    def closing_brace(self, read: Expression) -> Expression:
        source = self.draft.source
        if source.startswith("|", self.at):
            end = source.find("}", self.at)
            end = len(source) if end < 0 else end
            parser = _Expressions(self.draft, GRAMMAR, tokenize(self.draft, GRAMMAR, self.at + 1, end))
            default, value = self.whole(parser), read
            self.at = end
            read = lambda scope: found if is_true(found := value(scope)) else default(scope)  # noqa: E731
        if not source.startswith("}", self.at):
            raise self.draft.error("'}' expected", min(self.at, len(source)))
        self.at += 1
        return read

    def printed(self, name: str, read: Expression, *, is_quiet: bool) -> Statement:
        if self.draft.depth == 0:
            self.draft.sure.append("${" + name + "}")
        if is_quiet:
            return output(call(lambda value: "" if isinstance(value, Missing) else value, (read,)))
        return output(read)

    def flush(self, found: list[Statement]) -> None:
        if self.text:
            found.append(self.draft.literal(self.text))
            self.text = ""

    def gobble(self, position: int) -> None:
        """A line that holds only this directive disappears: its indentation and its line break."""
        source = self.draft.source
        line_start = source.rfind("\n", 0, position) + 1
        rest = re.compile(r"[ \t]*(?:\r?\n|$)").match(source, self.at)
        if rest is not None and not source[line_start:position].strip(" \t"):
            self.text = self.text.rstrip(" \t")
            self.at = rest.end()

    def gobble_comment(self, start: re.Match[str]) -> None:
        """`## …` keeps the line break of a line that has text."""
        line_start = self.draft.source.rfind("\n", 0, start.start()) + 1
        if self.draft.source[line_start : start.start()].strip(" \t"):
            self.text += "\n" if start["line"].endswith("\n") else ""
        else:
            self.text = self.text.rstrip(" \t")


class _Expressions(ExpressionParser):
    def primary(self) -> Expression:
        """`$foreach.index` inside an expression."""
        token = self.token
        if token.kind == "field" and token.text.strip("$!{}") == "foreach" and self.peek(2).text in _FOREACH:
            self.at += 3
            return self.draft.reference(f"foreach.{self.tokens[self.at - 1].text}")
        if token.kind == "name" and token.text not in values.TRUE_FALSE_NULL:
            raise self.unexpected("a $name expected")
        return super().primary()


def _leave(scope: Scope) -> None:
    raise Break


def _stop(scope: Scope) -> None:
    raise Stop
