"""`carillon links` as a process of its own: clicks outlive it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.builders import make_connector
from tests.links.asking import IPHONE, codes, linked

PATIENCE_S = 120.0


class Process:
    def __init__(self, log: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "carillon", "links", "--port", str(self.port)], stdout=output, stderr=output,
                env=dict(os.environ),
            )  # fmt: skip
        self.log = log
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=10).close()
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.05)

    def click(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", path, headers={"User-Agent": IPHONE})
            return connection.getresponse().status
        finally:
            connection.close()


@pytest.fixture
def running(committed_db: str, tmp_path: Path) -> Iterator[Process]:
    make_connector()
    made = Process(tmp_path / "links.log")
    yield made
    if made.process.poll() is None:
        made.process.kill()
    made.process.wait(timeout=PATIENCE_S)


def stored(url: str) -> int:
    with psycopg.connect(url) as connection:
        row: Any = connection.execute("SELECT count(*) FROM click").fetchone()
        return int(row[0])


def test_sigterm_stores_what_waits(running: Process, committed_db: str) -> None:
    path = codes(linked())[0]
    assert [running.click(path) for _ in range(20)] == [302] * 20
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(timeout=PATIENCE_S)
    assert stored(committed_db) == 20, running.log.read_text()


def test_a_kill_loses_at_most_what_came_last(running: Process, committed_db: str) -> None:
    """Clicks are stored while the process lives: none of those seen in the table goes when it is killed."""
    path = codes(linked())[0]
    assert [running.click(path) for _ in range(20)] == [302] * 20
    deadline = time.monotonic() + PATIENCE_S
    while stored(committed_db) < 20:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    running.process.kill()
    running.process.wait(timeout=PATIENCE_S)
    assert stored(committed_db) == 20
