"""Taking a connector's seat, and putting the affairs of a dead predecessor in order.

A run is over when its lease is over, or when its process is known to be gone. Its row's lock orders this against a tick of
it still in flight: that tick is either committed before us, or finds `alive` false and is rolled back.
Each message it had intended and that has no result is then one of three:
    never written     (its flight recorder proves it) back to ready, as a slice of its own: sent later, once
    in doubt          written, or nobody can tell: never sent again by itself; see docs/decisions/0003-at-most-once.md
    resent            a notification in doubt, when its account chose so
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from carillon.domain.status import Status
from carillon.services import delivery
from carillon.services import delivery_sql as sql
from carillon.services.delivery import LEASE_S
from carillon.services.ticks import Run, literal, nullable_literal


@dataclass(frozen=True, slots=True)
class Seat:
    """A run as it stands in the table; `is_over` says that its lease is."""

    run_id: int
    seat: int
    host: str
    pid: int
    is_over: bool


@dataclass(slots=True)
class Recovered:
    """What became of the messages of dead runs that had no result."""

    ready: int = 0
    in_doubt: int = 0
    slices: int = 0


Prober = Callable[[Seat], bool]  # True: that process is known to be gone
Written = Callable[[int], "Collection[int] | None"]  # run id -> ids it may have written; None: nobody can tell

_SEATS = """
SELECT id, seat, host, pid, lease_until < now() FROM gateway_run WHERE connector_id = %s AND alive ORDER BY seat
"""
_LOCK_CONNECTOR = "SELECT pg_advisory_xact_lock(4713, %s::integer)"
_END = "UPDATE gateway_run SET alive = false WHERE id = %s AND connector_id = %s AND alive"
_START = """
INSERT INTO gateway_run (connector_id, seat, lease_until, host, pid)
VALUES (%s, %s, now() + %s * interval '1 second', %s, %s) RETURNING id
"""
_ORPHANS = """
SELECT s.id, s.campaign_id, s.account_id, s.first_id, s.last_id, s.cursor_id, s.run_id,
       k.traffic = 'NOTIFICATION' AND a.resends_notifications_in_doubt
FROM slice s JOIN gateway_run r ON r.id = s.run_id AND r.connector_id = s.connector_id
JOIN campaign k ON k.id = s.campaign_id JOIN account a ON a.id = k.account_id
WHERE s.connector_id = %s AND s.state = 2 AND NOT r.alive ORDER BY s.id FOR UPDATE OF s
"""
# Both bounds on each side: without them the whole submission table would be read.
_WITHOUT_RESULT = """
SELECT m.id, m.msisdn, m.price, m.segments FROM message m
WHERE m.connector_id = %(connector)s AND m.id BETWEEN %(first)s AND %(cursor)s AND m.campaign_id = %(campaign)s
  AND m.status = 1
  AND NOT EXISTS (SELECT 1 FROM submission x WHERE x.message_id = m.id AND x.connector_id = %(connector)s
                  AND x.message_id BETWEEN %(first)s AND %(cursor)s)
  AND NOT EXISTS (SELECT 1 FROM doubt d WHERE d.connector_id = %(connector)s AND d.message_id = m.id)
  AND NOT EXISTS (SELECT 1 FROM slice o WHERE o.campaign_id = %(campaign)s AND o.id > %(slice)s
                  AND m.id BETWEEN o.first_id AND o.last_id AND o.connector_id = %(connector)s)
ORDER BY m.id
"""
_RELEASE_ORPHAN = """
UPDATE slice SET state = CASE WHEN cursor_id >= last_id THEN 3 ELSE 1 END, first_id = cursor_id + 1, run_id = NULL
WHERE id = %s AND connector_id = %s AND state = 2
"""
_COUNT = "INSERT INTO campaign_delta (connector_id, campaign_id, status, n) VALUES (%s, %s, %s, %s)"


def seats(connection: psycopg.Connection[Any], connector_id: int) -> list[Seat]:
    """The living runs of a connector, or those that still pass for living."""
    return [Seat(*row) for row in connection.execute(_SEATS, [connector_id]).fetchall()]


def take_seat(
    connection: psycopg.Connection[Any], connector_id: int, *, seat_count: int, host: str, pid: int, is_gone: Prober
) -> Run | None:
    """A new run on the first free seat; None while others hold them all. Ends the runs that are over on the way."""
    with connection.transaction():
        connection.execute(_LOCK_CONNECTOR, [connector_id])
        taken = set()
        for seat in seats(connection, connector_id):
            if seat.is_over or is_gone(seat):
                connection.execute(_END, [seat.run_id, connector_id])
            else:
                taken.add(seat.seat)
        free = next((number for number in range(seat_count) if number not in taken), None)
        if free is None:
            return None
        row = connection.execute(_START, [connector_id, free, LEASE_S, host, pid]).fetchone()
        assert row is not None
        return Run(int(row[0]), connector_id, free)


def recover(connection: psycopg.Connection[Any], run: Run, *, written_by: Written) -> Recovered:
    """Settles what ended runs of this connector left open, in one transaction, and loads what `run` must know."""
    found = Recovered()
    with connection.transaction():
        for orphan in connection.execute(_ORPHANS, [run.connector_id]).fetchall():
            _recover_slice(connection, run.connector_id, orphan, written_by(orphan[6]), found)
    delivery.load_unmatched(connection, run)
    return found


def _recover_slice(
    connection: psycopg.Connection[Any], connector_id: int, orphan: tuple[Any, ...], written: Collection[int] | None,
    found: Recovered,
) -> None:  # fmt: skip
    slice_id, campaign_id, account_id, first, _last, cursor, _run_id, resends = orphan
    parameters = {
        "connector": connector_id, "first": first, "cursor": cursor, "campaign": campaign_id, "slice": slice_id,
    }  # fmt: skip
    rows = connection.execute(_WITHOUT_RESULT, parameters).fetchall()
    doubtful = [] if resends else [row for row in rows if written is None or row[0] in written]
    in_doubt = {row[0] for row in doubtful}
    ready = [row[0] for row in rows if row[0] not in in_doubt]
    if doubtful:
        reason = (
            "the gateway stopped before the answer" if written is not None else "the gateway stopped, nobody can tell"
        )
        columns = [(row[0], account_id, campaign_id, row[1], row[2], row[3]) for row in doubtful]
        literals = [literal(column) for column in zip(*columns, strict=True)]
        connection.execute(sql.ADD_DOUBTS, [connector_id, reason, *literals])
        connection.execute(_COUNT, [connector_id, campaign_id, Status.IN_PROGRESS, -len(doubtful)])
        connection.execute(_COUNT, [connector_id, campaign_id, Status.SENDING, len(doubtful)])
    runs = consecutive(ready)
    if runs:
        connection.execute(
            sql.ADD_SLICES,
            [
                literal(slice_id for _ in runs), literal(a for a, _, _ in runs), literal(b for _, b, _ in runs),
                literal(n for _, _, n in runs), nullable_literal(None for _ in runs), nullable_literal(None for _ in runs),
                connector_id,
            ],
        )  # fmt: skip
    connection.execute(_RELEASE_ORPHAN, [slice_id, connector_id])
    found.ready += len(ready)
    found.in_doubt += len(doubtful)
    found.slices += 1


def consecutive(ids: Iterable[int]) -> list[tuple[int, int, int]]:
    """Runs of neighbours in ascending ids: (first, last, how many)."""
    runs: list[tuple[int, int, int]] = []
    for number in ids:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number, runs[-1][2] + 1)
        else:
            runs.append((number, number, 1))
    return runs


def end_run(connection: psycopg.Connection[Any], run: Run) -> None:
    """The clean end: the seat is free at once."""
    connection.execute(_END, [run.id, run.connector_id])
