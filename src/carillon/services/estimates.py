"""What a draft would cost, before every recipient is judged, and how its segments spread over the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from carillon.domain.status import Status
from carillon.models import Campaign, List
from carillon.services import campaigns, composing, routes

BATCH = 5_000
MOST_ROWS = 200_000  # a page does not wait for more; the preparation judges every row
SHOWN = 20  # rows that spill, named


@dataclass(frozen=True, slots=True)
class Estimate:
    """At most: `recipients` that may be written to, each at the worst case's segments. Hundredths of a credit."""

    recipients: int
    price: int


def estimate(campaign: Campaign, *, segments: int) -> Estimate:
    tariff = routes.tariff_of(campaign.account, medium=campaign.medium)
    allowed = routes.allowed_countries(campaign.account)
    recipients = price = 0
    for item in campaigns.lists_of(campaign):
        if item.state != List.State.READY:
            continue
        by_country = countries_of(item)
        known = sum(by_country.values()) or 1
        share = max(item.valid_count - item.duplicate_count, 0) / known  # duplicates are valid numbers
        sendable = {c: n for c, n in by_country.items() if c in allowed and c in tariff}
        recipients += round(sum(sendable.values()) * share)
        price += round(sum(n * tariff[c] for c, n in sendable.items()) * share) * segments
    return Estimate(recipients, price)


def countries_of(item: List) -> dict[str, int]:
    """{country: valid numbers}: from the analysis, else counted."""
    analysis = item.analysis or {}
    found = analysis.get("_more", analysis).get("countries")
    if found is None and "validCountryCounter" in analysis:
        found = Counter(analysis["validCountryCounter"]) + Counter(analysis.get("invalidCountryCounter", {}))
    if found is not None:
        return {str(c): int(n) for c, n in found.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT country, count(*) FROM recipient WHERE list_id = %s AND msisdn IS NOT NULL GROUP BY country",
            [item.pk],
        )
        return {country: int(n) for country, n in cursor.fetchall()}


@dataclass(slots=True)
class Spread:
    """`by_segments`: {segments: rows}. `longest`: the rows of most segments, (row from 1, msisdn, segments, text)."""

    by_segments: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    longest: list[tuple[int, int, int, str]] = field(default_factory=list)
    rows: int = 0
    is_partial: bool = False


@dataclass(slots=True)
class _Written:
    country: str
    status: int = Status.IN_PROGRESS
    text: str = ""
    segments: int = 0
    reason: str = ""


def spread(campaign: Campaign) -> Spread:
    """Composes every row (the first 200,000) of the draft as given, stored or not. Raises InvalidInput as composing does."""
    found = Spread()
    for item in campaigns.lists_of(campaign):
        if item.state != List.State.READY:
            continue
        write = composing.row_composer(campaign, item)
        for rows in _batches(item):
            for msisdn, country, verdict, fields in rows:
                found.rows += 1
                if msisdn is not None and verdict == Status.IN_PROGRESS:
                    _add(found, write, msisdn, country, fields)
            if found.rows >= MOST_ROWS:
                found.is_partial = True
                return found
    return found


def _add(found: Spread, write: Any, msisdn: int, country: str, fields: list[str]) -> None:
    written = _Written(country)
    write(written, fields, 0)
    if written.status != Status.IN_PROGRESS:
        found.refused[written.status] += 1
        return
    found.by_segments[written.segments] += 1
    if written.segments < 2:
        return
    if len(found.longest) < SHOWN or written.segments > found.longest[-1][2]:
        found.longest.append((found.rows, msisdn, written.segments, written.text))
        found.longest.sort(key=lambda row: (-row[2], row[0]))
        del found.longest[SHOWN:]


def _batches(item: List) -> Iterator[list[Any]]:
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, msisdn, country, verdict, fields FROM recipient WHERE list_id = %s AND id > %s ORDER BY list_id, id LIMIT %s",
                [item.pk, last, BATCH],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        last = rows[-1][0]
        yield [row[1:] for row in rows]
