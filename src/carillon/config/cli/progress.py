"""A live line on the terminal: a bar when stderr is one, a line now and then when it is a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType

WIDTH = 30
EVERY_S = 0.1  # redraw of a terminal
LOG_EVERY_S = 5.0  # line of a log


class Bar:
    """`with Bar("Importing", unit="rows") as bar: bar.at(done, total)`. Writes to stderr, so that stdout stays data."""

    def __init__(self, title: str, *, unit: str) -> None:
        self.title, self.unit = title, unit
        self.is_terminal = sys.stderr.isatty()
        self.started = self.drawn = time.monotonic()
        self.done = self.total = 0
        self.note = ""

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_terminal and (self.done or self.total):
            self._draw()
            print(file=sys.stderr)

    def at(self, done: int, total: int, note: str = "") -> None:
        self.done, self.total, self.note = done, total, note
        now = time.monotonic()
        if now - self.drawn >= (EVERY_S if self.is_terminal else LOG_EVERY_S):
            self.drawn = now
            self._draw()

    def line(self) -> str:
        share = min(self.done / self.total, 1) if self.total else 0
        filled = int(share * WIDTH)
        rate = self.done / max(time.monotonic() - self.started, 0.001)
        text = (
            f"{self.title} [{'█' * filled}{'·' * (WIDTH - filled)}] {share:4.0%} {self.done}/{self.total} {self.unit}"
        )
        return f"{text} · {rate:,.0f}/s{' · ' + self.note if self.note else ''}"

    def _draw(self) -> None:
        if self.is_terminal:
            print(f"\r\x1b[2K{self.line()}", end="", file=sys.stderr, flush=True)
        else:
            print(self.line(), file=sys.stderr, flush=True)
