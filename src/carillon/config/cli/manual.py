"""The page docs/cli.md, written from the commands themselves: `python -m carillon.config.cli.manual > docs/cli.md`.

Not from argparse's own help, whose form differs between versions of Python.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from carillon.config.cli import build_parser
from carillon.config.cli.frame import EXIT_CODES

INTRODUCTION = """\
# The `carillon` command

For operators, scripts and CI. `--help` works everywhere. What a program reads goes to stdout, as a table or with `--json`;
what a person reads while waiting goes to stderr. Secrets are read from stdin, never from the command line.

A command that needs the database starts the platform's own PostgreSQL when it does not run, and stops it again.
"""


def as_markdown() -> str:
    lines = [INTRODUCTION, "## Exit codes", "", "| code | meaning |", "| --- | --- |"]
    lines += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    for name, parser in commands(build_parser(), "carillon"):
        lines += ["", *_page(name, parser)]
    return "\n".join(lines) + "\n"


def commands(parser: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command with its whole name, in the order of the help."""
    deeper = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not any(action.required for action in deeper):
        yield name, parser
    for action in deeper:
        for verb, child in action.choices.items():
            yield from commands(child, f"{name} {verb}")


def _page(name: str, parser: argparse.ArgumentParser) -> list[str]:
    left_out = (argparse._HelpAction, argparse._SubParsersAction)
    actions = [action for action in parser._actions if not isinstance(action, left_out)]
    positional = "".join(f" {_value(action)}" for action in actions if not action.option_strings)
    sentence = (parser.description or "").strip()
    lines = [f"## `{name}{positional}`", "", f"{sentence[:1].upper()}{sentence[1:]}."]
    options = [action for action in actions if action.option_strings]
    if options:
        lines += ["", "| option | meaning |", "| --- | --- |"]
        lines += [f"| `{_option(action)}` | {_meaning(action)} |" for action in options]
    return lines


def _value(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    if action.choices is not None:
        return "{" + ",".join(str(choice) for choice in action.choices) + "}"
    return action.dest.upper()


def _option(action: argparse.Action) -> str:
    takes = "" if action.nargs == 0 else f" {_value(action)}"
    return (", ".join(action.option_strings) + takes).replace("|", "\\|")


def _meaning(action: argparse.Action) -> str:
    words = (action.help or "").replace("|", "\\|").replace("%%", "%")
    return f"{words} (required)".strip() if action.required else words


if __name__ == "__main__":
    print(as_markdown(), end="")
