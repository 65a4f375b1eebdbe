"""Visits wait in memory for a twentieth of a second, then are stored together, by one thread of their own.

A killed process loses what came in the last 100 ms at most; one that is asked to stop stores everything first. While the
database is away visits are kept, up to MOST, and stored when it is back.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence

from django.db import InterfaceError, OperationalError, close_old_connections, connection

from carillon.services import clicks
from carillon.services.clicks import Visit

logger = logging.getLogger(__name__)

LINGER_S = 0.05
MOST = 200_000
LONGEST_PAUSE_S = 5.0


class ClickWriter:
    def __init__(self, store: Callable[[Sequence[Visit]], None] = clicks.store, *, linger_s: float = LINGER_S) -> None:
        self._store = store
        self._linger_s = linger_s
        self._waiting: deque[Visit] = deque()
        self._has_some = threading.Event()
        self._is_stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.dropped = 0

    def start(self) -> None:
        if self._thread is None:
            self._is_stopping.clear()
            self._thread = threading.Thread(target=self._run, name="clicks", daemon=True)
            self._thread.start()

    def add(self, visit: Visit) -> None:
        """From any thread; never waits."""
        if len(self._waiting) >= MOST:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(visit)
        if not self._has_some.is_set():
            self._has_some.set()

    def stop(self) -> None:
        """Store what waits, then end. Waits for the database 10 seconds at most."""
        self._is_stopping.set()
        self._has_some.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None

    def _run(self) -> None:
        pause = 0.0
        try:
            while True:
                self._has_some.wait()
                self._is_stopping.wait(pause or self._linger_s)
                self._has_some.clear()
                taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), clicks.MOST))]
                left = self._keep(taken) if taken else []
                if left:
                    self._waiting.extendleft(reversed(left))
                    pause = min(max(pause * 2, 0.5), LONGEST_PAUSE_S)
                else:
                    pause = 0.0
                if self._waiting:
                    self._has_some.set()
                if self._is_stopping.is_set() and (pause or not self._waiting):
                    return
        finally:
            connection.close()

    def _keep(self, visits: list[Visit]) -> list[Visit]:
        """Those that must be tried again: all, while the database is away. One that cannot be stored holds up no other."""
        close_old_connections()
        try:
            self._store(visits)
        except (OperationalError, InterfaceError) as error:
            logger.warning("%s visits wait for the database: %s", len(visits), str(error).strip().partition("\n")[0])
            connection.close()
            return visits
        except Exception:
            if len(visits) == 1:
                logger.exception("a visit could not be stored: %r", visits[0])
                return []
            return [visit for one in visits for visit in self._keep([one])]
        finally:
            close_old_connections()
        return []
