"""One PostgreSQL for the whole session, from the wheel; one database per worker, cloned from a migrated template.

@pytest.mark.django_db      the test runs in a transaction that is rolled back: the usual case, and the fastest
committed_db (fixture)      the test has a database of its own, really committed, that other threads, connections and
                            processes can see; its address is the fixture's value, and CARILLON_DATABASE_URL for children
shared_db (fixture)         as committed_db, for a whole module: its tests make accounts of their own
"""

from __future__ import annotations

import fcntl
import ipaddress
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django
import hypothesis
import pytest

from tests.databases import TEMPLATE, Clone, Server, exists, run

for name in [name for name in os.environ if name.startswith("CARILLON_") and name != "CARILLON_HOME"]:
    del os.environ[name]
if "PYTEST_XDIST_WORKER" not in os.environ:  # the controller makes the place; its workers inherit it
    os.environ["CARILLON_HOME"] = tempfile.mkdtemp(prefix="carillon-test-", dir="/tmp")
HOME = Path(os.environ["CARILLON_HOME"])
HOME.chmod(0o711)  # as root, PostgreSQL runs as another user, who must be able to walk through
os.environ["CARILLON_SECRET_KEY"] = "for tests only"
os.environ["CARILLON_TEST_FAST_PASSWORDS"] = "yes"
os.environ["DJANGO_SETTINGS_MODULE"] = "carillon.config.settings"
django.setup()
_numbers = itertools.count(1)
# The same examples at each run: a red run must be about the change, not about luck. `make fuzz` draws new ones.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True, database=None, max_examples=100)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=5000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_unconfigure(config: pytest.Config) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        from carillon.config.postgres import guardian_lives, wait_until_stopped

        if guardian_lives(HOME):
            wait_until_stopped(HOME)
        cluster = (HOME / "postgres").resolve()
        shutil.rmtree(cluster, ignore_errors=True)
        shutil.rmtree(HOME, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        marker = item.get_closest_marker("django_db")
        if marker and (marker.kwargs.get("transaction") or "transactional_db" in getattr(item, "fixturenames", ())):
            # Emptying tables would also empty what migrations put there, and miss the tables Django does not manage.
            raise pytest.UsageError(f"{item.nodeid}: use the fixture committed_db instead of transaction=True")


def _only_loopback(event: str, arguments: tuple[Any, ...]) -> None:
    """Nothing in the tests talks to another machine. Unix sockets and loopback pass."""
    if event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        if isinstance(address, tuple) and not _is_loopback(str(address[0])):
            raise RuntimeError(f"tests may not reach {address}")
    elif event == "socket.getaddrinfo" and arguments[0] and not _is_loopback(_decoded(arguments[0])):
        raise RuntimeError(f"tests may not look up {arguments[0]!r}")


def _decoded(host: str | bytes) -> str:
    return host.decode() if isinstance(host, bytes) else host


def _is_loopback(host: str) -> bool:
    if host in {"localhost", ""} or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


sys.addaudithook(_only_loopback)


@pytest.fixture(scope="session")
def postgres(django_test_environment: None, django_db_blocker: Any) -> Iterator[Server]:
    """The session's server, with its migrated template database. Gives what psycopg needs to reach it."""
    from django.core.management import call_command
    from django.db import connections

    from carillon.config.postgres import attach

    attachment = attach(HOME, is_durable=False)
    with (HOME / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not exists(attachment.connect_to, TEMPLATE):
            connections["default"].settings_dict["NAME"] = f"{TEMPLATE}_draft"
            run(attachment.connect_to, f"DROP DATABASE IF EXISTS {TEMPLATE}_draft WITH (FORCE)")
            run(attachment.connect_to, f"CREATE DATABASE {TEMPLATE}_draft")
            with django_db_blocker.unblock():
                call_command("migrate", verbosity=0, interactive=False)
                connections["default"].close()
            run(attachment.connect_to, f"ALTER DATABASE {TEMPLATE}_draft RENAME TO {TEMPLATE}")
    yield attachment.connect_to
    connections["default"].close()
    attachment.detach()


@pytest.fixture(scope="session")
def django_db_setup(postgres: Server, django_db_blocker: Any) -> Iterator[None]:
    """This worker's database, shared by the tests that roll back. Replaces pytest-django's own."""
    with Clone(postgres, f"carillon_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}", django_db_blocker):
        yield


@pytest.fixture
def committed_db(
    postgres: Server, django_db_setup: None, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    name = f"carillon_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{next(_numbers)}"
    url = f"postgresql://{postgres['user']}@/{name}?host={quote(str(postgres['host']), safe='')}"
    monkeypatch.setenv("CARILLON_DATABASE_URL", url)
    with Clone(postgres, name, django_db_blocker), django_db_blocker.unblock():
        yield url


@pytest.fixture(scope="module")
def shared_db(postgres: Server, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """As committed_db, but one for a whole module, whose tests then make accounts and campaigns of their own."""
    name = f"carillon_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{next(_numbers)}"
    url = f"postgresql://{postgres['user']}@/{name}?host={quote(str(postgres['host']), safe='')}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARILLON_DATABASE_URL", url)
        with Clone(postgres, name, django_db_blocker), django_db_blocker.unblock():
            yield url
