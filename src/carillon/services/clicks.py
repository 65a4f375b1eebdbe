"""Visits of short links, stored in batches: one statement for the visits, the counters of the report and the outbox.

`n` counts every visit of a link, whoever made it; `human_n` those of people. The image of a preview is counted under link -1.
A visit that comes less than a second after its message left is no person's (domain.visitors).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction

from carillon.domain.visitors import TOO_QUICK_S, Device
from carillon.models import Campaign
from carillon.services.links import OPT_OUT
from carillon.services.ticks import literal, text_literal

MOST = 5000  # visits in one statement


class Visit(NamedTuple):
    """`kind`: click, preview, image, scan or head. `address_hash` tells one address from another, not which it is."""

    account_id: int
    campaign_id: int
    link_index: int
    message_id: int
    at: datetime
    kind: str
    confidence: int
    device: Device
    address_hash: str


# Simulated people may be quicker than real ones.
SENT_AT = """
SELECT message_id, min(submitted_at) FROM submission s WHERE message_id = ANY(%s) AND submitted_at >= %s
AND NOT EXISTS (SELECT 1 FROM campaign c WHERE c.id = s.campaign_id AND c.simulator_only) GROUP BY message_id
"""
STORE = """
WITH kept AS (
    INSERT INTO click (account_id, campaign_id, link_index, message_id, at, kind, confidence, device, brand, model, os,
                       address_hash)
    SELECT account_id, campaign_id, link_index, message_id, at, kind, confidence, device, brand, model, os, address_hash
    FROM unnest(%s::bigint[], %s::bigint[], %s::smallint[], %s::bigint[], %s::smallint[], %s::timestamptz[], %s::text[],
                %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
        AS v(account_id, campaign_id, link_index, message_id, confidence, at, kind, device, brand, model, os, address_hash)
    RETURNING id, account_id, campaign_id, message_id, at, kind,
              CASE kind WHEN 'image' THEN -1::smallint ELSE link_index END AS shown
), counted AS (
    INSERT INTO click_count AS c (campaign_id, message_id, link_index, first_at, n, human_n, first_human_at)
    SELECT min(campaign_id), message_id, shown, min(at), count(*), count(*) FILTER (WHERE kind = 'click'),
           min(at) FILTER (WHERE kind = 'click')
    FROM kept GROUP BY message_id, shown ORDER BY message_id, shown
    ON CONFLICT (message_id, link_index) DO UPDATE SET
        n = c.n + excluded.n, human_n = c.human_n + excluded.human_n, first_at = least(c.first_at, excluded.first_at),
        first_human_at = least(c.first_human_at, excluded.first_human_at)
)
INSERT INTO outbox (account_id, event, payload)
SELECT account_id, 'click', jsonb_build_object('click_id', id) FROM kept
WHERE kind = 'click' AND shown <> 7 AND EXISTS (  -- the opt-out page is told as a stop, when it is one
    SELECT 1 FROM webhook w WHERE w.account_id = kept.account_id AND w.is_enabled AND 'click' = ANY(w.events))
"""


def store(visits: Sequence[Visit]) -> None:
    """All of them or none. Order within one call does not matter."""
    for start in range(0, len(visits), MOST):
        _store(visits[start : start + MOST])


@transaction.atomic
def _store(visits: Sequence[Visit]) -> None:
    quick = _too_quick(visits)
    rows = []
    for number, visit in enumerate(visits):
        kind, confidence = ("scan", 60) if number in quick else (visit.kind, visit.confidence)
        d = visit.device
        rows.append(
            (visit.account_id, visit.campaign_id, visit.link_index, visit.message_id, confidence, visit.at.isoformat(), kind,
             d.kind, d.brand, d.model, d.os, visit.address_hash)
        )  # fmt: skip
    columns = list(zip(*rows, strict=True))
    # Array literals written here cost much less than the driver's own lists.
    with connection.cursor() as cursor:
        cursor.execute(STORE, [*map(literal, columns[:5]), *map(text_literal, columns[5:])])


def _too_quick(visits: Sequence[Visit]) -> set[int]:
    """Places in `visits` of those who came before they could have read."""
    people = [visit for visit in visits if visit.kind == "click"]
    if not people:
        return set()
    # Only what left within these seconds can have been too quick; older partitions are not looked at.
    since = min(visit.at for visit in people) - timedelta(seconds=TOO_QUICK_S)
    with connection.cursor() as cursor:
        cursor.execute(SENT_AT, [list({visit.message_id for visit in people}), since])
        sent_at: dict[int, datetime] = dict(cursor.fetchall())
    if not sent_at:
        return set()
    return {
        number
        for number, visit in enumerate(visits)
        if visit.kind == "click" and visit.message_id in sent_at and _seconds(visit, sent_at) < TOO_QUICK_S
    }


def _seconds(visit: Visit, sent_at: Mapping[int, datetime]) -> float:
    return (visit.at - sent_at[visit.message_id]).total_seconds()


# --- for reports -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Clicks:
    """Visits of a campaign's links. `people`: different messages somebody followed a link of; `by_device` counts clicks."""

    people: int
    human: int
    raw: int
    previews: int
    at: list[datetime]  # start of each step
    over_time: list[int]  # clicks of people in each step
    step: timedelta
    by_device: dict[str, int]
    by_system: dict[str, int]
    by_brand: dict[str, int]


TOTALS = """
SELECT count(DISTINCT message_id) FILTER (WHERE human_n > 0 AND link_index BETWEEN 0 AND 6),
       coalesce(sum(human_n) FILTER (WHERE link_index BETWEEN 0 AND 6), 0),
       coalesce(sum(n) FILTER (WHERE link_index BETWEEN 0 AND 6), 0), coalesce(sum(n) FILTER (WHERE link_index = -1), 0)
FROM click_count WHERE campaign_id = %s AND message_id BETWEEN %s AND %s  -- the index is that of messages
"""
# Clicks of people on links of the text: rows, and the sums of those that are gone (services.click_retention).
SHOWN = f"""
WITH shown AS (
    SELECT at, device, brand, os, 1 AS n FROM click WHERE campaign_id = %s AND kind = 'click' AND link_index <> {OPT_OUT}
    UNION ALL SELECT at, device, brand, os, n FROM click_sum WHERE campaign_id = %s
)
"""  # noqa: S608 (our own number)
BY_DEVICE = SHOWN + "SELECT device, brand, os, sum(n) FROM shown GROUP BY 1, 2, 3"  # noqa: S608 (our own words)
SPAN = SHOWN + "SELECT min(at), max(at) FROM shown"  # noqa: S608
OVER_TIME = SHOWN + "SELECT date_bin(%s, at, %s), sum(n) FROM shown GROUP BY 1 ORDER BY 1"  # noqa: S608
STEPS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 720, 1440, 10080))
MOST_STEPS = 60


def of_campaign(campaign: Campaign) -> Clicks | None:
    """None when nobody came. Reads one row per visit: for a part of a page that is drawn after the rest."""
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, _mine(campaign))
        people, human, raw, previews = (int(n or 0) for n in cursor.fetchone())
        if not raw + previews:
            return None
        both = [campaign.pk, campaign.pk]
        cursor.execute(SPAN, both)
        first, last = cursor.fetchone()
        cursor.execute(BY_DEVICE, both)
        devices = cursor.fetchall()
        step = _step(first, last)
        buckets: dict[datetime, int] = {}
        if first is not None:
            origin = first.replace(minute=0, second=0, microsecond=0)
            wanted: list[Any] = [*both, step, origin]
            cursor.execute(OVER_TIME, wanted)
            buckets = {at: int(n) for at, n in cursor.fetchall()}
    at, over_time = _filled(buckets, step)
    return Clicks(
        people, human, raw, previews, at, over_time, step, _sums(devices, 0), _sums(devices, 2), _sums(devices, 1)
    )


@dataclass(frozen=True, slots=True)
class LinkClicks:
    """`label`: the address, or the file's name. Link 7 is the opt-out page."""

    index: int
    label: str
    people: int
    human: int


PER_LINK = """
SELECT link_index, count(*) FILTER (WHERE human_n > 0), sum(human_n) FROM click_count
WHERE campaign_id = %s AND message_id BETWEEN %s AND %s AND link_index >= 0 GROUP BY link_index ORDER BY link_index
"""


def _mine(campaign: Campaign) -> list[int]:
    return [campaign.pk, campaign.first_message_id or 0, campaign.last_message_id or 0]


def per_link(campaign: Campaign) -> list[LinkClicks]:
    labels = {
        link.index: link.url or (link.asset.name if link.asset else "")
        for link in campaign.links.select_related("asset")
    }
    with connection.cursor() as cursor:
        cursor.execute(PER_LINK, _mine(campaign))
        found = {index: (int(people), int(human)) for index, people, human in cursor.fetchall()}
    return [LinkClicks(i, labels.get(i, ""), *found.get(i, (0, 0))) for i in sorted(labels.keys() | found.keys())]


def _step(first: datetime | None, last: datetime | None) -> timedelta:
    span = (last - first) if first is not None and last is not None else timedelta(0)
    return next((step for step in STEPS if span / step <= MOST_STEPS), STEPS[-1])


def _filled(buckets: Mapping[datetime, int], step: timedelta) -> tuple[list[datetime], list[int]]:
    """Steps without a click are there too."""
    at: list[datetime] = []
    moment, last = min(buckets, default=None), max(buckets, default=None)
    while moment is not None and last is not None and moment <= last and len(at) < 2 * MOST_STEPS:
        at.append(moment)
        moment += step
    return at, [buckets.get(moment, 0) for moment in at]


def _sums(devices: Sequence[Any], column: int) -> dict[str, int]:
    found: Counter[str] = Counter()
    for row in devices:
        found[row[column]] += int(row[3])
    return dict(found.most_common(8))
