"""Long texts from people whose parts came by several gateways: each part is a row until all are there.

A part that comes again is known by its number and octets; a phone that uses a reference again sends other octets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from carillon.domain.traffic import GAP, Inbound, TextPart, fingerprint_of
from carillon.models import ReplyPart

KEPT = timedelta(minutes=15)
FIELDS = ("connector_id", "msisdn", "to", "reference", "total")


def join(parts: Sequence[Inbound], connector_id: int) -> list[Inbound | None]:
    """Stores them. For each the whole text when it was the last one, else None. In the caller's transaction."""
    _one_gateway_at_a_time(connector_id)
    return [_add(inbound, inbound.part, connector_id) for inbound in parts if inbound.part is not None]


def remember(whole: Inbound, connector_id: int) -> None:
    """A text that came joined: each of its parts is known, should it come again alone. In the caller's transaction."""
    _one_gateway_at_a_time(connector_id)
    mark = _mark(whole, whole.parts[0], connector_id)
    for part in whole.parts:
        ReplyPart.objects.filter(**mark, number=part.number, printed=part.printed).update(is_used=True)
    ReplyPart.objects.bulk_create(
        (
            ReplyPart(
                **mark, number=part.number, text="", printed=part.printed, is_used=True,
                until=Now() + timedelta(seconds=part.waits_s),
            )
            for part in whole.parts
        ),
        ignore_conflicts=True,
    )  # fmt: skip


def late() -> list[tuple[int, Inbound]]:
    """(connector, text) of those a part of which did not come in time; each once. In the caller's transaction."""
    for connector_id in ReplyPart.objects.filter(is_used=False).values_list("connector_id", flat=True).distinct():
        _one_gateway_at_a_time(connector_id)
    ReplyPart.objects.filter(until__lt=Now() - KEPT).delete()
    texts: dict[tuple[object, ...], list[ReplyPart]] = defaultdict(list)
    for row in ReplyPart.objects.filter(is_used=False).order_by("id"):
        texts[tuple(getattr(row, name) for name in FIELDS)].append(row)
    found = []
    for rows in texts.values():
        due = ReplyPart.objects.filter(pk__in=[row.pk for row in rows], until__lt=Now())
        if due.exists():
            ReplyPart.objects.filter(pk__in=[row.pk for row in rows]).update(is_used=True)
            found.append((rows[0].connector_id, _whole(rows)))
    return found


def _one_gateway_at_a_time(connector_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(4715, %s)", [connector_id])


def _add(inbound: Inbound, part: TextPart, connector_id: int) -> Inbound | None:
    text = inbound.text.replace("\x00", "")
    mark = _mark(inbound, part, connector_id)
    rows = {row.number: row for row in ReplyPart.objects.filter(**mark)}
    same = rows.get(part.number)
    if same is not None and bytes(same.printed) == part.printed:
        return None
    if same is not None:
        _make_way(mark, min(row.pk for row in rows.values()))
        rows = {}
    rows[part.number] = ReplyPart.objects.create(
        **mark, number=part.number, text=text, printed=part.printed, until=Now() + timedelta(seconds=part.waits_s)
    )
    if len(rows) < part.total or any(row.is_used for row in rows.values()):
        return None
    ReplyPart.objects.filter(**mark).update(is_used=True)
    whole = _whole(rows.values())
    whole.session_id = inbound.session_id
    return whole


def _make_way(mark: dict[str, Any], key: int) -> None:
    """Another text has this reference now: what is incomplete of the old one is kept with its gap, under a number no phone uses."""
    ReplyPart.objects.filter(**mark, is_used=True).delete()
    ReplyPart.objects.filter(**mark).update(reference=-key, until=Now())


def _mark(inbound: Inbound, part: TextPart, connector_id: int) -> dict[str, Any]:
    """Which text a part is of: FIELDS with their values."""
    return {
        "connector_id": connector_id, "msisdn": inbound.msisdn, "to": inbound.to.lstrip("+")[:20],
        "reference": part.reference, "total": part.total,
    }  # fmt: skip


def _whole(rows: Iterable[ReplyPart]) -> Inbound:
    by_number = {row.number: row for row in rows}
    first = next(iter(by_number.values()))
    text = "".join(by_number[n].text if n in by_number else GAP for n in range(1, first.total + 1))
    prints = (bytes(by_number[n].printed) for n in sorted(by_number))
    return Inbound(first.msisdn, first.to, text, fingerprint=fingerprint_of(prints))
