"""`carillon up` starts everything, keeps it running and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from carillon.config.postgres import wait_until_stopped

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
LIMIT_S = 240


def free_ports() -> tuple[int, int]:
    """One for the pages, and the first of two neighbours for the simulator. Should another process take one before we do,
    `up` says so and the test fails loudly.
    """
    while True:
        with socket.create_server(("127.0.0.1", 0)) as web, socket.create_server(("127.0.0.1", 0)) as simulator:
            port = simulator.getsockname()[1]
            try:
                socket.create_server(("127.0.0.1", port + 1)).close()
            except OSError:
                continue
            return web.getsockname()[1], port


def until(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not happened():
        assert time.monotonic() < deadline, f"not in {LIMIT_S} s: {what}"
        time.sleep(0.1)


class Platform:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.port, simulator = free_ports()
        self.log = home / "up.log"
        environ = {name: value for name, value in os.environ.items() if not name.startswith("CARILLON_")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "carillon", "up", "--port", str(self.port), "--simulator-port", str(simulator)],
                env=environ | {"CARILLON_HOME": str(home)},
                stdout=log,
                stderr=log,
            )

    def child(self, name: str) -> int | None:
        """The process `carillon NAME` that this platform started."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if parent == self.process.pid and words[1:4] == [b"-m", b"carillon", name.encode()]:
                return int(entry.name)
        return None

    def answers(self) -> bool:
        if self.process.poll() is not None:
            pytest.fail(self.log.read_text())
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/login", timeout=30):
                return True
        except urllib.error.HTTPError:
            return True  # something answers, whatever it says
        except OSError:
            return False


@pytest.fixture
def platform() -> Iterator[Platform]:
    home = Path(tempfile.mkdtemp(prefix="carillon-test-up-", dir="/tmp"))
    home.chmod(0o711)
    running = Platform(home)
    yield running
    running.process.kill()
    running.process.wait()
    wait_until_stopped(home)
    shutil.rmtree((home / "postgres").resolve(), ignore_errors=True)
    shutil.rmtree(home)


def test_a_killed_worker_comes_back_and_a_signal_stops_everything(platform: Platform) -> None:
    until(platform.answers, "the web pages answer")
    until(lambda: platform.child("worker"), "the worker runs")
    worker = platform.child("worker")
    assert worker is not None

    os.kill(worker, signal.SIGKILL)
    until(lambda: platform.child("worker") not in {None, worker}, "another worker runs")
    platform.process.send_signal(signal.SIGTERM)

    assert platform.process.wait(LIMIT_S) == 0, platform.log.read_text()
    assert wait_until_stopped(platform.home), "PostgreSQL stops with the platform"


def test_nothing_outlives_a_killed_platform(platform: Platform) -> None:
    until(platform.answers, "the web pages answer")
    children = [pid for name in ("web", "worker", "gateway", "simulator") if (pid := platform.child(name))]
    assert children

    platform.process.kill()
    platform.process.wait()

    until(lambda: not any(is_alive(pid) for pid in children), "the children ended")
    assert wait_until_stopped(platform.home, timeout_s=LIMIT_S)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
