"""Receipts whose answer another gateway of the same connector may be about to record: tried again, a few times, soon.

Two processes share a connector's binds, and the SMSC sends a receipt to either. One that is read before the other process has
committed its answer matches nothing yet; it is safe in receipt_unmatched, and waits here for its next try.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from carillon.domain.traffic import Receipt

DELAYS_S = (0.1, 0.3, 1.0, 3.0)  # after that services.matching takes over
MOST = 2000  # a tick


class Company:
    def __init__(self) -> None:
        self._waiting: tuple[deque[tuple[float, Receipt]], ...] = tuple(deque() for _ in DELAYS_S)
        self._tried: dict[str, int] = {}  # id -> tries so far, of those in the tick now running

    def due(self, now: float) -> list[Receipt]:
        found: list[Receipt] = []
        for tries, queue in enumerate(self._waiting, 1):
            while queue and queue[0][0] <= now and len(found) < MOST:
                receipt = queue.popleft()[1]
                self._tried[receipt.carrier_message_id] = tries
                found.append(receipt)
        return found

    def keep(self, unknown: Iterable[Receipt], now: float) -> None:
        """After the tick: these matched nothing."""
        for receipt in unknown:
            tries = self._tried.get(receipt.carrier_message_id, 0)
            if tries < len(DELAYS_S):
                self._waiting[tries].append((now + DELAYS_S[tries], receipt))
        self._tried.clear()
