"""Texts from people (MO): stored beside the ticks, acknowledged once stored, and noted as answered once the SMSC surely knows.

An SMSC repeats what it got no answer for, and SMPP gives a text no id: `services.inbound` recognises the repeat of a text whose
answer may not have arrived. It surely has once the session lived on for SURE_S after it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from carillon.domain.traffic import Inbound
from carillon.gateway.flow import Flow

logger = logging.getLogger(__name__)

SURE_S = 10.0
_LOOK_S = 1.0
_AGAIN_S = 1.0

# connector, texts, the sessions that stand -> their rows, in order
Store = Callable[[int, list[Inbound], frozenset[int]], "list[int] | None"]
Answered = Callable[[Sequence[int]], None]  # rows


class Texts:
    """Of one lane. `thread` is the only one that stores, so that texts keep their order."""

    def __init__(
        self, flow: Flow, connector_id: int, *, store: Store, answered: Answered, thread: ThreadPoolExecutor, name: str
    ) -> None:
        self._flow = flow
        self._connector_id = connector_id
        self._store = store
        self._answered = answered
        self._thread = thread
        self._name = name
        self._unsure: deque[tuple[float, int, int]] = deque()  # answered at, row, session
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Until cancelled."""
        flow = self._flow
        while True:
            try:
                await asyncio.wait_for(flow.inbound_arrived.wait(), _LOOK_S if self._unsure else None)
            except TimeoutError:
                pass
            flow.inbound_arrived.clear()
            taken, flow.inbounds = flow.inbounds, []
            if taken:
                await self._keep(taken)
            await self._note()

    async def _keep(self, taken: list[tuple[Inbound, object]]) -> None:
        texts = [text for text, _ in taken]
        while True:
            try:
                sessions = self._flow.carrier.sessions()
                rows = await self._loop.run_in_executor(self._thread, self._store, self._connector_id, texts, sessions)
                break
            except Exception:
                logger.exception("%s: %d inbound texts are not stored yet", self._name, len(taken))
                await asyncio.sleep(_AGAIN_S)
        self._flow.carrier.acknowledge([ack for _, ack in taken])
        now = self._loop.time()
        self._unsure.extend((now, row, text.session_id) for row, text in zip(rows or (), texts, strict=False) if row)

    async def _note(self) -> None:
        sure: list[int] = []
        before, sessions = self._loop.time() - SURE_S, self._flow.carrier.sessions()
        while self._unsure and self._unsure[0][0] <= before:
            _, row, session = self._unsure.popleft()
            if session in sessions:
                sure.append(row)
        if sure:
            try:
                await self._loop.run_in_executor(self._thread, self._answered, sure)
            except Exception:
                logger.exception("%s: %d texts stay unanswered in the table", self._name, len(sure))
