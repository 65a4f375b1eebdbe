"""The figures of a report: groups of statuses that answer a person's questions, and receipts over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count

from carillon.domain import status as statuses
from carillon.domain.status import Outcome, Status
from carillon.models import Campaign, ClickCount, Reply

WAITING = frozenset({Status.IN_PROGRESS, Status.SENDING})  # not handed over yet
NETWORK_WAITING = frozenset(row.status for row in statuses.TABLE.values() if row.outcome is Outcome.PENDING) - WAITING
DELIVERED = frozenset(row.status for row in statuses.TABLE.values() if row.outcome is Outcome.DELIVERED)
MISSED = frozenset(row.status for row in statuses.TABLE.values() if row.outcome is Outcome.NOT_DELIVERED)
UNASSIGNED = frozenset({Status.UNASSIGNED, Status.UNASSIGNED_P2P})
SAMPLE_MESSAGES, SAMPLE_RANGES = 100_000, 100  # a timeline of more messages is drawn from evenly spread ones


@dataclass(frozen=True, slots=True)
class Figures:
    """Messages of a campaign. `handed` reached the operator; `waiting` is what we still have to hand over."""

    total: int
    handed: int
    delivered: int
    missed: int
    at_operator: int
    waiting: int
    not_sent: int
    stopped: int
    unassigned: int
    replied: int = 0
    clicked: int = 0

    @property
    def sendable(self) -> int:
        return self.total - self.not_sent

    @property
    def done_share(self) -> float:
        """0 to 1: handed over among what is to be sent."""
        return (self.sendable - self.waiting) / self.sendable if self.sendable else 0.0


@dataclass(frozen=True, slots=True)
class StatusLine:
    """One line of the table of receipts: a code with its twin."""

    codes: tuple[int, ...]
    row: statuses.StatusRow
    n: int
    share: float

    @property
    def percent(self) -> float:
        return 100 * self.share


@dataclass(frozen=True, slots=True)
class Bucket:
    at: datetime
    delivered: int
    missed: int


def _sum(by_status: Mapping[int, int], wanted: frozenset[Status]) -> int:
    return sum(by_status.get(code, 0) for code in wanted)


def figures(by_status: Mapping[int, int], *, replied: int = 0, clicked: int = 0) -> Figures:
    total = sum(by_status.values())
    waiting = _sum(by_status, WAITING)
    not_sent = _sum(by_status, statuses.NOT_SENT_STATUSES)
    return Figures(
        total=total,
        handed=total - not_sent - waiting - by_status.get(Status.DELETED, 0),
        delivered=_sum(by_status, DELIVERED),
        missed=_sum(by_status, MISSED),
        at_operator=_sum(by_status, NETWORK_WAITING),
        waiting=waiting,
        not_sent=not_sent,
        stopped=by_status.get(Status.STOPPED, 0),
        unassigned=_sum(by_status, UNASSIGNED),
        replied=replied,
        clicked=clicked,
    )


def answers(campaign: Campaign) -> tuple[int, int]:
    """(people who replied, people who clicked at least one link)."""
    replied = Reply.objects.filter(campaign_id=campaign.pk, direction="MO").values("msisdn").distinct().count()
    span = (campaign.first_message_id or 0, campaign.last_message_id or 0)  # clicks are indexed by message
    counts = ClickCount.objects.filter(message_id__range=span, campaign_id=campaign.pk, human_n__gt=0)
    counts = counts.filter(link_index__range=(0, 6))  # 7: the opt-out page
    return replied, int(counts.aggregate(n=Count("message_id", distinct=True))["n"])


def status_lines(by_status: Mapping[int, int]) -> list[StatusLine]:
    """Twins joined, most frequent first."""
    total = sum(by_status.values()) or 1
    lines: list[StatusLine] = []
    seen: set[int] = set()
    for code in sorted(by_status):
        if code in seen or not by_status[code]:
            continue
        codes = tuple(sorted(int(alias) for alias in statuses.aliases(code)))
        seen.update(codes)
        n = sum(by_status.get(alias, 0) for alias in codes)
        lines.append(StatusLine(codes, statuses.row(code), n, n / total))
    return sorted(lines, key=lambda line: -line.n)


TIMELINE = """
SELECT date_bin(make_interval(secs => %(step)s), s.done_at, %(origin)s) AS at,
       count(*) FILTER (WHERE s.status = ANY(%(delivered)s)), count(*) FILTER (WHERE s.status <> ALL(%(delivered)s))
FROM unnest(%(firsts)s::bigint[], %(lasts)s::bigint[]) AS span(first, last)
JOIN submission s ON s.message_id BETWEEN span.first AND span.last
WHERE s.campaign_id = %(campaign)s AND s.segment = 1 AND s.done_at IS NOT NULL AND s.submitted_at >= %(origin)s
GROUP BY 1 ORDER BY 1
"""


def timeline(campaign: Campaign, *, now: datetime) -> tuple[list[Bucket], bool]:
    """Receipts over time, at most some sixty buckets of equal length between two empty ones; True when drawn from a sample."""
    first, last, origin = campaign.first_message_id, campaign.last_message_id, campaign.launched_at
    if first is None or last is None or origin is None:
        return [], False
    ranges = _ranges(first, last)
    is_sample = len(ranges) > 1
    ended = min(campaign.finished_at or now, origin + timedelta(hours=60))
    step = 5 if ended - origin < timedelta(hours=1) else 60
    with connection.cursor() as cursor:
        cursor.execute(
            TIMELINE,
            {
                "step": step,
                "origin": origin - timedelta(minutes=1),
                "delivered": sorted(DELIVERED),
                "firsts": [a for a, _ in ranges],
                "lasts": [b for _, b in ranges],
                "campaign": campaign.pk,
            },
        )
        rows = [Bucket(at, delivered, missed) for at, delivered, missed in cursor.fetchall()]
    scale = (last - first + 1) / sum(b - a + 1 for a, b in ranges)
    return _regroup(rows, step=step, scale=scale), is_sample


def _ranges(first: int, last: int) -> list[tuple[int, int]]:
    n = last - first + 1
    if n <= SAMPLE_MESSAGES:
        return [(first, last)]
    length = SAMPLE_MESSAGES // SAMPLE_RANGES
    return [(first + n * i // SAMPLE_RANGES, first + n * i // SAMPLE_RANGES + length - 1) for i in range(SAMPLE_RANGES)]


def _regroup(rows: list[Bucket], *, step: int, scale: float, most: int = 60) -> list[Bucket]:
    if not rows:
        return []
    begin, end = rows[0].at, rows[-1].at
    wanted = max((end - begin).total_seconds() / most, step)
    length = next((s for s in (5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600) if s >= wanted), 7200)
    n = int((end - begin).total_seconds() // length) + 1
    delivered, missed = [0] * n, [0] * n
    for row in rows:
        place = int((row.at - begin).total_seconds() // length)
        delivered[place] += row.delivered
        missed[place] += row.missed
    counted = [(0, 0), *zip(delivered, missed, strict=True), (0, 0)]
    return [
        Bucket(begin + timedelta(seconds=(i - 1) * length), round(got * scale), round(lost * scale))
        for i, (got, lost) in enumerate(counted)
    ]
