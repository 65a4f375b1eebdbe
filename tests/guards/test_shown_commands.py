"""Every command a document shows is one that exists: `make` targets, and `carillon` with the real parser."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from carillon.config.cli import build_parser
from tests.guards.source import ROOT, files, name

FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
BEFORE = re.compile(r"^(?:\$|sudo|ExecStart=|[A-Z_]+=\S*)$")  # what may stand in front of a program's name
ENDS = {"|", "||", "&&", "&", ";", ">", ">>", "<"}
GENERATED = {"docs/cli.md"}  # written from the parser itself


def _documents() -> list[Path]:
    return [path for path in files(suffix=".md") if name(path) not in GENERATED]


def _fenced(path: Path) -> Iterator[list[str]]:
    """The words of each line in a block of code, without its comment; lines that end in \\ are joined."""
    for block in FENCED.findall(path.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            try:
                yield shlex.split(line.replace("ExecStart=", "ExecStart= "), comments=True)
            except ValueError:  # output or another language, with a lone quotation mark
                continue


def _inline(path: Path) -> Iterator[str]:
    yield from INLINE.findall(FENCED.sub("", path.read_text(encoding="utf-8")))


def _arguments(words: list[str], program: str) -> list[str] | None:
    """What follows the program, when the line runs it; up to a pipe or a redirection."""
    rest = list(words)
    while rest and BEFORE.match(rest[0]):
        rest.pop(0)
    if not rest or "=" in rest[0] or Path(rest[0]).name != program:
        return None
    end = next((at for at, word in enumerate(rest) if word in ENDS or word[:1] in {"<", ">"}), len(rest))
    return rest[1:end]


def _command(words: list[str]) -> tuple[argparse.ArgumentParser, list[str]]:
    """The parser of the deepest command that these words name, and what is left of them. KeyError: there is none."""
    parser = build_parser()
    rest = list(words)
    while deeper := [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]:
        if not rest or rest[0].startswith("-"):
            break
        if not rest[0].isascii():  # `carillon account …`: the noun is meant
            break
        parser = deeper[0].choices[rest.pop(0)]
    return parser, rest


@pytest.mark.parametrize("path", _documents(), ids=name)
def test_commands_in_blocks_can_be_typed(path: Path) -> None:
    for words in _fenced(path):
        arguments = _arguments(words, "carillon")
        if arguments is None or any(word.startswith("%") for word in arguments):  # %i of systemd
            continue
        try:
            build_parser().parse_args(arguments)
        except SystemExit as end:
            assert end.code == 0, f"carillon {shlex.join(arguments)}: see what argparse wrote"


@pytest.mark.parametrize("path", _documents(), ids=name)
def test_commands_in_sentences_exist(path: Path) -> None:
    for code in _inline(path):
        if not code.startswith("carillon "):
            continue
        words = [word for part in code.split("|")[:1] for word in re.split(r"\s+", part)[1:] if word]
        try:
            parser, rest = _command(words)
        except KeyError as missing:
            pytest.fail(f"`{code}`: no command {missing}")
        known = {option for action in parser._actions for option in action.option_strings}
        unknown = [word for word in rest if word.startswith("--") and word.split("=")[0] not in known]
        assert not unknown, f"`{code}`"


@pytest.mark.parametrize("path", _documents(), ids=name)
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = [words for words in map(str.split, _inline(path)) if words[0] == "make"]
    shown += [["make", *found] for words in _fenced(path) if (found := _arguments(words, "make")) is not None]
    for words in shown:
        for word in words[1:]:
            if not re.fullmatch(r"[a-z][a-z-]*", word):
                continue  # a variable, an option, an ellipsis
            bench = ROOT / "bench" / f"{word.removeprefix('bench-')}.py"
            assert word in targets or (word.startswith("bench-") and bench.exists()), " ".join(words)
