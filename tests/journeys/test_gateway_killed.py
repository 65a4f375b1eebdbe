"""kill -9 of the gateway in the middle of a campaign: nothing twice, nothing lost, the ledger right to the last credit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bench.audit import audit
from bench.processes import Gateway, Simulator, wait_until
from carillon.services import matching
from tests import builders

MESSAGES = 3000


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    running = Simulator(tmp_path, answer_delay_s=0.01, receipt_delay_s=0.05, mix={"delivered": 90, "undelivered": 10})
    yield running
    running.close()


def count(connection: psycopg.Connection[Any], statement: str) -> int:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


def test_killed_twice_every_message_is_sent_at_most_once_and_accounted_for(
    committed_db: str, simulator: Simulator, tmp_path: Path
) -> None:
    connector = builders.make_connector(
        options={"host": "127.0.0.1", "port": simulator.port, "system_id": "carillon", "window": 50}
    )
    campaign = builders.make_sendable_campaign(connector, n=MESSAGES, slice_size=200)
    environ = {"CARILLON_HOME": os.environ["CARILLON_HOME"], "CARILLON_DATABASE_URL": committed_db}
    gateways = []
    with psycopg.connect(committed_db, autocommit=True) as connection:
        try:
            for enough in (MESSAGES // 5, MESSAGES // 2):
                gateways.append(Gateway(tmp_path, environ=environ))
                wait_until(
                    lambda enough=enough: count(connection, "SELECT count(*) FROM submission") >= enough,  # type: ignore[misc]
                    what=f"{enough} messages are handed over",
                )
                gateways[-1].kill()
            gateways.append(Gateway(tmp_path, environ=environ))
            done = "SELECT (SELECT count(DISTINCT message_id) FROM submission WHERE status <> 24) + (SELECT count(*) FROM doubt)"
            wait_until(lambda: count(connection, done) == MESSAGES, what="every message has an outcome or is in doubt")
            wait_until(
                lambda: not count(connection, "SELECT count(*) FROM slice WHERE state IN (1, 2)"),
                what="every slice is done",
            )
            wait_until(
                lambda: (
                    not simulator.ask("stats")["stats"]["waiting"] and not simulator.ask("stats")["stats"]["scheduled"]
                ),
                what="every receipt is told",
            )
            assert gateways[-1].stop() == 0
        finally:
            for gateway in gateways:
                gateway.close()
        matching.settle_by_number(after=timedelta())  # what the worker does within two minutes
        accepted = simulator.numbers()
        finding = audit(connection, opening={campaign.account_id: MESSAGES * 100}, recorded=accepted)
        assert finding.faults == []
        assert set(finding.by_status[campaign.pk]) <= {16, 20, 9}
        # Every receipt has come: in doubt is only what the SMSC never saw.
        assert finding.in_doubt == MESSAGES - len(set(accepted))
        assert count(connection, "SELECT count(*) FROM gateway_run WHERE alive") == 0
