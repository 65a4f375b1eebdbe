"""One connector's lane: takes its seat, then alternates between the carrier and the database, one tick in flight.

    loop thread      the carrier's bytes, Flow, Book: no database, no waiting for a single message
    writer thread    one tick after another (gateway.writer)

The seat is held by the run's row; losing it (Fenced) ends the lane at once: whatever was not written is then the successor's.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from carillon.carriers.base import Carrier
from carillon.gateway import health, recorder
from carillon.gateway.flow import Flow
from carillon.gateway.recorder import Recorder
from carillon.gateway.texts import Answered, Store, Texts
from carillon.gateway.ticker import Ticker
from carillon.gateway.writer import Connect, Writer
from carillon.services import live, recovery

logger = logging.getLogger(__name__)

HEALTH_S = 2.0


@dataclass(frozen=True, slots=True)
class Connector:
    """What a lane needs of the connector's row; a change of any of it ends the lane and starts another."""

    id: int
    name: str
    kind: str
    medium: str
    options: str  # JSON
    secret: str
    seats: int = 1
    sender_rates: tuple[tuple[str, float], ...] = ()  # segments a second of a sender, or of a kind of senders


class Lane:
    """`clock` is the legal clock (aware UTC), a parameter for the tests' sake."""

    def __init__(
        self, connector: Connector, carrier: Callable[[], Carrier], *, connect: Connect, home: Path,
        store: Store, answered: Answered, clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self.connector = connector
        self.folder = home / "gateway"
        self.clock = clock
        self._carrier_of = carrier
        self._store, self._answered = store, answered
        self.writer = Writer(connect)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"writer-{connector.name}")
        self._side = ThreadPoolExecutor(1, thread_name_prefix=f"inbound-{connector.name}")
        self._stop = asyncio.Event()
        self._woken = asyncio.Event()
        self.ticker: Ticker | None = None
        self.recorder: Recorder | None = None
        self._reported_at = float("-inf")
        self._told_at: str | None = None  # by a callback, of an HTTP carrier

    # ------------------------------------------------------------------ life

    async def run(self) -> None:
        """Until `stop`, or the seat is lost (Fenced), or something breaks."""
        try:
            if not await self._sit_down():
                return
            await self._work()
        finally:
            self.writer.abandon()
            self._thread.submit(self.writer.close)
            self._thread.shutdown(wait=False)
            self._side.shutdown(wait=False)

    def stop(self) -> None:
        """A clean end: open answers are waited for, the rest goes back."""
        self._stop.set()
        self._woken.set()

    async def _in_thread(self, deed: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, deed, *arguments)

    async def _sit_down(self) -> bool:
        """Waits for a free seat; False when told to stop first."""
        is_waiting = False
        while not self._stop.is_set():
            run = await self._in_thread(self.writer.persist, self._take_seat)
            if run is not None:
                run.medium = "VMS" if self.connector.medium == "VMS" else "MOBILE"
                self.writer.run = run
                self.recorder = self._open_recorder(run.id)
                found = await self._in_thread(self.writer.persist, self._recover)
                if found.slices:
                    logger.warning(
                        "%s: recovered %d slices of a run that died: %d messages ready again, %d in doubt",
                        self.connector.name, found.slices, found.ready, found.in_doubt,
                    )  # fmt: skip
                return True
            if not is_waiting:
                is_waiting = True
                logger.info("%s: every seat is taken, waiting for one", self.connector.name)
            try:
                await asyncio.wait_for(self._stop.wait(), 1.0)
            except TimeoutError:
                pass
        return False

    def _open_recorder(self, run_id: int) -> Recorder | None:
        try:
            return Recorder(self.folder, run_id)
        except OSError as error:
            logger.error("no flight recorder, more may be in doubt after a crash: %s", error)
            return None

    def _take_seat(self, connection: psycopg.Connection[Any]) -> Any:
        return recovery.take_seat(
            connection, self.connector.id, seat_count=self.connector.seats, host=socket.gethostname(), pid=os.getpid(),
            is_gone=self._is_gone,
        )  # fmt: skip

    def _is_gone(self, seat: recovery.Seat) -> bool:
        return recorder.is_gone(self.folder, seat.run_id)

    def _recover(self, connection: psycopg.Connection[Any]) -> recovery.Recovered:
        run = self.writer.run
        assert run is not None
        seen: set[int] = set()

        def written_by(run_id: int) -> frozenset[int] | None:
            seen.add(run_id)
            return recorder.written_by(self.folder, run_id)

        found = recovery.recover(connection, run, written_by=written_by)
        for run_id in seen:
            recorder.forget(self.folder, run_id)
        return found

    async def _work(self) -> None:
        carrier = self._carrier_of()
        flow = Flow(carrier, self.recorder, self._woken.set, name=self.connector.name)
        has_company = self.connector.seats > 1
        self.ticker = ticker = Ticker(
            flow, self.writer, self._thread, self._woken, self.clock, has_company=has_company,
            sender_rates=dict(self.connector.sender_rates),
        )  # fmt: skip
        texts = Texts(
            flow, self.connector.id, store=self._store, answered=self._answered, thread=self._side,
            name=self.connector.name,
        )  # fmt: skip
        storing = asyncio.create_task(texts.run())
        is_clean = False
        try:
            await carrier.start(flow)
            while not self._stop.is_set():
                await ticker.tick()
                await self._report(carrier)
                await ticker.wait()
            await self._finish(flow, ticker)
            is_clean = True
        finally:
            storing.cancel()
            if not is_clean:
                await self._break_off(flow)
            if self.recorder is not None:
                self.recorder.close(is_clean=is_clean)

    async def _finish(self, flow: Flow, ticker: Ticker) -> None:
        """SIGTERM: nothing is left in doubt but what the carrier did not answer."""
        flow.close()
        await flow.carrier.close()
        flow.abandon()
        await ticker.finish()
        run = self.writer.run
        assert run is not None
        await self._in_thread(self.writer.persist, lambda connection: recovery.end_run(connection, run))
        await self._in_thread(self.writer.close)

    async def _break_off(self, flow: Flow) -> None:
        """The seat is lost or we failed: hang up; nothing we hold is ours to give back."""
        flow.is_closing = True
        flow.drop_waiting()
        try:
            await flow.carrier.close(0.0)
        except Exception:
            logger.exception("%s: closing the carrier failed", self.connector.name)

    # ------------------------------------------------------------------ health

    async def _report(self, carrier: Carrier) -> None:
        now = time.monotonic()
        ticker = self.ticker
        if now - self._reported_at < HEALTH_S or ticker is None:
            return
        elapsed, self._reported_at = now - self._reported_at, now
        report = health.report(carrier, ticker, elapsed_s=min(elapsed, 60.0))
        flow, run = ticker.flow, self.writer.run
        assert run is not None
        told_at = await self._in_thread(
            self.writer.ask, lambda connection, _: live.report(connection, run, flow.state, flow.reason, report)
        )
        if told_at != self._told_at:
            self._told_at = told_at
            flow.heard()
