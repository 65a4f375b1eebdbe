"""A lane between the simulator and a committed database, for tests: real sockets, real ticks, one event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from bench.audit import Finding, audit
from carillon.carriers import registry
from carillon.carriers.simulator import Simulator, SimulatorOptions, serve
from carillon.domain.traffic import Inbound
from carillon.gateway.lane import Connector, Lane
from carillon.models import Account
from carillon.models import Connector as ConnectorRow
from tests import builders

PATIENCE_S = 100.0  # only ever reached by a test that fails


class Station:
    """`row` must be made before the event loop starts: Django's models are not for it. `ask` runs one quick query."""

    seats = 1
    sender_rates: tuple[tuple[str, float], ...] = ()

    def __init__(self, url: str, home: Path, **options: Any) -> None:
        self.url, self.home = url, home
        self.row: ConnectorRow = builders.make_connector()
        self.options = {"host": "127.0.0.1", "system_id": "station", "window": 50, "reconnect_min_s": 0.05} | options
        self.inbounds: list[Inbound] = []
        self.simulator: Simulator
        self.lane: Lane
        self.task: asyncio.Task[None]

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, autocommit=True)

    def ask(self, statement: str) -> Any:
        """The first value; `%(c)s` is our connector."""
        with self.connect() as connection:
            row = connection.execute(statement, {"c": self.row.pk}).fetchone()
        assert row is not None
        return row[0]

    def do(self, statement: str, **parameters: Any) -> None:
        with self.connect() as connection:
            connection.execute(statement, {"c": self.row.pk} | parameters)

    async def until(self, statement: str, value: Any = True) -> None:
        """Until the query gives `value`."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while self.ask(statement) != value:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(
                f"still {self.ask(statement)!r} and not {value!r}: {statement}\n{self.picture()}"
            ) from None

    async def until_true(self, fact: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not fact():
                await asyncio.sleep(0.01)

    def start(self, *, clock: Callable[[], datetime] | None = None) -> None:
        options = self.options | {"port": self.simulator.port}
        connector = Connector(
            self.row.pk, self.row.name, "smpp", "SMS", json.dumps(options), "", self.seats, self.sender_rates
        )
        more = {"clock": clock} if clock else {}
        self.lane = Lane(
            connector, lambda: registry.build("smpp", options), connect=self.connect, home=self.home,
            store=lambda _, inbounds, __: self.inbounds.extend(inbounds), answered=lambda rows: None, **more,  # type: ignore[arg-type]
        )  # fmt: skip
        self.task = asyncio.create_task(self.lane.run())

    async def stop(self) -> None:
        self.lane.stop()
        async with asyncio.timeout(PATIENCE_S):
            await self.task

    def audit(self, *accounts: Account) -> Finding:
        with self.connect() as connection:
            recorded = [int(number) for number in self.numbers()]
            return audit(connection, opening={account.pk: account.balance for account in accounts}, recorded=recorded)

    def picture(self) -> str:
        """For the message of a test that waited in vain."""
        with self.connect() as connection:
            slices = connection.execute(
                "SELECT s.id, s.first_id, s.cursor_id, s.last_id, s.state, s.calendar, s.run_id, k.is_sending"
                " FROM slice s JOIN campaign k ON k.id = s.campaign_id WHERE s.connector_id = %s ORDER BY s.id",
                [self.row.pk],
            ).fetchall()
        ticker = self.lane.ticker
        flow = ticker.flow if ticker else None
        inside = (
            f"{flow.state} {flow.reason}; {len(flow.outstanding)} outstanding, {flow.waiting()} ready,"
            f" room {flow.carrier.room()}, {len(ticker.book.slices)} slices, {flow.carrier.health}"
            if flow and ticker
            else "no ticker"
        )
        return "\n".join([inside, *map(str, slices)])

    def numbers(self) -> list[str]:
        """What the simulator accepted, one for each text."""
        return [line["to"] for line in self.record() if not line["header"] or int(line["header"][-2:], 16) == 1]

    def record(self) -> list[dict[str, Any]]:
        """What the simulator accepted, in order, one for each segment (docs/simulator.md)."""
        path = self.home / "accepted.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


@asynccontextmanager
async def simulating(station: Station, **options: Any) -> AsyncIterator[Station]:
    """The simulator runs; the test starts the lane. Whatever still runs at the end is broken off."""
    changes = {
        "receipt_delay_s": 0.01,
        "mix": {"delivered": 100.0},
        "record": str(station.home / "accepted.jsonl"),
    } | options
    station.simulator = await serve("127.0.0.1", 0, 0, SimulatorOptions(**changes))
    try:
        yield station
    finally:
        if hasattr(station, "task") and not station.task.done():
            station.task.cancel()
            await asyncio.wait([station.task])
        await station.simulator.close()
