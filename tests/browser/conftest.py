"""A real Chromium against a real server on loopback. Skipped, with a notice, where /usr/bin/chromium is missing.

world     (module)    a database with the people and things of tests.browser.world, and a server on it
visitor   (function)  a browser window on a database and a server of the test's own: visitor.page, visitor.sign_in(user)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from tests.browser.driving import Visitor, open_window
from tests.browser.server import Server
from tests.browser.world import World, build

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip(
            "NOTICE: /usr/bin/chromium is missing, so no page was tried in a browser (apt-get install chromium)"
        )
    from playwright.sync_api import sync_playwright

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright's loop runs in this thread; the ORM is used around it
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def world(
    chromium: Any, postgres: dict[str, Any], django_db_setup: None, django_db_blocker: Any
) -> Iterator[tuple[World, str]]:
    """The things to look at, and the address of their server. Made once for the module, as the pages only read them."""
    name = f"carillon_world_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    _run(postgres, f"CREATE DATABASE {name} TEMPLATE carillon_template STRATEGY file_copy")
    with django_db_blocker.unblock():
        connections["default"].close()
        before = connections["default"].settings_dict["NAME"]
        connections["default"].settings_dict["NAME"] = name
        try:
            with Server() as server:
                yield build(), server.url
        finally:
            connections["default"].close()
            connections["default"].settings_dict["NAME"] = before
    _run(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def visitor(chromium: Any, committed_db: str) -> Iterator[Visitor]:
    with Server() as server, open_window(chromium, server.url) as window:
        yield window


def _run(server: dict[str, Any], statement: str) -> None:
    with psycopg.connect(**(server | {"dbname": "postgres"}), autocommit=True) as connection:
        connection.execute(statement.encode())
