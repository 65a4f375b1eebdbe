"""One HTTP carrier and one SMPP carrier stand in for each other, and nobody is written to twice."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.utils import timezone

from carillon.carriers.simulator import SimulatorOptions, serve
from carillon.gateway import flow, lane, main, ticker
from carillon.gateway.main import Gateway
from carillon.models import Connector, Route
from carillon.services import rerouting
from tests import builders
from tests.carriers.ear import looped

PATIENCE_S = 100.0
HANDED = "SELECT count(*) FROM submission WHERE status = 24 OR status = 16"


class Provider:
    """An HTTP provider on loopback that accepts, or says "later" to everything while `is_busy`."""

    def __init__(self) -> None:
        self.is_busy = False
        self.taken: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(503 if outer.is_busy else 200)
                self.end_headers()
                if not outer.is_busy:
                    outer.taken.append(body["to"])
                    self.wfile.write(json.dumps({"id": f"http-{body['ref']}"}).encode())

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def options(self) -> dict[str, Any]:
        return {
            "url": f"http://127.0.0.1:{self.server.server_port}/send", "message_id": {"path": "id"},
            "json": {"to": "{to}", "text": "{text}", "ref": "{message_id}"}, "pause_min_s": 0.02, "pause_max_s": 0.05,
            "give_back_s": 0.1,
        }  # fmt: skip

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    running = Provider()
    yield running
    running.close()


async def until(fact: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not fact():
            await asyncio.sleep(0.05)


def test_smpp_down_goes_by_http_and_http_busy_goes_by_smpp(  # noqa: PLR0915 (one journey, told in order)
    committed_db: str, tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "POLL_S", 0.2)
    monkeypatch.setattr(ticker, "RETURN_AFTER_S", 0.1)
    monkeypatch.setattr(ticker, "LOOK_S", 0.1)
    monkeypatch.setattr(ticker, "REFUSED_WAIT_S", 3600)
    monkeypatch.setattr(flow, "FIRST_RETRY_S", 0.01)
    monkeypatch.setattr(lane, "HEALTH_S", 0.1)
    monkeypatch.setattr(rerouting, "DOWN_AFTER", timedelta())
    by_smpp = builders.make_connector(name="by smpp")
    by_http = builders.make_connector(name="by http", kind="generic", options=provider.options)
    Route.objects.create(name="both ways", connector=by_smpp, priority=10)
    Route.objects.create(name="the other", connector=by_http, priority=20)
    builders.make_sendable_campaign(by_smpp, n=40)
    builders.make_sendable_campaign(by_http, n=30, first_msisdn=33655000001)

    def ask(statement: str) -> Any:
        with psycopg.connect(committed_db, autocommit=True) as connection:
            row = connection.execute(statement).fetchone()
        return row[0] if row else None

    async def in_thread(deed: Callable[..., object], *arguments: Any, **more: Any) -> None:
        """Django's models are not for the event loop; the thread's connection is not kept."""

        def run_and_close() -> None:
            deed(*arguments, **more)
            connections["default"].close()

        await asyncio.to_thread(run_and_close)

    def move() -> None:
        rerouting.move_stuck(now=timezone.now())

    @looped
    async def run() -> None:
        record = tmp_path / "accepted.jsonl"
        options = SimulatorOptions(receipt_delay_s=0.0, mix={"delivered": 100.0}, record=str(record))
        simulator = await serve("127.0.0.1", 0, 0, options)
        port = simulator.port
        await simulator.close()  # SMPP is down from the start
        set_up = {"host": "127.0.0.1", "port": port, "system_id": "x", "reconnect_min_s": 0.05, "reconnect_max_s": 0.1}
        await in_thread(Connector.objects.filter(name="by smpp").update, options=set_up)
        gateway = Gateway(connect=lambda: psycopg.connect(committed_db, autocommit=True), home=tmp_path)
        task = asyncio.create_task(gateway.run())
        await until(lambda: ask("SELECT state FROM connector WHERE name = 'by smpp'") == "down")
        while ask(HANDED) < 70:
            await in_thread(move)
            await asyncio.sleep(0.1)
        assert len(provider.taken) == len(set(provider.taken)) == 70
        simulator = await serve("127.0.0.1", port, 0, options)
        await until(lambda: ask("SELECT state FROM connector WHERE name = 'by smpp'") == "bound")
        provider.is_busy = True
        await in_thread(builders.make_sendable_campaign, by_http, n=25, first_msisdn=33656000001)
        while ask(HANDED) < 95:
            await in_thread(move)
            await asyncio.sleep(0.1)
        gateway.stop()
        await asyncio.wait_for(task, PATIENCE_S)
        await simulator.close()
        by_wire = [json.loads(line)["to"] for line in record.read_text(encoding="utf-8").splitlines()]
        assert sorted(by_wire) == [str(33656000001 + i) for i in range(25)]

    run()
    assert len(provider.taken) == 70
    assert ask("SELECT count(*) FROM doubt") == 0
