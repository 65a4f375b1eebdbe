"""The process: lanes come, change and go with the rows of their connectors."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from carillon.carriers.simulator import SimulatorOptions, serve
from carillon.gateway import main
from carillon.gateway.main import Gateway
from tests import builders
from tests.carriers.ear import looped

PATIENCE_S = 100.0


async def until(url: str, statement: str, value: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with psycopg.connect(url, autocommit=True) as connection:
                row = connection.execute(statement).fetchone()
            if row is not None and row[0] == value:
                return
            await asyncio.sleep(0.05)


def change(url: str, statement: str, *parameters: Any) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement, parameters)


def test_connectors_are_added_changed_disabled_and_broken_ones_left_out(
    committed_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "POLL_S", 0.1)
    monkeypatch.setattr(main, "AGAIN_S", 0.1)
    first = builders.make_connector(name="first")
    builders.make_connector(name="nonsense", options={"host": "127.0.0.1", "window": "many"})
    second = builders.make_connector(name="second", is_enabled=False)
    builders.make_sendable_campaign(first, n=20)
    builders.make_sendable_campaign(second, n=30, first_msisdn=33610000001)
    alive = "SELECT count(*) FROM gateway_run WHERE alive"

    @looped
    async def run() -> None:
        simulator = await serve("127.0.0.1", 0, 0, SimulatorOptions(receipt_delay_s=0.0, mix={"delivered": 100.0}))
        good = {"host": "127.0.0.1", "port": simulator.port, "window": 10}
        for name in ("first", "second"):  # a system_id of its own: that is where its receipts go
            options = json.dumps(good | {"system_id": name})
            change(committed_db, "UPDATE connector SET options = %s::jsonb WHERE name = %s", options, name)
        gateway = Gateway(connect=lambda: psycopg.connect(committed_db, autocommit=True), home=tmp_path)
        task = asyncio.create_task(gateway.run())
        await until(committed_db, "SELECT count(*) FROM submission WHERE status = 16", 20)
        change(committed_db, "UPDATE connector SET is_enabled = true WHERE name = 'second'")
        await until(committed_db, "SELECT count(*) FROM submission WHERE status = 16", 50)
        await until(committed_db, alive, 2)
        change(committed_db, "UPDATE connector SET options = options || '{\"window\": 20}' WHERE name = 'second'")
        await until(committed_db, "SELECT count(*) FROM gateway_run", 3)
        change(committed_db, "UPDATE connector SET is_enabled = false WHERE name = 'first'")
        await until(committed_db, alive, 1)
        await until(committed_db, "SELECT state FROM connector WHERE name = 'second'", "bound")
        await until(
            committed_db, "SELECT state_reason FROM connector WHERE name = 'nonsense'", "system_id is required."
        )
        gateway.stop()
        await asyncio.wait_for(task, PATIENCE_S)
        await until(committed_db, alive, 0)
        await simulator.close()

    run()


def test_only_the_named_connectors(committed_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builders.make_connector(name="mine", options={"host": "127.0.0.1", "port": 9, "system_id": "x"})
    builders.make_connector(name="other", options={"host": "127.0.0.1", "port": 9, "system_id": "x"})
    gateway = Gateway(only=["MINE"], home=tmp_path)
    assert [found.name for found in gateway._wanted()] == ["mine"]
