"""The platform's processes as a chaos run or a test starts, asks and kills them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

PATIENCE_S = float(os.environ.get("PATIENCE_S", "180"))  # for facts on a loaded machine: it only bounds a failure


class TooLate(AssertionError):
    """A fact did not come true in time."""


def wait_until(fact: Callable[[], Any], *, what: str, timeout_s: float = PATIENCE_S, every_s: float = 0.05) -> Any:
    """The first true answer of `fact`. Raises TooLate naming `what`."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = fact()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TooLate(f"{what}: not within {timeout_s:g} s")
        time.sleep(every_s)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


class Process:
    """A child with its output in a file; ended, however it must, by `close`."""

    def __init__(self, arguments: list[str], *, log: Path, environ: Mapping[str, str] | None = None) -> None:
        self.log = log
        self._output: IO[bytes] = log.open("ab")
        self.popen = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT,
            env={**os.environ, **(environ or {})},
        )  # fmt: skip

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()

    def pause(self) -> None:
        self.popen.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.popen.send_signal(signal.SIGCONT)

    def stop(self, *, timeout_s: float = PATIENCE_S) -> int:
        self.popen.terminate()
        return self.popen.wait(timeout_s)

    def close(self) -> None:
        if self.popen.poll() is None:
            self.go_on()
            self.kill()
        self._output.close()

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


class Gateway(Process):
    def __init__(self, folder: Path, *, environ: Mapping[str, str], only: str = "") -> None:
        arguments = [sys.executable, "-m", "carillon.gateway", *([only] if only else [])]
        super().__init__(arguments, log=folder / "gateway.log", environ=environ)


class Simulator(Process):
    """`ask` speaks to its control port; `recorded` gives what it accepted, one dict for each segment."""

    def __init__(self, folder: Path, *, environ: Mapping[str, str] | None = None, **options: Any) -> None:
        self.record = folder / "accepted.jsonl"
        changes = [text for name, value in options.items() for text in ("--set", f"{name}={json.dumps(value)}")]
        module = [sys.executable, "-m", "carillon.carriers.simulator"]
        super().__init__(
            [*module, "--port", "0", "--control-port", "0", "--record", str(self.record), *changes],
            log=folder / "simulator.log", environ=environ,
        )  # fmt: skip
        wait_until(lambda: "control on" in self.said() or self.popen.poll() is not None, what="the simulator listens")
        words = self.said().split()
        self.port, self.control_port = (
            int(word.rpartition(":")[2].rstrip(",")) for word in words if "127.0.0.1:" in word
        )

    def ask(self, op: str, **request: Any) -> dict[str, Any]:
        with socket.create_connection(("127.0.0.1", self.control_port), timeout=PATIENCE_S) as connection:
            connection.sendall(json.dumps({"op": op, **request}).encode() + b"\n")
            answer: dict[str, Any] = json.loads(connection.makefile("rb").readline())
        if not answer["ok"]:
            raise ValueError(answer["error"])
        return answer

    def recorded(self) -> list[dict[str, Any]]:
        if not self.record.exists():
            return []
        lines = self.record.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def numbers(self) -> list[int]:
        """One for each message: of long ones only the first segment counts."""
        return [int(line["to"]) for line in self.recorded() if not line["header"] or int(line["header"][-2:], 16) == 1]
