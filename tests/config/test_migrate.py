"""On a given PostgreSQL, tables change only when somebody asks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.databases import Server, run


@pytest.fixture
def empty_database(postgres: Server) -> Iterator[str]:
    name = f"carillon_empty_{os.getpid()}"
    run(postgres, f"CREATE DATABASE {name}")
    yield f"postgresql://{postgres['user']}@/{name}?host={quote(str(postgres['host']), safe='')}"
    run(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def command(*arguments: str, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "carillon", *arguments],
        env=os.environ | {"CARILLON_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_empty_database_is_filled_by_migrate_only(empty_database: str) -> None:
    before = command("account", "list", url=empty_database)
    assert before.returncode == 8
    assert "carillon migrate" in before.stderr

    assert command("migrate", url=empty_database).returncode == 0

    assert command("account", "list", url=empty_database).returncode == 0


def test_a_database_that_does_not_answer_is_one_sentence() -> None:
    ended = command("account", "list", url="postgresql://carillon@127.0.0.1:1/carillon")

    assert ended.returncode == 8
    assert ended.stderr.startswith("carillon: PostgreSQL does not answer")
    assert ended.stderr.count("\n") == 1
