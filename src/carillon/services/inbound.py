"""Texts from people, kept as they came, each once.

A text with an id of its carrier's is known again by it. SMPP gives none: there a text is the repeat of an earlier one when it
consists of the same octets from and to the same numbers, the session by which the earlier one came has ended, and the carrier may
have missed our answer to it (docs/replies.md). Each earlier text stands for one repeat: who writes OK twice is heard twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import timedelta

from django.db import connection, transaction
from django.db.models.functions import Now

from carillon.domain.traffic import Inbound
from carillon.models import Reply
from carillon.services import long_texts
from carillon.services.deferral import defer

REPEAT_WITHIN = timedelta(minutes=15)


@transaction.atomic
def keep(inbounds: Sequence[Inbound], *, connector_id: int, sessions: Collection[int] = ()) -> list[int]:
    """Rows without an account yet. A job handles them at once. `sessions`: those that stand, as far as the caller knows.
    Gives the row of each text, 0 for those known by an id and for parts of incomplete ones."""
    parts = [inbound for inbound in inbounds if inbound.part is not None]
    joined = iter(long_texts.join(parts, connector_id) if parts else [])
    whole = [next(joined) if inbound.part is not None else inbound for inbound in inbounds]
    for inbound in inbounds:
        if inbound.parts:
            long_texts.remember(inbound, connector_id)
    rows = [_row(inbound, connector_id) for inbound in whole if inbound is not None]
    kept = _unless_repeated([row for row in rows if row.fingerprint], connector_id, sessions)
    Reply.objects.bulk_create([row for row in rows if not row.fingerprint], ignore_conflicts=True)
    defer("replies.handle", queueing_lock="replies.handle")
    keys = iter([kept[id(row)] if row.fingerprint else 0 for row in rows])
    return [next(keys) if inbound is not None else 0 for inbound in whole]


@transaction.atomic
def keep_incomplete() -> int:
    """Long texts of which a part did not come in time are kept with what there is; returns how many."""
    late = long_texts.late()
    Reply.objects.bulk_create(_row(inbound, connector_id) for connector_id, inbound in late)
    if late:
        defer("replies.handle", queueing_lock="replies.handle")
    return len(late)


def answered(row_ids: Sequence[int]) -> None:
    """The carrier surely knows that these are stored: the same text is from now on another."""
    Reply.objects.filter(pk__in=row_ids).update(is_answered=True)


def _row(inbound: Inbound, connector_id: int) -> Reply:
    """Its time is the database's: clocks of gateways differ, and jump."""
    message_id = inbound.carrier_message_id[:80]
    fingerprint = 0 if message_id else inbound.fingerprint
    return Reply(
        connector_id=connector_id, carrier_message_id=message_id, msisdn=inbound.msisdn, to=inbound.to.lstrip("+")[:20],
        text=inbound.text.replace("\x00", ""), received_at=inbound.received_at or Now(),
        fingerprint=fingerprint, session_id=inbound.session_id if fingerprint else 0, is_answered=not fingerprint,
    )  # fmt: skip


def _unless_repeated(rows: list[Reply], connector_id: int, sessions: Collection[int]) -> dict[int, int]:
    """Stores those that repeat no earlier one; the earlier one now waits for its answer in the new session. Python's id of each
    row to the key of the row that holds its text."""
    if not rows:
        return {}
    with connection.cursor() as cursor:  # gateways of one connector must see what the other stored
        cursor.execute("SELECT pg_advisory_xact_lock(4715, %s)", [connector_id])
    unanswered: dict[int, list[Reply]] = defaultdict(list)
    for earlier in Reply.objects.filter(
        connector_id=connector_id, is_answered=False, fingerprint__in={row.fingerprint for row in rows},
        received_at__gte=Now() - REPEAT_WITHIN,
    ).exclude(session_id__in=sessions).order_by("pk"):  # fmt: skip
        unanswered[earlier.fingerprint].append(earlier)
    holders: dict[int, Reply] = {}
    new: list[Reply] = []
    for row in rows:
        holder = next((one for one in unanswered[row.fingerprint] if one.session_id != row.session_id), None)
        if holder is not None:
            holder.session_id = row.session_id
            holders[id(row)] = holder
            continue
        new.append(row)
        if row.session_id not in sessions:  # its repeat may stand in the same batch
            unanswered[row.fingerprint].append(row)
    Reply.objects.bulk_update([holder for holder in holders.values() if holder.pk], ["session_id"])
    Reply.objects.bulk_create(new)
    return {id(row): holders.get(id(row), row).pk for row in rows}
