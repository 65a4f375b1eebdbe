"""What was handed over, as one tick records it: a row per segment, the message counted and settled once.

A message's answers come together (the gateway waits for its last segment), so its status and its price are known at once.
Those whose connection ended before the answer are in doubt: see docs/decisions/0003-at-most-once.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from carillon.domain.status import Status, for_traffic, joined
from carillon.domain.traffic import Answer, Receipt
from carillon.services import delivery_sql as sql
from carillon.services.ticks import (
    LONGEST_ID,
    Intent,
    Job,
    Tick,
    clamped,
    literal,
    message_status,
    own_id,
    text_literal,
)

_DOUBT = """
SELECT d.account_id, d.campaign_id, k.payer_id, d.price, k.traffic = 'NOTIFICATION'
FROM doubt d JOIN campaign k ON k.id = d.campaign_id WHERE d.connector_id = %s AND d.message_id = %s FOR UPDATE OF d
"""

# (message, segment, segments, account, campaign, status, error, price, carrier id)
Row = tuple[int, int, int, int, int, int, int, int, str]
# What accepted messages of one kind share: account, campaign, payer, price, segments.
Kind = tuple[int, int, int, int, int]
_FEW = 20  # rows of one kind, below which a statement of their own costs more than it saves


@dataclass(slots=True)
class Added:
    rows: list[Row] = field(default_factory=list)
    cursor: psycopg.Cursor[Any] | None = None
    early: list[Receipt] = field(default_factory=list)  # receipts that had come before these answers


def begin(tick: Tick, job: Job) -> Added:
    added = Added()
    rows = added.rows
    told: dict[tuple[int, int, int], list[int]] = {}
    for message, answers in _plain(tick, job, added):
        status: int = _add_rows(rows, message, answers, message.price)
        tick.move(message.campaign_id, Status.IN_PROGRESS, status)
        tick.settle(message.payer_id, message.campaign_id, message.price, status)
        if status != Status.SENT:
            told.setdefault((message.account_id, message.campaign_id, status), []).append(message.message_id)
    for refusal in job.refusals:
        message = refusal.message
        answer = Answer(message.message_id, 0, message.segments, refusal.status)
        _add_rows(rows, message, [answer], message.price)
        tick.move(message.campaign_id, Status.IN_PROGRESS, refusal.status)
        tick.settle(message.payer_id, message.campaign_id, message.price, refusal.status)
        told.setdefault((message.account_id, message.campaign_id, refusal.status), []).append(message.message_id)
    _doubt(tick, job, rows)
    for (account_id, campaign_id, status), ids in told.items():
        tick.tell(account_id, campaign_id, status, literal(ids))
    if rows:
        added.cursor = _insert(tick, rows)
        _find_early(tick, (row[8] for row in rows), added)
    return added


def _plain(tick: Tick, job: Job, added: Added) -> list[tuple[Intent, list[Answer]]]:
    """Records the messages accepted whole, those of one kind together; returns the other answers of the job."""
    if tick.run.repeats_ids:
        return job.answered
    others: list[tuple[Intent, list[Answer]]] = []
    kinds: dict[Kind, list[tuple[Intent, list[Answer]]]] = {}
    for pair in job.answered:
        message, answers = pair
        if _are_plain(answers):
            kind = message.account_id, message.campaign_id, message.payer_id, message.price, answers[0].segments
            if kind in kinds:
                kinds[kind].append(pair)
            else:
                kinds[kind] = [pair]
        else:
            others.append(pair)
    for kind, pairs in kinds.items():
        if len(pairs) < _FEW:
            others += pairs
        else:
            _add_kind(tick, kind, pairs, added)
    return others


def _are_plain(answers: Sequence[Answer]) -> bool:
    for answer in answers:
        if answer.status != Status.SENT or not 0 < len(answer.carrier_message_id) <= LONGEST_ID:
            return False
    return len(answers) == answers[0].segments


def _add_kind(tick: Tick, kind: Kind, pairs: Sequence[tuple[Intent, list[Answer]]], added: Added) -> None:
    account_id, campaign_id, payer_id, price, segments = kind
    for segment in range(1, segments + 1):
        found = [answer for _, answers in pairs for answer in answers if answer.segment == segment]
        ids, keys = [answer.message_id for answer in found], [answer.carrier_message_id for answer in found]
        shared = [segment, segments, account_id, campaign_id, tick.run.connector_id, price if segment == 1 else 0]
        tick.execute(sql.ADD_ACCEPTED, [*shared, literal(ids), text_literal(keys)])
        _find_early(tick, keys, added)
    tick.move(campaign_id, Status.IN_PROGRESS, Status.SENT, len(pairs))
    tick.settle(payer_id, campaign_id, price * len(pairs), Status.SENT)


def _find_early(tick: Tick, keys: Iterable[str], added: Added) -> None:
    unmatched = tick.run.unmatched
    if unmatched:
        added.early += [unmatched[key] for key in keys if key in unmatched]


def finish(tick: Tick, job: Job, added: Added) -> None:
    if added.cursor is not None:
        (count,) = added.cursor.fetchone() or (0,)
        if count < len(added.rows):
            _add_repeated(tick, added.rows)
    for answer in job.late:
        _settle_late(tick, answer)


def _add_rows(rows: list[Row], message: Intent, answers: Sequence[Answer], price: int) -> Status:
    """The message's price stands on its first row only, so that sums over rows are right."""
    for answer in answers:
        status = for_traffic(answer.status, message.is_notification) if answer.status != Status.SENT else answer.status
        rows.append(
            (
                message.message_id, answer.segment, answer.segments, message.account_id, message.campaign_id, status,
                clamped(answer.error), price,
                answer.carrier_message_id[:LONGEST_ID] or own_id(message.message_id, answer.segment),
            )
        )  # fmt: skip
        price = 0
    status = message_status(answers)
    return for_traffic(status, message.is_notification) if status != Status.SENT else status


def _insert(tick: Tick, rows: Sequence[Row]) -> psycopg.Cursor[Any]:
    *numbers, ids = zip(*rows, strict=True)
    return tick.execute(sql.ADD_ANSWERS, [tick.run.connector_id, *map(literal, numbers), text_literal(ids)])


def _add_repeated(tick: Tick, rows: Sequence[Row]) -> None:
    """The carrier gave an id that another segment has already: these rows get an id of ours, and no receipt will find them."""
    found = tick.execute(sql.ANSWERS_PRESENT, [tick.run.connector_id, literal({row[0] for row in rows})])
    present = set(found.fetchall())
    missing = [(*row[:8], f"{own_id(row[0], row[1])}:{row[8]}") for row in rows if (row[0], row[1]) not in present]
    if missing:
        _insert(tick, missing)


def _doubt(tick: Tick, job: Job, rows: list[Row]) -> None:
    if not job.lost:
        return
    for message, answers in job.lost:
        segments = answers[0].segments if answers else message.segments
        if answers:
            _add_rows(rows, message, answers, 0)  # the price waits with the doubt
        tick.move(
            message.campaign_id, Status.IN_PROGRESS, message_status(answers, segments=max(segments, len(answers) + 1))
        )
    add_doubts(tick, [message for message, _ in job.lost], reason="connection lost before the answer")


def add_doubts(tick: Tick, messages: Iterable[Intent], *, reason: str) -> None:
    columns = zip(
        *((m.message_id, m.account_id, m.campaign_id, m.msisdn, m.price, m.segments) for m in messages), strict=True
    )
    tick.execute(sql.ADD_DOUBTS, [tick.run.connector_id, reason, *map(literal, columns)])


def _settle_late(tick: Tick, answer: Answer) -> None:
    """An answer to a message that was given up as lost. Nothing is left to do when a receipt settled it before."""
    connector_id = tick.run.connector_id
    doubt = tick.execute(_DOUBT, [connector_id, answer.message_id]).fetchone()
    if doubt is None:
        return
    account_id, campaign_id, payer_id, price, is_notification = doubt
    found = tick.execute(sql.SEGMENTS_OF, [connector_id, literal([answer.message_id])]).fetchall()
    if any(row[1] == answer.segment for row in found):
        return
    before = [row[3] for row in found]
    # "Try later" about a message nobody holds any more: it was not taken, and costs nothing.
    status = for_traffic(Status.PROCESSING if answer.is_retryable else answer.status, is_notification)
    is_complete = len(found) + 1 >= answer.segments
    missing = [] if is_complete else [Status.SENDING]
    new = joined([*before, status, *missing])
    key = answer.carrier_message_id[:LONGEST_ID] or own_id(answer.message_id, answer.segment)
    row = (
        answer.message_id, answer.segment, answer.segments, account_id, campaign_id, int(status), clamped(answer.error),
        price if is_complete else 0, key,
    )  # fmt: skip
    (count,) = _insert(tick, [row]).fetchone() or (0,)
    if not count:
        _insert(tick, [(*row[:8], f"{own_id(row[0], row[1])}:{key}")])
    tick.move(campaign_id, joined([*before, Status.SENDING]), new)
    if is_complete:
        tick.execute(sql.TAKE_DOUBT, [connector_id, answer.message_id])
        tick.settle(payer_id, campaign_id, price, new)
        if new != Status.SENT:
            tick.tell(account_id, campaign_id, new, literal([answer.message_id]))
