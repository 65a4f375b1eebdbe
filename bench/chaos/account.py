"""What must hold after a round, from what the SMSC recorded and from the rows alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bench.chaos.clock import CALENDAR, FORWARD_S, Clock
from bench.chaos.stage import Stage
from carillon.domain import hours
from carillon.domain.status import NOT_SENT_STATUSES

GRACE_S = (
    5.0  # a gateway looks at the hours every second and calls back what its carrier holds; more for a loaded machine
)
START = 12  # characters that tell the texts of the campaigns from each other
MESSAGES = """
SELECT m.id, m.msisdn, m.segments, k.id, k.origin, m.status,
       d.message_id IS NOT NULL, (SELECT count(*) FROM doubt o WHERE o.msisdn = m.msisdn),
       (SELECT coalesce(array_agg(s.status), '{}') FROM submission s WHERE s.message_id = m.id)
FROM message m JOIN campaign k ON k.id = m.campaign_id LEFT JOIN doubt d ON d.message_id = m.id
WHERE m.account_id = %s
"""

DELIVERED_TO_STOPPED = """
SELECT m.id, m.campaign_id, r.message_id = m.id, s.submitted_at < r.received_at
FROM message m JOIN reply r ON r.msisdn = m.msisdn AND r.account_id = m.account_id AND r.kind = 'stop'
JOIN submission s ON s.message_id = m.id JOIN campaign k ON k.id = m.campaign_id AND k.origin <> 'system'
WHERE m.account_id = %s AND m.segments = 1 AND s.status IN (16, 21)
"""
COUNTED_17 = """
SELECT campaign_id, sum(n)::integer FROM (
    SELECT campaign_id, status, n FROM campaign_count UNION ALL SELECT campaign_id, status, n FROM campaign_delta) c
WHERE status = 17 AND campaign_id IN (SELECT id FROM campaign WHERE account_id = %s) GROUP BY campaign_id
"""


@dataclass
class Told:
    """`starts`: campaign -> how its texts begin ("" when its people get nothing else); messages of the system begin with the last."""

    account_id: int
    starts: Mapping[int, str]
    of_system: str


def twice(lines: Sequence[dict[str, Any]]) -> list[str]:
    """No segment was accepted twice."""
    segments = Counter((line["to"], line["header"][-2:], line["text"][:START]) for line in lines)
    return [f"accepted {n} times: {to} {part} {text!r}" for (to, part, text), n in segments.items() if n > 1]


def outcomes(stage: Stage, told: Told, lines: Sequence[dict[str, Any]]) -> tuple[list[str], int]:
    """Every message has an outcome, or is in doubt and was not accepted whole. Also how many are in doubt."""
    texts: dict[int, list[str]] = defaultdict(list)
    for line in lines:
        texts[int(line["to"])].append(line["text"])
    faults, in_doubt = [], 0
    for message_id, msisdn, wanted, campaign_id, origin, status, is_doubtful, doubts, rows in stage.rows(
        MESSAGES, [told.account_id]
    ):
        start = told.of_system if origin == "system" else told.starts[campaign_id]
        accepted = sum(text.startswith(start) for text in texts[msisdn])
        name = f"message {message_id} to {msisdn}"
        is_refused = bool(set(rows) & NOT_SENT_STATUSES) or status in NOT_SENT_STATUSES
        in_doubt += is_doubtful
        if is_doubtful and accepted >= wanted and doubts == 1:
            faults.append(f"{name} is in doubt, and the SMSC accepted it whole and told its receipts")
            faults += evidence(stage, msisdn, lines)
        elif is_refused and accepted:
            faults.append(f"{name} was refused by us ({rows or status}), and the SMSC accepted it")
        elif not is_doubtful and not rows and not is_refused:
            faults.append(f"{name} has no outcome and is not in doubt")
        elif not is_doubtful and not is_refused and accepted < wanted:
            faults.append(f"{name} has an outcome {rows}, and the SMSC accepted {accepted} of {wanted} segments")
    return faults, in_doubt


def evidence(stage: Stage, msisdn: int, lines: Sequence[dict[str, Any]]) -> list[str]:
    questions = (
        "SELECT 'doubt', d.* FROM doubt d WHERE msisdn = %s",
        "SELECT 'unmatched', r.* FROM receipt_unmatched r WHERE msisdn = %s",
        "SELECT 'row', s.* FROM submission s JOIN message m ON m.id = s.message_id WHERE m.msisdn = %s",
    )
    found = [str(row) for question in questions for row in stage.rows(question, [msisdn])]
    return found + [f"accepted as {line['id']}: {line['text'][:20]!r}" for line in lines if line["to"] == str(msisdn)]


def nothing_after_stop(lines: Sequence[dict[str, Any]], stopped: set[int], start: str) -> list[str]:
    """Who had said STOP before this campaign went on got nothing of it."""
    return [
        f"{line['to']} had said STOP, and got {line['text'][:40]!r}"
        for line in lines
        if int(line["to"]) in stopped and line["text"].startswith(start)
    ]


def in_hours(lines: Sequence[dict[str, Any]], clock: Clock, starts: tuple[str, ...]) -> list[str]:
    """Nothing of a campaign with hours left while the clock stood outside them."""
    faults = []
    for line in lines:
        at = datetime.fromtimestamp(line.get("at", 0.0), UTC)
        if "at" not in line or not line["text"].startswith(starts) or hours.is_open(CALENDAR, at):
            continue
        late = [span for span in clock.jumps if span[0] + GRACE_S < line["at"] - clock.base_s - FORWARD_S < span[1]]
        if late:
            faults.append(f"{line['to']} got its message at {at:%H:%M:%S}, out of hours")
    return faults


def stops_counted(stage: Stage, account_id: int) -> list[str]:
    """A message delivered to somebody whose STOP answers it counts as 17: so says its campaign's counter. A STOP answers the message
    that had been sent when it came (both times are the database's)."""
    wanted: Counter[int] = Counter()
    faults = []
    for message_id, campaign_id, is_answered, was_sent in stage.rows(DELIVERED_TO_STOPPED, [account_id]):
        wanted[campaign_id] += is_answered
        if was_sent and not is_answered:
            faults.append(f"message {message_id} was there when its person said STOP, and is not what the STOP answers")
    kept = dict(stage.rows(COUNTED_17, [account_id]))
    return faults + [
        f"campaign {campaign_id}: {n} STOPs answer its messages, {kept.get(campaign_id, 0)} count as 17"
        for campaign_id, n in wanted.items()
        if kept.get(campaign_id, 0) != n
    ]
