"""What a side of the comparison used: processor time and memory of whole trees of processes, from /proc."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Self

EVERY_S = 0.25
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Result:
    """Of one run. `seconds` from the first message handed over until the last receipt was known to the side."""

    messages: int
    seconds: float
    cpu_s: float
    peak_mb: float

    @property
    def rate(self) -> float:
        return self.messages / self.seconds

    @property
    def cpu_per_1000(self) -> float:
        return self.cpu_s / self.messages * 1000


class Meter:
    """While the block lasts: CPU seconds of these processes and all their children, also of those that ended;
    the most memory they had together, shared memory counted once (looked at every quarter of a second)."""

    def __init__(self, *roots: int) -> None:
        self.roots = roots
        self.cpu_s = self.peak_mb = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._before = sum(cpu_s(pid) for pid in family(self.roots))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu_s = sum(cpu_s(pid) for pid in family(self.roots)) - self._before
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.peak_mb = max(self.peak_mb, memory_mb(family(self.roots)))
            if self._stop.wait(EVERY_S):
                return


def family(roots: tuple[int, ...]) -> set[int]:
    """These processes and all that descend from them."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = _stat(int(entry))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry))
    found: set[int] = set()
    todo = list(roots)
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.add(pid)
            todo += children.get(pid, [])
    return found


def cpu_s(pid: int) -> float:
    """User and system time of a process and of the children it has waited for; 0 when it is gone."""
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / _TICK if fields else 0.0


def memory_mb(pids: set[int]) -> float:
    private = shared = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            continue
        sizes = {name: int(rest.split()[0]) for name, _, rest in (x.partition(":") for x in lines if x[:3] == "Rss")}
        private += sizes.get("RssAnon", 0)
        shared = max(shared, sizes.get("RssShmem", 0))
    return (private + shared) / 1024


def _stat(pid: int) -> list[str]:
    """The fields after the name: state, parent, …"""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def free_ports(n: int) -> list[int]:
    held = [socket.socket() for _ in range(n)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()
