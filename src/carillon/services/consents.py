"""The append-only log of opt-outs and consents: each entry carries the hash of the one before it, per account.

hash = SHA-256(previous hash + canonical JSON of the entry), in hexadecimal; the first previous hash is 64 zeros. A copy can be
verified offline (`carillon optout verify`): a changed, removed or reordered entry breaks every hash after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from carillon.models import ConsentEntry

GENESIS = "0" * 64


def digest(previous: str, entry: Mapping[str, Any]) -> str:
    """Hash of one entry {account_id, sequence, at (ISO, UTC), event, body} after the hash `previous`."""
    canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((previous + canonical).encode()).hexdigest()


def append(account_id: int, event: str, body: Mapping[str, Any]) -> ConsentEntry:
    """One more entry, in the caller's transaction. Entries of one account are written one after the other."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(4712, %s)", [account_id % 2**31])
        last = ConsentEntry.objects.filter(account_id=account_id).order_by("-sequence").first()
        entry = ConsentEntry(
            account_id=account_id,
            sequence=last.sequence + 1 if last else 1,
            at=timezone.now(),
            event=event,
            body=dict(body),
            previous_hash=last.hash if last else GENESIS,
        )
        entry.hash = digest(entry.previous_hash, as_dict(entry))
        entry.save(force_insert=True)
    return entry


def as_dict(entry: ConsentEntry) -> dict[str, Any]:
    """What is hashed, and what an export holds beside `hash`."""
    return {
        "account_id": entry.account_id,
        "sequence": entry.sequence,
        "at": entry.at.isoformat(),
        "event": entry.event,
        "body": entry.body,
    }


def export(account_id: int) -> Iterator[dict[str, Any]]:
    """Page by page, so that it may begin in one thread and go on in another (services.streaming)."""
    after = 0
    found = ConsentEntry.objects.filter(account_id=account_id).order_by("sequence")
    while page := list(found.filter(sequence__gt=after)[:1000]):
        after = page[-1].sequence
        yield from (as_dict(entry) | {"hash": entry.hash} for entry in page)


def verify(entries: Iterable[Mapping[str, Any]]) -> tuple[int, str]:
    """(entries that hold, "" or the first fault as a sentence). Needs nothing but the export."""
    previous, n = GENESIS, 0
    for entry in entries:
        body = {key: value for key, value in entry.items() if key != "hash"}
        if entry.get("sequence") != n + 1:
            return n, f"entry {n + 1} is missing or out of order (found {entry.get('sequence')})"
        if digest(previous, body) != entry.get("hash"):
            return n, f"entry {n + 1} was changed, or one before it was removed"
        previous, n = str(entry["hash"]), n + 1
    return n, ""
