"""The shape of the sources: rooms, sizes, names."""

from __future__ import annotations

import ast
import subprocess
import sys

from tests.guards.source import ROOT, files, name

LONGEST_FILE = 400  # lines
LONGEST_FUNCTION = 60  # lines; the aim is 40
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "data", "info", "misc"}


def test_imports_go_only_downwards() -> None:
    """The contracts stand in pyproject.toml; the output names the import that breaks one."""
    checked = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout[-3000:] + checked.stderr[-1000:]


def test_files_stay_readable() -> None:
    too_long = {
        name(path): lines
        for path in files("src", "tests", "bench", suffix=".py")
        if path.parent.name != "migrations"  # written by Django
        and (lines := path.read_text(encoding="utf-8").count("\n")) > LONGEST_FILE
    }
    assert not too_long, f"longer than {LONGEST_FILE} lines: cut by what they do"


def test_functions_stay_readable() -> None:
    too_long = {}
    for path in files("src", "bench", suffix=".py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    too_long[f"{name(path)}:{node.lineno} {node.name}"] = lines
    assert not too_long, f"longer than {LONGEST_FUNCTION} lines"


def test_no_module_is_named_after_nothing() -> None:
    vague = [name(path) for path in files("src", suffix=".py") if path.stem in VAGUE or path.parent.name in VAGUE]
    assert not vague
