"""The tick: ONE transaction carries everything a gateway has to say and to ask at that moment.

    fence        my run still owns the seat; renews the lease; numbers the tick
    answers      one submission row per segment, counted and settled once per message
    receipts     (services.receipts) those we know; those that came before their answer are kept
    doubts       written, and the connection ended before the answer: never sent again by itself
    intents      the cursors of slices move AHEAD of sending; pause, cancel and legal hours are looked at here
    claims       new slices, notifications first, shared among campaigns by weight
    ledger       last, just before the commit

Messages are released to the carrier, and receipts acknowledged to it, only after the commit. A tick that fails changes nothing
and is run again with the same job; `committed_tick` tells after a lost connection whether the last one arrived.
Counters count messages; a message of several segments has the status of `domain.status.joined`, and is paid once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import psycopg

from carillon.domain.status import Status
from carillon.domain.traffic import Receipt
from carillon.services import delivery_sql as sql
from carillon.services import optouts, receipts, submissions
from carillon.services.ticks import (
    Claimed,
    Fenced,
    Fetched,
    Intent,
    Job,
    Outcome,
    Refusal,
    Run,
    Tick,
    literal,
    nullable_literal,
    text_literal,
)  # fmt: skip

LEASE_S = 15
MOST_UNMATCHED = 100_000


def open_session(connection: psycopg.Connection[Any]) -> None:
    """Prepares a connection (autocommit) for ticks."""
    connection.prepare_threshold = 1
    for statement in sql.SESSION:
        connection.execute(statement)


def load_unmatched(connection: psycopg.Connection[Any], run: Run) -> None:
    found = connection.execute(sql.LOAD_UNMATCHED, [run.connector_id]).fetchall()
    run.unmatched = {key: Receipt(key, status, error, msisdn) for key, status, error, msisdn in found}


def committed_tick(connection: psycopg.Connection[Any], run: Run) -> int:
    """The number of the last tick that was committed. Raises Fenced."""
    row = connection.execute(sql.COMMITTED_TICK, [run.id, run.connector_id]).fetchone()
    if row is None:
        raise Fenced
    return int(row[0])


def tick(
    connection: psycopg.Connection[Any],
    run: Run,
    job: Job,
    *,
    committing: Callable[[Outcome], None] = lambda outcome: None,
) -> Outcome:
    """The whole transaction; on return it is on disk, and the caller calls `committed`. Raises Fenced.

    `committing` is called just before the COMMIT is sent, with the sums that go before it: when the connection is lost after
    that, `committed_tick` tells whether it arrived.
    """
    with connection.pipeline():
        connection.execute("BEGIN")
        outcome = _carry(Tick(connection, run), job)
        committing(outcome)
        connection.execute("COMMIT")
        return outcome


def committed(run: Run, outcome: Outcome) -> None:
    """The tick is on disk: the run's memory follows."""
    run.tick += 1
    for key in outcome.gone:
        run.unmatched.pop(key, None)
    for receipt in outcome.kept:
        run.unmatched[receipt.carrier_message_id] = receipt
    while len(run.unmatched) > MOST_UNMATCHED:  # the oldest: services.matching finds them in the table
        del run.unmatched[next(iter(run.unmatched))]


def _carry(tick: Tick, job: Job) -> Outcome:
    """The server is waited for once, at the fence's answer, unless something unusual has come; the sums leave with the COMMIT."""
    run = tick.run
    fence = tick.execute(sql.FENCE, [run.tick + 1, LEASE_S, run.id, run.connector_id])
    added = submissions.begin(tick, job)
    applied = receipts.begin(tick, [*job.again, *job.receipts], added.early)
    intended = _intend(tick, job)
    _slices(tick, job)
    claimed = _claim(tick, job)
    if fence.fetchone() is None:
        raise Fenced
    submissions.finish(tick, job, added)
    receipts.finish(tick, applied)
    receipts.forget_matched(tick, job.again)
    tick.write_sums()
    opted_out: dict[int, int] = {}
    for claim, messages in job.recheck:
        opted_out |= _opted_out(tick.connection, run, claim, messages)
    stopped = tick.execute(sql.STOPPED, [literal(job.watch)]).fetchall() if job.watch else []
    return Outcome(
        opted_out=opted_out,
        stopped={row[0] for row in stopped},
        granted={row[0] for row in intended.fetchall()} if intended else set(),
        claimed=[Claimed(*row) for row in claimed.fetchall()] if claimed else [],
        gone=tick.gone,
        kept=tick.kept,
    )


def _intend(tick: Tick, job: Job) -> psycopg.Cursor[Any] | None:
    if not job.intents:
        return None
    ids = literal(slice_id for slice_id, _ in job.intents)
    cursors = literal(cursor for _, cursor in job.intents)
    return tick.execute(sql.INTEND, [ids, cursors, ids, tick.run.connector_id, tick.run.id])


def _slices(tick: Tick, job: Job) -> None:
    run = tick.run
    if job.returned:
        rows = job.returned
        tick.execute(
            sql.ADD_SLICES,
            [
                literal(r.slice_id for r in rows), literal(r.first_id for r in rows), literal(r.last_id for r in rows),
                literal(r.n for r in rows), nullable_literal(r.wait_s or None for r in rows),
                nullable_literal(run.id if r.is_refused else None for r in rows), run.connector_id,
            ],
        )  # fmt: skip
    if job.finished:
        tick.execute(sql.FINISH, [literal(job.finished), run.connector_id, run.id])
    if job.released:
        tick.execute(sql.RELEASE, [literal(job.released), run.connector_id, run.id])


def _claim(tick: Tick, job: Job) -> psycopg.Cursor[Any] | None:
    if job.wants <= 0:
        return None
    parameters = {
        "connector": tick.run.connector_id, "run": tick.run.id, "wants": job.wants,
        "open": text_literal(job.open_calendars), "held": literal(job.in_hand),
        "in_hand": literal(job.in_hand.values()), "full": literal(job.full_campaigns),
    }  # fmt: skip
    return tick.execute(sql.CLAIM, parameters)


def fetch(connection: psycopg.Connection[Any], run: Run, claims: Sequence[Claimed]) -> list[Fetched]:
    """The messages of slices just claimed, after their commit: one query for all of them, and one for each account's opt-outs."""
    if not claims:
        return []
    columns = zip(*((c.id, c.cursor_id, c.last_id, c.campaign_id) for c in claims), strict=True)
    rows = connection.execute(sql.FETCH, [*map(literal, columns), run.connector_id])
    messages = _messages(rows, {claim.id: claim for claim in claims})
    together: dict[tuple[Any, ...], list[Claimed]] = {}
    for claim in claims:
        traits = (claim.account_id, claim.brand_id, claim.is_notification, claim.optout_spares_notifications)
        together.setdefault((*traits, claim.respects_optouts), []).append(claim)
    opted_out: dict[int, int] = {}
    for alike in together.values():
        opted_out |= _opted_out(connection, run, alike[0], [m for claim in alike for m in messages[claim.id]])
    if not opted_out:
        return [Fetched(claim, messages[claim.id], []) for claim in claims]
    return [
        Fetched(
            claim,
            [m for m in messages[claim.id] if m.message_id not in opted_out],
            [Refusal(m, opted_out[m.message_id]) for m in messages[claim.id] if m.message_id in opted_out],
        )
        for claim in claims
    ]


def _messages(rows: Iterable[tuple[Any, ...]], claims: dict[int, Claimed]) -> dict[int, list[Intent]]:
    """slice -> its messages in order."""
    found: dict[int, list[Intent]] = {slice_id: [] for slice_id in claims}
    for slice_id, message_id, msisdn, text, price, segments, sender in rows:
        claim = claims[slice_id]
        found[slice_id].append(
            Intent(
                message_id, msisdn, text, sender or claim.sender, segments, claim.is_notification,
                claim.validity_hours * 3600, claim.campaign_id, claim.account_id, price, claim.payer_id, claim.id,
                claim.resends_in_doubt,
            )
        )  # fmt: skip
    return found


def _opted_out(
    connection: psycopg.Connection[Any], run: Run, claim: Claimed, messages: Sequence[Intent]
) -> dict[int, int]:
    """{message: status} of those whose person may not be written to (any more)."""
    if not messages or not claim.respects_optouts:
        return {}
    parameters = [
        [optouts.PLATFORM, claim.account_id], run.medium, [0, claim.brand_id], literal(m.msisdn for m in messages)
    ]  # fmt: skip
    found = connection.execute(sql.OPTOUTS, parameters).fetchall()
    if not found:
        return {}
    levels = optouts.strongest(found)
    if claim.is_notification and claim.optout_spares_notifications:
        levels = {msisdn: status for msisdn, status in levels.items() if status == Status.BLACKLISTED_GLOBAL}
    return {m.message_id: levels[m.msisdn] for m in messages if m.msisdn in levels}


def survey(
    connection: psycopg.Connection[Any], run: Run, paced: Sequence[int]
) -> tuple[list[tuple[str, int]], dict[int, int], int]:
    """Calendars and closing hours of the slices that wait on this connector: whoever claims must say which are open. For
    each campaign of `paced`, how many gateways hold slices of it, on any connector: they share its pace. And how many gateways
    hold this connector: they share its senders' rates."""
    calendars = [(row[0], row[1]) for row in connection.execute(sql.SURVEY, [run.connector_id]).fetchall()]
    runs = connection.execute(sql.RUNS, [run.connector_id]).fetchone()
    sharers = dict(connection.execute(sql.SHARERS, [literal(paced)]).fetchall()) if paced else {}
    return calendars, sharers, int(runs[0]) if runs else 1
