"""The gateway process: one lane for each enabled connector, added, changed and removed as their rows are."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import json
import logging
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from django.db.utils import Error as DatabaseError

from carillon.carriers import registry
from carillon.domain.errors import CarillonError
from carillon.gateway import storing
from carillon.gateway.lane import Connector, Lane
from carillon.models import Connector as ConnectorRow
from carillon.services import callbacks, connectors, live
from carillon.services.ticks import Fenced

logger = logging.getLogger(__name__)

POLL_S = 2.0
AGAIN_S = 2.0  # a lane that failed starts again after this
STOP_WITHIN_S = 20.0
# A database server that is gone without a word is noticed within half a minute.
_KEEPALIVE = {"connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


def run(*, only: Sequence[str] | None = None) -> int:
    """Until SIGTERM or SIGINT. `only`: names of connectors; None takes every enabled one."""
    spare_the_collector()
    asyncio.run(Gateway(only=only).run())
    return 0


def spare_the_collector() -> None:
    """Messages are many, live for a moment and form no cycles: looking through them, and Django, again and again took a quarter of
    the process' time. What does form cycles (an exception, a connection) waits a little longer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def connect() -> psycopg.Connection[Any]:
    """A connection of our own to the platform's database, as ticks want it."""
    parameters = connections["default"].get_connection_params()
    for ours in ("cursor_factory", "context", "prepare_threshold", "pool"):
        parameters.pop(ours, None)
    return psycopg.connect(**(_KEEPALIVE | parameters), autocommit=True)


class Gateway:
    """`connect`, `home` and `carrier` may be given by tests."""

    def __init__(
        self, *, only: Sequence[str] | None = None, connect: Callable[[], psycopg.Connection[Any]] = connect,
        home: Path | None = None,
    ) -> None:  # fmt: skip
        self._only = {name.lower() for name in only} if only is not None else None
        self._connect = connect
        self._home = home or Path(settings.HOME)
        self._lanes: dict[Connector, tuple[Lane, asyncio.Task[None]]] = {}
        self._is_stopping = asyncio.Event()
        self._unusable: dict[str, str] = {}  # connector -> why

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self.stop)
        while not self._is_stopping.is_set():
            try:
                wanted = await asyncio.to_thread(self._wanted)
            except DatabaseError as error:
                logger.warning("the list of connectors cannot be read: %s", str(error).strip())
            else:
                await self._adjust(wanted)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_stopping.wait(), POLL_S)
        await self._end(list(self._lanes))
        logger.info("gateway stopped")

    def stop(self) -> None:
        self._is_stopping.set()

    def _wanted(self) -> set[Connector]:
        """Runs in some thread: its connection is not kept."""
        try:
            return self._read_connectors()
        finally:
            connections["default"].close()

    def _read_connectors(self) -> set[Connector]:
        found = set()
        for row in ConnectorRow.objects.filter(is_enabled=True):
            if self._only is not None and row.name.lower() not in self._only:
                continue
            try:
                found.add(_settings_of(row))
                self._unusable.pop(row.name, None)
            except CarillonError as error:
                if self._unusable.get(row.name) != error.message:
                    self._unusable[row.name] = error.message
                    logger.error("connector %s cannot be used: %s", row.name, error.message)
                    live.mark_unusable(row.pk, error.message)
        return found

    async def _adjust(self, wanted: set[Connector]) -> None:
        for connector in [c for c, (_, task) in self._lanes.items() if task.done()]:
            del self._lanes[connector]
        await self._end([connector for connector in self._lanes if connector not in wanted])
        for connector in wanted - self._lanes.keys():
            lane = Lane(
                connector, functools.partial(registry.build, connector.kind, json.loads(connector.options), connector.secret),
                connect=self._connect, home=self._home, store=storing.store, answered=storing.answered,
            )  # fmt: skip
            logger.info("%s: starting", connector.name)
            self._lanes[connector] = lane, asyncio.create_task(self._keep(lane))

    async def _keep(self, lane: Lane) -> None:
        name = lane.connector.name
        try:
            await lane.run()
        except Fenced:
            logger.warning("%s: another gateway took this seat; starting anew", name)
        except Exception:
            logger.exception("%s: its lane failed; starting again in %g s", name, AGAIN_S)
        if not self._is_stopping.is_set():
            await asyncio.sleep(AGAIN_S)

    async def _end(self, ending: Sequence[Connector]) -> None:
        """Cleanly, all at once; what does not end in time is broken off, and recovered like a crash."""
        pairs = [self._lanes.pop(connector) for connector in ending]
        for lane, _ in pairs:
            lane.stop()
        if not pairs:
            return
        _, late = await asyncio.wait([task for _, task in pairs], timeout=STOP_WITHIN_S)
        for lane, task in pairs:
            if task in late:
                logger.error("%s: does not end, broken off", lane.connector.name)
                lane.writer.abandon()
                task.cancel()
        if late:
            await asyncio.wait(late, timeout=5.0)


def _settings_of(row: ConnectorRow) -> Connector:
    """Raises CarillonError when its options or its secret cannot be used."""
    given = connectors.options_of(row)
    options = registry.own_options(given)
    if row.kind in registry.PROVIDERS:
        options.setdefault("callback_url", callbacks.url_of(row))
    secret = connectors.secret_of(row)
    registry.build(row.kind, options, secret)
    seats = int(given.get("gateways", 1))
    rates = tuple(sorted(registry.sender_rates(given).items()))
    return Connector(row.pk, row.name, row.kind, row.medium, json.dumps(options, sort_keys=True), secret, seats, rates)
