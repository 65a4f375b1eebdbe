"""The database side of a gateway, driven by hand: one tick after another on a connection of its own, with no carrier at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

from bench.audit import Finding, audit
from carillon.domain.status import Status
from carillon.domain.traffic import Answer, Receipt
from carillon.models import Account, Connector
from carillon.services import delivery, recovery
from carillon.services.ticks import Fetched, Intent, Job, Outcome


class Desk:
    """Holds one seat of `connector`. `opening` is needed by `faults`: what accounts owned before the first ledger row."""

    def __init__(self, url: str, connector: Connector, *, host: str = "here", seats: int = 1) -> None:
        self.url = url
        self.connector = connector
        self.connection: psycopg.Connection[Any] = psycopg.connect(url, autocommit=True)
        delivery.open_session(self.connection)
        run = recovery.take_seat(
            self.connection, connector.pk, seat_count=seats, host=host, pid=1, is_gone=lambda seat: seat.host == "gone"
        )
        assert run is not None, "every seat is taken"
        self.run = run

    def close(self) -> None:
        self.connection.close()

    def tick(self, **job: Any) -> Outcome:
        outcome = delivery.tick(self.connection, self.run, Job(**job))
        delivery.committed(self.run, outcome)
        return outcome

    def claim(self, *, wants: int = 10_000, **job: Any) -> list[Fetched]:
        outcome = self.tick(wants=wants, **job)
        return delivery.fetch(self.connection, self.run, outcome.claimed)

    def intend(self, fetched: Iterable[Fetched]) -> list[Intent]:
        """Claims' messages, their intent on disk; those of slices that may not go on are left out."""
        batches = list(fetched)
        outcome = self.tick(intents=[(batch.claim.id, batch.claim.last_id) for batch in batches])
        return [message for batch in batches if batch.claim.id in outcome.granted for message in batch.messages]

    def take_all(self) -> list[Intent]:
        return self.intend(self.claim())

    def one(self, statement: str) -> Any:
        """The first value; `%(c)s` in the statement is our connector."""
        row = self.connection.execute(statement, {"c": self.connector.pk}).fetchone()
        assert row is not None
        return row[0]

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement, {"c": self.connector.pk}).fetchall()

    def statuses(self, campaign_id: int) -> dict[int, int]:
        """As the counters say."""
        found = self.connection.execute(
            "SELECT status, sum(n)::integer FROM (SELECT campaign_id, status, n FROM campaign_count UNION ALL"
            " SELECT campaign_id, status, n FROM campaign_delta) parts WHERE campaign_id = %s GROUP BY status",
            [campaign_id],
        )
        return {status: n for status, n in found.fetchall() if n}

    def audit(self, *accounts: Account) -> Finding:
        return audit(self.connection, opening={account.pk: account.balance for account in accounts})


def answers(message: Intent, *statuses: int, ids: Iterable[str] = (), error: int = 0) -> tuple[Intent, list[Answer]]:
    """One answer for each status, as many segments; the carrier's ids are "<message>-<segment>" unless given."""
    given = list(ids) or [f"{message.message_id}-{number}" for number in range(1, len(statuses) + 1)]
    return message, [
        Answer(message.message_id, number, len(statuses), status, key if status == Status.SENT else "", error)
        for number, (status, key) in enumerate(zip(statuses, given, strict=True), 1)
    ]


def receipt(message: Intent, status: int, *, segment: int = 1, error: int = 0) -> Receipt:
    return Receipt(f"{message.message_id}-{segment}", status, error, message.msisdn)
