"""A gateway's ear for carrier tests: remembers what it is told, and waits for what should come."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from carillon.carriers.base import Carrier, CarrierState
from carillon.carriers.simulator import Simulator, SimulatorOptions, serve
from carillon.carriers.smpp.client import SmppCarrier
from carillon.carriers.smpp.options import parse
from carillon.domain.traffic import Answer, Inbound, Outbound, Receipt

PATIENCE_S = 60.0  # only ever reached by a test that fails
FRENCHMAN = 33612345678


def looped(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Runs an async test in an event loop of its own."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(2 * PATIENCE_S):
                await test(*args, **kwargs)

        asyncio.run(bounded())

    return run


class Ear:
    """`acks_at_once` false keeps the tokens in `acks`, as a gateway that has not committed yet."""

    def __init__(self, *, acks_at_once: bool = True) -> None:
        self.carrier: Carrier
        self.acks_at_once = acks_at_once
        self.answers: list[Answer] = []
        self.receipts: list[Receipt] = []
        self.inbounds: list[Inbound] = []
        self.acks: list[object] = []
        self.written: list[int] = []
        self.lost: list[int] = []
        self.unsent: list[Outbound] = []
        self.states: list[CarrierState] = []
        self.log: list[str] = []  # order of events
        self._news = asyncio.Event()

    async def until(self, seen: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not seen():
                self._news.clear()
                try:
                    async with asyncio.timeout(0.05):  # for conditions that no event of ours announces
                        await self._news.wait()
                except TimeoutError:
                    continue

    async def bound(self) -> None:
        await self.until(lambda: self.states and self.states[-1] is CarrierState.BOUND)

    def _note(self, what: str) -> None:
        self.log.append(what)
        self._news.set()

    def _ack(self, acks: list[object]) -> None:
        if self.acks_at_once:
            self.carrier.acknowledge(acks)
        else:
            self.acks += acks

    def on_answers(self, answers: list[Answer]) -> None:
        self.answers += answers
        self._note("answers")

    def on_receipts(self, receipts: list[tuple[Receipt, object]]) -> None:
        self.receipts += [receipt for receipt, _ in receipts]
        self._ack([ack for _, ack in receipts])
        self._note("receipts")

    def on_inbounds(self, inbounds: list[tuple[Inbound, object]]) -> None:
        self.inbounds += [inbound for inbound, _ in inbounds]
        self._ack([ack for _, ack in inbounds])
        self._note("inbounds")

    def on_written(self, message_ids: list[int]) -> None:
        self.written += message_ids
        self._note("written")

    def on_lost(self, message_ids: list[int]) -> None:
        self.lost += message_ids
        self._note("lost")

    def on_unsent(self, messages: list[Outbound]) -> None:
        self.unsent += messages
        self._note("unsent")

    def on_state(self, state: CarrierState, reason: str) -> None:
        self.states.append(state)
        self._note(f"state {state}")


def outbound(
    message_id: int = 1, *, to: int = FRENCHMAN, text: str = "Bonjour", sender: str = "ACME", **more: Any
) -> Outbound:
    return Outbound(message_id, to, text, sender, **more)


@asynccontextmanager
async def simulator(**options: Any) -> AsyncIterator[Simulator]:
    options.setdefault("receipt_delay_s", 0.0)
    running = await serve("127.0.0.1", 0, 0, SimulatorOptions(**options))
    try:
        yield running
    finally:
        await running.close()


@asynccontextmanager
async def carrier_to(port: int, *, ear: Ear | None = None, **options: Any) -> AsyncIterator[tuple[SmppCarrier, Ear]]:
    """A started carrier with short waits; closed at the end."""
    quick = {"reconnect_min_s": 0.01, "reconnect_max_s": 0.05, "pause_min_s": 0.01, "pause_max_s": 0.05}
    ear = ear or Ear()
    carrier = SmppCarrier(parse({"host": "127.0.0.1", "port": port, "system_id": "test", **quick, **options}))
    ear.carrier = carrier
    await carrier.start(ear)
    try:
        yield carrier, ear
    finally:
        await carrier.close()
