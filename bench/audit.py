"""An independent check of what a gateway left behind: rows, counters, ledger, and what the SMSC recorded must tell one story.

Reads with plain SQL and joins in Python; shares with the platform only the table of statuses.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from carillon.domain.status import FINAL_STATUSES, Status, is_refunded, joined

_DELIVERED = (Status.DELIVERED, Status.DELIVERED_P2P)


@dataclass
class Finding:
    """`faults` is empty when everything agrees."""

    faults: list[str] = field(default_factory=list)
    by_status: dict[int, Counter[int]] = field(default_factory=dict)  # campaign -> status -> messages
    in_doubt: int = 0
    sent_twice: list[int] = field(default_factory=list)


def audit(connection: psycopg.Connection[Any], *, opening: dict[int, int], recorded: Iterable[int] = ()) -> Finding:
    """`opening`: account -> balance before its first ledger row; only these accounts are looked at.

    `recorded`: the number of each text the SMSC accepted, as often as it did (one for each message, not for each segment).
    """
    finding = Finding()
    accounts = list(opening)
    doubts = {row[0] for row in connection.execute("SELECT message_id FROM doubt")}
    statuses, prices = _messages(connection, accounts, doubts)
    finding.in_doubt = _one(connection, "SELECT count(*) FROM doubt WHERE account_id = ANY(%s)", accounts)
    _check_counters(connection, statuses, finding)
    _check_money(connection, statuses, prices, doubts, opening, finding)
    twice = [number for number, times in Counter(recorded).items() if times > 1]
    finding.sent_twice = sorted(twice)
    if twice:
        finding.faults.append(f"{len(twice)} numbers were sent to more than once: {twice[:5]}")
    return finding


def _one(connection: psycopg.Connection[Any], statement: str, accounts: list[int]) -> Any:
    row = connection.execute(statement, [accounts]).fetchone()
    assert row is not None
    return row[0]


def _messages(
    connection: psycopg.Connection[Any], accounts: list[int], doubts: set[int]
) -> tuple[dict[int, dict[int, int]], dict[int, tuple[int, int]]]:
    """campaign -> message -> status; message -> (price, campaign). Judged from the rows alone."""
    segments: dict[int, list[int]] = defaultdict(list)
    for message_id, status in connection.execute(
        "SELECT message_id, status FROM submission WHERE account_id = ANY(%s)", [accounts]
    ):
        segments[message_id].append(status)
    stopped = {row[0] for row in connection.execute("SELECT message_id FROM reply WHERE kind = 'stop'")}
    cancelled = connection.execute("SELECT connector_id, cursor_id, last_id FROM slice WHERE state = 4").fetchall()
    found: dict[int, dict[int, int]] = defaultdict(dict)
    prices: dict[int, tuple[int, int]] = {}
    for message_id, connector_id, campaign_id, status, price in connection.execute(
        "SELECT id, connector_id, campaign_id, status, price FROM message WHERE account_id = ANY(%s)", [accounts]
    ):
        prices[message_id] = price, campaign_id
        is_judged = status != Status.IN_PROGRESS
        rows = segments.get(message_id, [])
        judged = status if is_judged else _status(message_id, connector_id, rows, doubts, cancelled)
        found[campaign_id][message_id] = (
            Status.STOPPED if message_id in stopped and judged in _DELIVERED else judged  # answered by a STOP
        )
    return found, prices


def _status(message_id: int, connector_id: int, rows: list[int], doubts: set[int], cancelled: list[Any]) -> int:
    if rows:
        missing = [Status.SENDING] if message_id in doubts else []
        return joined([*rows, *missing])
    if message_id in doubts:
        return Status.SENDING
    if any(c == connector_id and low < message_id <= high for c, low, high in cancelled):
        return Status.DELETED
    return Status.IN_PROGRESS


def _check_counters(connection: psycopg.Connection[Any], statuses: dict[int, dict[int, int]], finding: Finding) -> None:
    kept: dict[int, Counter[int]] = defaultdict(Counter)
    for campaign_id, status, n in connection.execute(
        "SELECT campaign_id, status, sum(n)::integer FROM (SELECT campaign_id, status, n FROM campaign_count"
        " UNION ALL SELECT campaign_id, status, n FROM campaign_delta) both_parts GROUP BY campaign_id, status"
    ):
        if n:
            kept[campaign_id][status] = n
    for campaign_id, messages in statuses.items():
        judged = finding.by_status[campaign_id] = Counter(map(int, messages.values()))
        if judged != kept[campaign_id]:
            finding.faults.append(
                f"campaign {campaign_id}: rows say {dict(judged)}, counters say {dict(kept[campaign_id])}"
            )


def _check_money(
    connection: psycopg.Connection[Any], statuses: dict[int, dict[int, int]], prices: dict[int, tuple[int, int]],
    doubts: set[int], opening: dict[int, int], finding: Finding,
) -> None:  # fmt: skip
    ledger = {
        row[0]: (int(row[1]), int(row[2]))
        for row in connection.execute("SELECT account_id, sum(balance), sum(held) FROM ledger GROUP BY account_id")
    }
    waiting = {
        row[0]: (int(row[1]), int(row[2]))
        for row in connection.execute(
            "SELECT account_id, sum(balance), sum(held) FROM balance_delta GROUP BY account_id"
        )
    }
    payers = dict(connection.execute("SELECT id, payer_id FROM campaign").fetchall())
    billed: Counter[int] = Counter()
    held: Counter[int] = Counter()
    for campaign_id, messages in statuses.items():
        for message_id, status in messages.items():
            payer = payers[campaign_id]
            # One that is in doubt may count as failed already, by another of its segments: its price waits with the doubt.
            if status in (Status.IN_PROGRESS, Status.SENDING) or message_id in doubts:
                held[payer] += prices[message_id][0]
            elif not is_refunded(status) and status != Status.DELETED:
                billed[payer] += prices[message_id][0]
    for account_id, balance, holding in connection.execute(
        "SELECT id, balance, held FROM account WHERE id = ANY(%s)", [list(opening)]
    ):
        more = waiting.get(account_id, (0, 0))
        total = (balance + more[0] - opening.get(account_id, 0), holding + more[1])
        if total != ledger.get(account_id, (0, 0)):
            finding.faults.append(
                f"account {account_id}: {total} on the account, {ledger.get(account_id)} in the ledger"
            )
        if total != (-billed[account_id], held[account_id]):
            finding.faults.append(
                f"account {account_id}: ledger says (spent, held) {(-total[0], total[1])},"
                f" rows say {(billed[account_id], held[account_id])}"
            )
            finding.faults += _unpaid(connection, account_id)


def _unpaid(connection: psycopg.Connection[Any], account_id: int) -> list[str]:
    """Where to look: campaigns with what their ledger rows add up to, and messages whose rows do not bear their price."""
    ledger = connection.execute(
        "SELECT 'ledger', campaign_id, kind, sum(balance), sum(held), count(*) FROM ledger WHERE account_id = %s GROUP BY 2, 3",
        [account_id],
    )
    found = [str(row) for row in ledger.fetchall()]
    rows = connection.execute(
        "SELECT m.id, m.msisdn, m.campaign_id, m.price, m.segments, d.price, s.* FROM message m LEFT JOIN doubt d ON d.message_id = m.id,"
        " LATERAL (SELECT sum(price), array_agg((segment, status, price, submitted_at, done_at, carrier_message_id)::text) FROM submission"
        " WHERE message_id = m.id) s WHERE m.account_id = %s AND m.status = 1 AND coalesce(s.sum, 0) <> m.price",
        [account_id],
    )
    return found + [str(row) for row in rows.fetchall()[:10]]


def is_over(finding: Finding) -> bool:
    """Every message of every campaign is final, in doubt, or handed over without news."""
    open_statuses = {Status.IN_PROGRESS}
    return not any(open_statuses & set(counts) for counts in finding.by_status.values())


__all__ = ["FINAL_STATUSES", "Finding", "audit", "is_over"]
