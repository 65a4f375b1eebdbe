"""What the redirector remembers: whose message a code is, for a minute, and who asked for codes that do not exist.

The messages of a campaign have consecutive ids, so one entry answers for all of them.
"""

from __future__ import annotations

import asyncio
import threading
import time
from bisect import bisect_right, insort
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection

from carillon.services import links
from carillon.services.links import Linked

Value = TypeVar("Value")

FRESH_S = 60.0
MOST_ENTRIES = 20_000
LOOK_UPS = 4  # at the same time


class Entry:
    """A campaign's links; `answers`: what was prepared for those whose target is the same for everyone."""

    __slots__ = ("answers", "linked", "until")

    def __init__(self, linked: Linked, until: float) -> None:
        self.linked = linked
        self.until = until
        self.answers: dict[int, object] = {}


class Book:
    def __init__(self, find: Callable[[int], Linked | None] = links.find) -> None:
        self._find = find
        self._firsts: list[int] = []
        self._entries: dict[int, Entry] = {}
        self._pool = ThreadPoolExecutor(LOOK_UPS, thread_name_prefix="links")
        self._turns = asyncio.Semaphore(LOOK_UPS)

    def known(self, message_id: int) -> Entry | None:
        """Without asking the database."""
        entry = self._at(message_id)
        return entry if entry is not None and entry.until > time.monotonic() else None

    def _at(self, message_id: int) -> Entry | None:
        at = bisect_right(self._firsts, message_id)
        if not at:
            return None
        entry = self._entries[self._firsts[at - 1]]
        return entry if message_id <= entry.linked.last else None

    async def find(self, message_id: int) -> Entry | None:
        async with self._turns:
            entry = self.known(message_id)  # another request may have asked meanwhile
            if entry is not None:
                return entry
            try:
                linked = await self.in_thread(self._find, message_id)
            except (OperationalError, InterfaceError):
                stale = self._at(message_id)
                if stale is None:
                    raise
                return stale  # the database is away: what was true a while ago still leads people on
        return None if linked is None else self._keep(linked)

    def _keep(self, linked: Linked) -> Entry:
        if len(self._firsts) >= MOST_ENTRIES:
            self._firsts.clear()
            self._entries.clear()
        if linked.first not in self._entries:
            insort(self._firsts, linked.first)
        entry = self._entries[linked.first] = Entry(linked, time.monotonic() + FRESH_S)
        return entry

    async def in_thread(self, call: Callable[..., Value], *arguments: object) -> Value:
        """Anything that reads the database or a file, away from the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _with_connection, call, arguments)

    def close(self) -> None:
        """Each thread gives its connection back; the barrier makes each take one of these deeds."""
        together = threading.Barrier(LOOK_UPS)
        for _ in range(LOOK_UPS):
            self._pool.submit(_close_connection, together)
        self._pool.shutdown(wait=True)


def _with_connection(call: Callable[..., Value], arguments: tuple[object, ...]) -> Value:
    close_old_connections()
    try:
        return call(*arguments)
    finally:
        close_old_connections()


def _close_connection(together: threading.Barrier) -> None:
    connection.close()
    together.wait(timeout=10)


class Guesses:
    """How often an address asked for codes that do not exist, a minute: who guesses is made to wait."""

    MOST = 30
    WINDOW_S = 60.0
    MOST_ADDRESSES = 50_000

    def __init__(self) -> None:
        self._misses: dict[str, int] = {}
        self._since = time.monotonic()

    def _begin(self) -> None:
        now = time.monotonic()
        if now - self._since > self.WINDOW_S or len(self._misses) > self.MOST_ADDRESSES:
            self._misses.clear()
            self._since = now

    def allows(self, address: str) -> bool:
        self._begin()
        return self._misses.get(address, 0) < self.MOST

    def miss(self, address: str) -> None:
        self._misses[address] = self._misses.get(address, 0) + 1


class Bursts:
    """Visits of one link from one address, a minute."""

    MOST_KEYS = 100_000
    WINDOW_S = 60.0

    def __init__(self) -> None:
        self._visits: dict[tuple[int, str], int] = {}
        self._since = time.monotonic()

    def count(self, message_id: int, address: str) -> int:
        now = time.monotonic()
        if now - self._since > self.WINDOW_S or len(self._visits) > self.MOST_KEYS:
            self._visits.clear()
            self._since = now
        key = (message_id, address)
        found = self._visits[key] = self._visits.get(key, 0) + 1
        return found
