"""What a tick is given, what it answers, and the sums it keeps while its statements run (services.delivery runs them)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from carillon.domain.status import Status, is_refunded, joined
from carillon.domain.traffic import Answer, Outbound, Receipt
from carillon.services import delivery_sql as sql

# Receipts older than this match nothing: the longest validity is 72 hours, and the bound prunes partitions.
RECEIPT_LIFE = timedelta(days=8)
LONGEST_ID = 250  # SMPP allows 64; an index entry must stay far below 2,700 bytes
_MAX_ERROR = 2**31 - 1


class Fenced(Exception):
    """Another process took this run's seat: stop, commit nothing more, hand nothing more over."""


@dataclass(slots=True)
class Intent(Outbound):
    """A message whose slice is ours, with what its bookkeeping needs."""

    payer_id: int = 0
    slice_id: int = 0
    resends_in_doubt: bool = False


@dataclass(slots=True)
class Refusal:
    """Not handed over by our own decision: a person who opted out since the preparation."""

    message: Intent
    status: int


@dataclass(slots=True)
class Returned:
    """Consecutive messages of a slice that were intended and never written; they become a slice of their own."""

    slice_id: int
    first_id: int
    last_id: int
    n: int
    wait_s: int = 0
    is_refused: bool = False  # the carrier will not take them now: another connector may (services.rerouting)


@dataclass(slots=True)
class Claimed:
    """A slice that is now ours, with what its campaign and account say about its messages."""

    id: int
    campaign_id: int
    account_id: int
    payer_id: int
    cursor_id: int
    last_id: int
    priority: int
    calendar: str
    closes_at_hour: int
    sender: str
    is_notification: bool
    validity_hours: int
    brand_id: int
    pace_per_hour: int
    optout_spares_notifications: bool
    resends_in_doubt: bool
    respects_optouts: bool = True  # our own texts (codes, the confirmation of a STOP) do not
    weight: int = 1  # share of the connector among campaigns of the same priority


@dataclass(slots=True)
class Fetched:
    """A slice's messages, and those whose person opted out since they were prepared."""

    claim: Claimed
    messages: list[Intent]
    refusals: list[Refusal]


@dataclass(slots=True)
class Job:
    """What one tick has to record and to ask. `answered` holds a message with ALL its segments' answers."""

    answered: list[tuple[Intent, list[Answer]]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    late: list[Answer] = field(default_factory=list)  # to messages already in doubt
    lost: list[tuple[Intent, list[Answer]]] = field(default_factory=list)  # with the segments that were answered
    receipts: list[Receipt] = field(default_factory=list)
    again: list[Receipt] = field(
        default_factory=list
    )  # kept as unmatched a moment ago: another gateway may have the answer
    intents: list[tuple[int, int]] = field(default_factory=list)  # slice, new cursor
    finished: list[int] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    returned: list[Returned] = field(default_factory=list)
    recheck: list[tuple[Claimed, list[Intent]]] = field(default_factory=list)  # intended now, fetched a while ago
    watch: list[int] = field(default_factory=list)  # campaigns to ask about: may they go on?
    wants: int = 0  # messages to claim
    in_hand: dict[int, int] = field(default_factory=dict)  # campaign -> messages not yet intended
    full_campaigns: list[int] = field(default_factory=list)  # claim nothing more of these
    open_calendars: list[str] = field(default_factory=list)  # "FR@20": calendar and closing hour


@dataclass(slots=True)
class Outcome:
    granted: set[int] = field(default_factory=set)  # slices whose intents stand
    claimed: list[Claimed] = field(default_factory=list)
    opted_out: dict[int, int] = field(default_factory=dict)  # of `recheck`: message -> status 14, 15 or 18
    stopped: set[int] = field(default_factory=set)  # of `watch`: paused or cancelled
    gone: list[str] = field(default_factory=list)
    kept: list[Receipt] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """One start of a gateway on one seat of a connector. Its id is the epoch."""

    id: int
    connector_id: int
    seat: int = 0
    tick: int = 0  # the last one committed
    medium: str = "MOBILE"  # of opt-outs: MOBILE or VMS
    repeats_ids: bool = False  # its carrier gave an id twice: each answer's is looked at before its row is added
    unmatched: dict[str, Receipt] = field(
        default_factory=dict
    )  # mirror of receipt_unmatched, so that answers need not look


def literal(values: Iterable[int]) -> str:
    """An array literal of numbers."""
    return "{" + ",".join(map(str, values)) + "}"


def text_literal(values: Sequence[str]) -> str:
    """An array literal of texts, whatever is in them (NUL, which PostgreSQL has no place for, is dropped)."""
    inside = '","'.join(values)
    if "\\" in inside or "\x00" in inside or inside.count('"') != 2 * (len(values) - 1):
        inside = '","'.join(_escaped(value) for value in values)
    return '{"' + inside + '"}' if values else "{}"


def _escaped(value: str) -> str:
    return value.replace("\x00", "").replace("\\", "\\\\").replace('"', '\\"')


def own_id(message_id: int, segment: int) -> str:
    """Carrier id of a segment to which no carrier gave one."""
    return f"self:{message_id}:{segment}"


class Tick:
    """One tick's sums while its statements run; nothing of it outlives the transaction."""

    def __init__(self, connection: psycopg.Connection[Any], run: Run) -> None:
        self.connection = connection
        self.run = run
        self.counts: dict[tuple[int, int], int] = defaultdict(int)  # (campaign, status) -> messages
        self.money: dict[tuple[int, int, str], list[int]] = defaultdict(lambda: [0, 0])  # (payer, campaign, kind)
        self.news: list[tuple[int, int, int, str]] = []  # account, campaign, status, array literal of message ids
        self.since = datetime.now(UTC) - RECEIPT_LIFE
        self.gone: list[str] = []  # unmatched receipts that found their answer
        self.kept: list[Receipt] = []  # receipts that found none

    def execute(self, statement: str, parameters: Sequence[Any] | dict[str, Any]) -> psycopg.Cursor[Any]:
        return self.connection.execute(statement, parameters)

    def move(self, campaign_id: int, old: int, new: int, n: int = 1) -> None:
        if old != new:
            self.counts[campaign_id, old] -= n
            self.counts[campaign_id, new] += n

    def settle(self, payer_id: int, campaign_id: int, price: int, status: int) -> None:
        """What was held for a message becomes its price, or is let go when its status costs nothing."""
        if not price:
            return
        if is_refunded(status):
            self.pay(payer_id, campaign_id, "refund", 0, -price)
        else:
            self.pay(payer_id, campaign_id, "settle", -price, -price)

    def pay(self, payer_id: int, campaign_id: int, kind: str, balance: int, held: int) -> None:
        amounts = self.money[payer_id, campaign_id, kind]
        amounts[0] += balance
        amounts[1] += held

    def tell(self, account_id: int, campaign_id: int, status: int, message_ids: str) -> None:
        self.news.append((account_id, campaign_id, status, message_ids))

    def write_sums(self) -> None:
        connector_id = self.run.connector_id
        counts = [(c, t, n) for (c, t), n in self.counts.items() if n]
        if counts:
            columns = [literal(column) for column in zip(*counts, strict=True)]
            self.execute(sql.ADD_COUNTS, [connector_id, *columns])
        if self.news:
            accounts, campaigns, statuses, messages = zip(*self.news, strict=True)
            parameters = [literal(accounts), literal(campaigns), literal(statuses), text_literal(messages)]
            self.execute(sql.ADD_OUTBOX, [connector_id, *parameters])
        money = [(p, c, k, b, h) for (p, c, k), (b, h) in self.money.items() if b or h]
        if money:
            payers, campaigns, kinds, balances, helds = zip(*money, strict=True)
            amounts = [literal(balances), literal(helds)]
            key = [connector_id, self.run.id, self.run.tick + 1]
            self.execute(sql.ADD_LEDGER, [*key, literal(payers), literal(campaigns), text_literal(kinds), *amounts])
            self.execute(sql.ADD_BALANCES, [connector_id, literal(payers), *amounts])


def nullable_literal(values: Iterable[int | None]) -> str:
    return "{" + ",".join("NULL" if value is None else str(value) for value in values) + "}"


def message_status(answers: Sequence[Answer], *, segments: int = 0) -> Status:
    """Of a message with these answered segments; those missing of `segments` are still on their way."""
    statuses = [answer.status for answer in answers]
    if len(statuses) == 1 and segments <= 1:
        return Status(statuses[0])
    if len(statuses) < segments:
        statuses.append(Status.SENDING)
    return joined(statuses)


def clamped(error: int) -> int:
    """A carrier's own code, as it fits the column."""
    return error if -_MAX_ERROR <= error <= _MAX_ERROR else _MAX_ERROR
