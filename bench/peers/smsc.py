"""The SMSC all sides speak to, fresh for each run.

SMSC=host:port    one that runs already; its latency and receipts are what it makes them
SMSCSINK=path     a small C stand-in (program, or one C file to compile), started with --port --dlr --latency --quiet [--quickack]
neither           our own simulator, in Python: it answers about as fast as one gateway sends, so the gateway waits for it
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.measure import free_ports
from bench.processes import Process, wait_until


class Centre:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.given = os.environ.get("SMSC", "")
        self.program = "" if self.given else _program(os.environ.get("SMSCSINK", ""), folder)

    def __str__(self) -> str:
        if self.given:
            return f"the SMSC at {self.given}, as it is"
        return "the C stand-in" if self.program else "our own simulator (Python)"

    @property
    def latencies_ms(self) -> tuple[int, ...]:
        """Those it can be asked for."""
        return (0,) if self.given else (0, 20, 200)

    @contextmanager
    def open(self, latency_ms: int, *, acks_at_once: bool = False) -> Iterator[tuple[str, int]]:
        """Host and port, listening. Receipts leave at once after the answer, which comes `latency_ms` after the message.

        `acks_at_once`, of the C one: each TCP segment is acknowledged at once, not with the next answer or 40 ms later as
        Linux does by itself. That hides that a peer lacks TCP_NODELAY, in its favour.
        """
        if self.given:
            host, _, digits = self.given.rpartition(":")
            yield host or "127.0.0.1", int(digits)
            return
        port = free_ports(1)[0]
        process = Process(self._command(port, latency_ms, acks_at_once), log=self.folder / "smsc.log")
        try:
            wait_until(lambda: _listens(port) or process.popen.poll() is not None, what="the SMSC listens")
            if process.popen.poll() is not None:
                raise SystemExit(f"the SMSC did not start: {process.said()[-300:]}")
            yield "127.0.0.1", port
        finally:
            process.close()

    @property
    def can_ack_at_once(self) -> bool:
        return bool(self.program)

    def _command(self, port: int, latency_ms: int, acks_at_once: bool) -> list[str]:
        if self.program:
            command = [self.program, "--port", str(port), "--dlr", "--quiet", "--latency", str(latency_ms)]
            return [*command, "--quickack"] if acks_at_once else command
        options = ("receipt_delay_s=0", 'mix={"delivered":100}', f"answer_delay_s={latency_ms / 1000}")
        module = [sys.executable, "-m", "carillon.carriers.simulator", "--port", str(port), "--control-port", "0"]
        return [*module, *(word for option in options for word in ("--set", option))]


def _program(path: str, folder: Path) -> str:
    if not path.endswith(".c"):
        return str(Path(path).absolute()) if path else ""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("SMSCSINK is a C file and there is no C compiler here: give the program instead.")
    target = folder / "smsc-stand-in"
    subprocess.run([compiler, "-O2", "-o", str(target), path], check=True)
    return str(target)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        time.sleep(0.02)
        return False
    return True
