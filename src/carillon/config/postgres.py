"""The PostgreSQL that comes with the platform: where it lives, and how a process attaches to it.

    carillon up, worker, web, tests …   each holds a shared lock on `users.lock` while it lives
    the guardian (one small process)    starts the server, restarts it when it dies, and stops it when nobody holds the
                                        lock any more; see postgres_guardian.py
    the server                          Unix socket only, in a folder of mode 0700

The kernel drops a lock when its holder dies, however it dies. So a `kill -9` of any of us leaves nothing behind, and no
counter can be wrong. Only this module, its two companions and the standard library: settings import it before Django exists.

    HOME/postgres.start.lock     one process at a time prepares and starts
    HOME/postgres.users.lock     shared: I use the server; exclusive: the guardian is stopping it
    HOME/postgres.guardian.lock  held by the living guardian
    HOME/postgres.error          why the last start failed
    HOME/postgres/               0700, of the user the server runs as; a link when that user cannot reach HOME
        data/ run/ log           the cluster, the socket, what the server says
        binaries-…/              copy of the wheel's programs, only when that user cannot reach the wheel
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psycopg

from carillon.domain.errors import CarillonError

DATABASE_NAME = "carillon"
ROLE = "carillon"
PORT = 5432  # only names the socket file: nothing listens on TCP
LONGEST_SOCKET_PATH = 107  # bytes in sockaddr_un.sun_path on Linux, less the final zero (macOS: 103)
SAY_AFTER_S = 10.0


class PostgresUnavailable(CarillonError):
    code = "postgres_unavailable"


def socket_folder(home: Path) -> Path:
    """Where the socket is. Under HOME, unless that path is too long for a socket: then a private folder of /tmp."""
    folder = home / "postgres" / "run"
    if len(os.fsencode(folder)) + len(f"/.s.PGSQL.{PORT}.lock") <= LONGEST_SOCKET_PATH - 4:
        return folder
    mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path("/tmp") / f"carillon-{os.getuid()}-{mark}"  # noqa: S108 (made 0700, and refused when it is not ours)


def make_home(home: Path) -> None:
    """The data folder, private. As root, the server's user must be able to walk through it (and only that)."""
    if not home.is_dir():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.chmod(0o700 if os.getuid() else 0o711)


def open_lock(home: Path, name: str) -> IO[str]:
    """The lock file, open and not yet locked. Never inherited by a program we start."""
    try:
        make_home(home)
        descriptor = os.open(home / f"postgres.{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise PostgresUnavailable(
            f"The data folder {home} cannot be used: {error}. Set CARILLON_HOME to another."
        ) from error
    return os.fdopen(descriptor, "r+")


def take(lock: IO[str], how: int) -> bool:
    """Take a lock without waiting; False when another process has it."""
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@dataclass
class Attachment:
    """While it stands, the server stays. `detach` gives it up; so does the end of this process."""

    home: Path
    lock: IO[str] | None
    connect_to: dict[str, str | int] = field(default_factory=dict)

    def detach(self, *, timeout_s: float = 120.0) -> bool:
        """Give the server up. Waits until it has stopped, unless others use it. True when it stopped."""
        if self.lock is None:
            return False
        self.lock.close()
        self.lock = None
        return wait_until_stopped(self.home, timeout_s=timeout_s)


def wait_until_stopped(home: Path, *, timeout_s: float = 120.0) -> bool:
    """Wait for the guardian to stop the server and leave. False when others use the server, or at the time-out."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if not guardian_lives(home):
            return True
        with open_lock(home, "users") as users:
            # Refused when the guardian is stopping the server: go on waiting. Granted shared but not exclusive: others use it.
            if take(users, fcntl.LOCK_SH) and not take(users, fcntl.LOCK_EX):
                return False
        time.sleep(0.05)
    return False


def attach(home: Path, *, is_durable: bool = True, say: Callable[[str], None] | None = None) -> Attachment:
    """Make sure the server of this home runs, and keep it running until `detach` or our end.

    Waits for a recovery however long it takes, and says so. Raises PostgresUnavailable when it cannot start.
    `is_durable` False, for tests, gives up what protects from a power cut. It counts when the cluster is made.
    """
    say = say or (lambda _sentence: None)
    home = home.absolute()
    users = open_lock(home, "users")
    fcntl.flock(users, fcntl.LOCK_SH)  # waits while a guardian is stopping the server
    attachment = Attachment(home, users)
    try:
        with open_lock(home, "start") as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            _start_and_wait(home, is_durable=is_durable, say=say)
            attachment.connect_to = {
                "host": str(socket_folder(home)),
                "port": PORT,
                "user": ROLE,
                "dbname": DATABASE_NAME,
            }
    except BaseException:
        users.close()
        raise
    return attachment


def heal(home: Path, *, say: Callable[[str], None]) -> None:
    """Start a lost guardian and its server again, for a process that is attached already."""
    with open_lock(home, "start") as start:
        fcntl.flock(start, fcntl.LOCK_EX)
        _start_and_wait(home, is_durable=True, say=say)


def _start_and_wait(home: Path, *, is_durable: bool, say: Callable[[str], None]) -> None:
    began = said = time.monotonic()
    spawned: subprocess.Popen[bytes] | None = None
    while True:
        if not guardian_lives(home) and (spawned is None or spawned.poll() is not None):
            if spawned is not None and (home / "postgres.error").exists():
                raise PostgresUnavailable((home / "postgres.error").read_text(encoding="utf-8").strip())
            (home / "postgres.error").unlink(missing_ok=True)
            spawned = _spawn_guardian(home, is_durable=is_durable)
        if _answers(home):
            if spawned is not None:
                spawned.returncode = 0  # it outlives us by design: no ResourceWarning, no waiting
            return
        if time.monotonic() - said >= SAY_AFTER_S:
            said = time.monotonic()
            say(f"PostgreSQL is starting or recovering ({said - began:.0f} s). Its log: {home / 'postgres' / 'log'}")
        time.sleep(0.05)


def guardian_lives(home: Path) -> bool:
    with open_lock(home, "guardian") as guardian:
        return not take(guardian, fcntl.LOCK_EX)


def _spawn_guardian(home: Path, *, is_durable: bool) -> subprocess.Popen[bytes]:
    """Start the guardian in a session of its own, so that Ctrl-C in our terminal does not reach it."""
    command = [sys.executable, "-m", "carillon.config.postgres_guardian", str(home)]
    if not is_durable:
        command.append("--not-durable")
    (home / "postgres.guardian.log").touch(mode=0o600)
    with (home / "postgres.guardian.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env=_plain_environ(),
            umask=0o022,  # as root, the server's user reads its programs' copies
        )
    return process


def _plain_environ() -> dict[str, str]:
    """Our environment without what steers libpq or the server (PGDATA, PGOPTIONS…) and without our secrets."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "CARILLON_"))}


def _answers(home: Path) -> bool:
    """True once the database can be used. Makes it in a fresh cluster."""
    host = str(socket_folder(home))
    try:
        with psycopg.connect(host=host, port=PORT, user=ROLE, dbname="postgres", autocommit=True) as connection:
            row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE_NAME,)).fetchone()
            if row is None:
                connection.execute(f"CREATE DATABASE {DATABASE_NAME}")
            return True
    except psycopg.OperationalError:
        return False
