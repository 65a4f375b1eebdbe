"""The wall clock of the platform's processes and of the simulator, which may jump while they live; the database keeps the machine's.

A small library (clock.c), compiled here and preloaded, adds the seconds of a mapped file to what the kernel says. The monotonic
clock is left alone. Where there is no compiler, or no Linux, the clock stands as it is and never jumps.
"""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from carillon.domain import hours

CALENDAR = "FR"
SOURCE = Path(__file__).with_name("clock.c")
FORWARD_S, BACK_S = 3 * 3600, -2 * 3600


class Clock:
    """`base_s`: what the clock is ahead of the machine's when nothing jumped, so that three hours later is after closing time."""

    def __init__(self, folder: Path) -> None:
        self._library = _compiled(folder)
        self._file = folder / "clock"
        self._file.write_bytes(struct.pack("q", 0))
        with self._file.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)
        self.base_s = _nearest_afternoon_s(datetime.now(UTC)) if self._library else 0
        self.jumps: list[tuple[float, float]] = []  # real time: from when to when it stood elsewhere
        self.put(0)

    @property
    def can_jump(self) -> bool:
        return self._library is not None

    def put(self, jump_s: int) -> None:
        self._map[:] = struct.pack("q", self.base_s + jump_s)

    def jump(self, jump_s: int, for_s: float) -> None:
        began = time.time()
        self.put(jump_s)
        time.sleep(for_s)
        self.put(0)
        self.jumps.append((began, time.time()))

    def now(self) -> datetime:
        """As the processes see it when nothing jumps."""
        return datetime.now(UTC) + timedelta(seconds=self.base_s)

    def environ(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "CHAOS_CLOCK": str(self._file)} if self._library else {}


def _compiled(folder: Path) -> Path | None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        return None
    target = folder / "clock.so"
    made = subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(target), str(SOURCE)], check=False)
    return target if made.returncode == 0 else None


def _nearest_afternoon_s(now: datetime) -> int:
    """Seconds to the nearest moment that is open and lies less than three hours before closing time. Never two days away: what is
    older than that would be closed."""
    for step in range(0, 46 * 60, 5):
        for sign in (1, -1):
            at = now + timedelta(minutes=sign * step)
            later = at + timedelta(minutes=70)
            closed = at + timedelta(seconds=FORWARD_S)
            if hours.is_open(CALENDAR, at) and hours.is_open(CALENDAR, later) and not hours.is_open(CALENDAR, closed):
                return sign * step * 60
    return 0
