"""Every job that is asked for by name exists, with the arguments it is given."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from procrastinate.contrib.django import app

from carillon.config.procrastinate import load_jobs
from tests.guards.source import files, name

OPTIONS = {"at", "lock", "queueing_lock"}


def deferrals() -> Iterator[tuple[str, str, set[str]]]:
    """Where, which job, which arguments: every call of `defer` with a name written out."""
    for path in files("src", suffix=".py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == "defer" and isinstance(node.args[0].value, str):
                arguments = {keyword.arg for keyword in node.keywords if keyword.arg} - OPTIONS
                yield f"{name(path)}:{node.lineno}", node.args[0].value, arguments


def test_every_deferred_job_exists_and_takes_what_it_is_given() -> None:
    load_jobs()
    wrong = []
    for where, job, arguments in deferrals():
        task = app.tasks.get(job)
        if task is None:
            wrong.append(f"{where}: there is no job {job}")
        elif unknown := arguments - set(inspect.signature(task.func).parameters):
            wrong.append(f"{where}: {job} does not take {', '.join(sorted(unknown))}")
    assert not wrong


def test_jobs_are_asked_for_somewhere() -> None:
    assert list(deferrals()), "the guard above looks at nothing"
