"""The launcher of the embedded PostgreSQL, with a server of its own for each test."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

import carillon
from carillon.config.postgres import PostgresUnavailable, attach, guardian_lives, socket_folder, wait_until_stopped
from carillon.config.postgres_cluster import PACKAGE

HOLD = """
import sys
from pathlib import Path
from carillon.config.postgres import attach
attach(Path(sys.argv[1]), is_durable=False)
print("attached", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    # Not tmp_path: as root, the server's user could not walk through pytest's private folders.
    folder = Path(tempfile.mkdtemp(prefix="carillon-test-pg-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    wait_until_stopped(folder)
    shutil.rmtree((folder / "postgres").resolve(), ignore_errors=True)
    shutil.rmtree(folder)


@pytest.fixture
def holder(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the server."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "attached\n"
        yield process
        process.kill()


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in two minutes"
        time.sleep(0.05)


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])


def guardian(home: Path) -> int:
    return int(Path(f"/proc/{postmaster(home)}/stat").read_text().rpartition(")")[2].split()[1])


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def rows(where: dict[str, str | int]) -> list[tuple[int, ...]] | None:
    try:
        with psycopg.connect(**where) as connection:  # type: ignore[arg-type]
            return connection.execute("SELECT number FROM kept").fetchall()
    except psycopg.OperationalError:
        return None


def keep_a_row(where: dict[str, str | int]) -> None:
    with psycopg.connect(**where) as connection:  # type: ignore[arg-type]
        connection.execute("CREATE TABLE kept (number int)")
        connection.execute("INSERT INTO kept VALUES (7)")


def test_the_server_stops_with_its_last_user(home: Path, holder: subprocess.Popen[str]) -> None:
    mine = attach(home)
    pid = postmaster(home)

    assert not mine.detach(), "the other process still uses it"
    assert not is_gone(pid)

    holder.kill()
    until(lambda: is_gone(pid) and not guardian_lives(home))


def test_what_was_committed_is_there_at_the_next_start(home: Path) -> None:
    first = attach(home)
    keep_a_row(first.connect_to)
    assert first.detach()

    second = attach(home)

    assert rows(second.connect_to) == [(7,)]
    assert second.detach()


def test_a_killed_postmaster_comes_back_with_its_data(home: Path) -> None:
    mine = attach(home)
    keep_a_row(mine.connect_to)
    before = postmaster(home)

    os.kill(before, signal.SIGKILL)

    until(lambda: rows(mine.connect_to) == [(7,)] and postmaster(home) != before)
    assert mine.detach()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_killed_guardian_takes_the_server_along_and_the_next_start_heals(home: Path) -> None:
    mine = attach(home)
    keep_a_row(mine.connect_to)
    server = postmaster(home)

    os.kill(guardian(home), signal.SIGKILL)
    until(lambda: is_gone(server))
    again = attach(home)

    assert rows(again.connect_to) == [(7,)]
    mine.detach()
    assert again.detach()


def test_no_tcp_port_and_a_private_socket(home: Path) -> None:
    mine = attach(home)
    with psycopg.connect(**mine.connect_to) as connection:  # type: ignore[arg-type]
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    assert socket_folder(home).stat().st_mode & 0o777 == 0o700
    assert (home / "postgres").stat().st_mode & 0o777 == 0o700
    assert mine.detach()


def test_a_folder_we_did_not_make_keeps_its_permissions(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)

    mine = attach(closed)

    try:
        assert closed.stat().st_mode & 0o777 == 0o700
        assert home.stat().st_mode & 0o777 == 0o711
    finally:
        assert mine.detach()
        shutil.rmtree((closed / "postgres").resolve())


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    attach(home).detach()
    with (home / "postgres" / "data" / "carillon.conf").open("a") as configuration:
        configuration.write("shared_buffers = plenty\n")

    with pytest.raises(PostgresUnavailable, match="plenty"):
        attach(home)


def test_a_stranger_with_the_number_of_the_old_postmaster_does_not_block_the_start(home: Path) -> None:
    attach(home).detach()
    (home / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{home}/postgres/data\n")

    mine = attach(home)

    assert postmaster(home) != os.getpid()
    assert mine.detach()


def test_a_long_home_gets_a_short_socket(home: Path) -> None:
    deep = home / ("x" * 100)
    deep.mkdir(mode=0o711)
    folder = socket_folder(deep)
    assert len(os.fsencode(folder)) + len("/.s.PGSQL.5432") <= 103

    mine = attach(deep)

    assert mine.detach()
    shutil.rmtree(folder)


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs the server as another user")
def test_programs_nobody_else_can_read_are_copied(home: Path, tmp_path: Path) -> None:
    """As when the packages were installed by root under umask 077."""
    spec = find_spec(PACKAGE)
    assert spec is not None and spec.origin is not None
    package = Path(spec.origin).parent
    private = tmp_path / "site"
    private.mkdir(mode=0o700)
    unused = shutil.ignore_patterns("pginstall", "include", "*.a")
    shutil.copytree(package, private / package.name, ignore=unused)
    shutil.copytree(package.parent / f"{PACKAGE}.libs", private / f"{PACKAGE}.libs")
    for path in private.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)

    used = subprocess.run(
        [sys.executable, "-c", HOLD, str(home)],
        env=os.environ | {"PYTHONPATH": f"{private}:{Path(carillon.__file__).parents[1]}"},
        input="",
        capture_output=True,
        text=True,
        check=False,
    )

    assert used.returncode == 0, used.stderr
    assert list((home / "postgres").glob("binaries-*"))
    assert private.stat().st_mode & 0o777 == 0o700
