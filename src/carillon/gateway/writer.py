"""The database side of one run, in a thread of its own: performs ticks until they are on disk, whatever the server does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import psycopg

from carillon.domain.traffic import Receipt
from carillon.services import delivery
from carillon.services.ticks import Fenced, Fetched, Job, Outcome, Run

logger = logging.getLogger(__name__)

Connect = Callable[[], "psycopg.Connection[Any]"]
T = TypeVar("T")
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 2.0


class Abandoned(Exception):
    """The gateway is ending and the database does not answer."""


class Writer:
    """`connect` gives a new autocommit connection. Not thread-safe: one executor thread uses it."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._connection: psycopg.Connection[Any] | None = None
        self._doubtful: Outcome | None = None  # its COMMIT was sent, and the connection lost before the answer
        self._abandon = threading.Event()
        self.run: Run | None = None

    def persist(self, deed: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Does it, again and again while the database cannot be reached. Raises Fenced, Abandoned, or the deed's own error."""
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                return deed(self._ready())
            except psycopg.OperationalError as error:
                self._let_go()
                if self._abandon.is_set():
                    raise Abandoned from error
                logger.warning("the database does not answer, trying again: %s", str(error).strip())
                self._abandon.wait(wait_s)
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
            except BaseException:
                self._let_go()  # its transaction holds locks that others wait for
                raise

    def perform(self, job: Job) -> tuple[Outcome, list[Fetched]]:
        try:
            outcome = self._carry(job)
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
            outcome = self._without_poison(job, error)
        run = self._run()
        fetched = (
            self.persist(lambda connection: delivery.fetch(connection, run, outcome.claimed)) if outcome.claimed else []
        )
        return outcome, fetched

    def _carry(self, job: Job) -> Outcome:
        run = self._run()
        try:
            return self.persist(lambda connection: self._tick(connection, job))
        except psycopg.errors.UniqueViolation:
            if run.repeats_ids:
                raise
            logger.warning("the carrier gave an id that it had given before: from here on each one is looked at")
            run.repeats_ids = True
            return self.persist(lambda connection: self._tick(connection, job))

    def ask(self, question: Callable[[psycopg.Connection[Any], Run], T]) -> T:
        """Something beside the ticks."""
        run = self._run()
        return self.persist(lambda connection: question(connection, run))

    def abandon(self) -> None:
        """From another thread: stop trying."""
        self._abandon.set()

    def close(self) -> None:
        self._let_go()

    def _run(self) -> Run:
        assert self.run is not None
        return self.run

    def _tick(self, connection: psycopg.Connection[Any], job: Job) -> Outcome:
        run = self._run()
        if self._doubtful is not None and delivery.committed_tick(connection, run) > run.tick:
            outcome, self._doubtful = self._doubtful, None
            delivery.committed(run, outcome)
            return outcome
        self._doubtful = None
        outcome = delivery.tick(connection, run, job, committing=self._doubt)
        self._doubtful = None
        delivery.committed(run, outcome)
        return outcome

    def _doubt(self, outcome: Outcome) -> None:
        self._doubtful = outcome

    def _without_poison(self, job: Job, error: psycopg.Error) -> Outcome:
        """One receipt the database refuses must not stop the others: they are tried one by one, and the bad one is logged."""
        if not job.receipts:
            raise error
        logger.error("a batch of %d receipts was refused, taking them one by one: %s", len(job.receipts), error)
        outcome = self.persist(lambda connection: self._tick(connection, replace(job, receipts=[])))
        for receipt in job.receipts:
            self._alone(receipt)
        return outcome

    def _alone(self, receipt: Receipt) -> None:
        try:
            self.persist(lambda connection: self._tick(connection, Job(receipts=[receipt])))
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
            logger.error("receipt dropped, the database refuses it: %r: %s", receipt, error)

    def _ready(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            connection = self._connect()
            delivery.open_session(connection)
            self._connection = connection
            if self.run is not None:
                delivery.committed_tick(connection, self.run)
        return self._connection

    def _let_go(self) -> None:
        if self._connection is not None:
            try:
                self._connection.close()
            except psycopg.Error:
                pass
            self._connection = None


__all__ = ["Abandoned", "Connect", "Fenced", "Writer"]
