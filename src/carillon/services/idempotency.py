"""Idempotency keys: the same key within 24 hours gets the same answer and nothing is done twice.

Claim, work and answer share one transaction: after a crash either all of it is there or none. A second request with the same
key waits for the first one's commit on the unique index, at most LOCK_WAIT.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, connection, transaction

from carillon.domain.errors import CarillonError, InvalidInput
from carillon.models import IdempotencyKey

LIFE = timedelta(hours=24)
LOCK_WAIT = "10s"
MAX_KEY = 200


class InProgress(CarillonError):
    code = "idempotency_in_progress"


class Mismatch(CarillonError):
    code = "idempotency_mismatch"


@dataclass(frozen=True, slots=True)
class Stored:
    status: int
    body: str


def fingerprint(*, method: str, path: str, body: bytes) -> str:
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()


def claim(*, account_id: int, key: str, fingerprint: str, now: datetime) -> Stored | None:
    """In the caller's transaction. None: the key is new, do the work and `store`. Else the answer given before.

    Raises Mismatch when the key came with another request, InProgress when the first one is still busy.
    """
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        raise InvalidInput(f"An Idempotency-Key has 1 to {MAX_KEY} printable characters", field="Idempotency-Key")
    if _insert(account_id, key, fingerprint, now):
        return None
    row = IdempotencyKey.objects.filter(account_id=account_id, key=key).first()
    if row is None:  # the other request gave up between our two statements
        raise InProgress("The first request with this Idempotency-Key was just undone: repeat it.")
    if row.fingerprint != fingerprint:
        raise Mismatch("This Idempotency-Key was used for a different request in the last 24 hours.")
    if row.status is None:
        raise InProgress("The first request with this Idempotency-Key is still being answered.")
    return Stored(row.status, row.body)


def _insert(account_id: int, key: str, fingerprint: str, now: datetime) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = %s", [LOCK_WAIT])
            cursor.execute(
                "INSERT INTO idempotency_key (account_id, key, fingerprint, body, created_at) VALUES (%s, %s, %s, '', %s) "
                "ON CONFLICT (account_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, status = NULL, body = '', "
                "created_at = excluded.created_at WHERE idempotency_key.created_at < %s",
                [account_id, key, fingerprint, now, now - LIFE],
            )
            written: bool = cursor.rowcount == 1
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")
            return written
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") == "55P03":  # lock_not_available
            raise InProgress("The first request with this Idempotency-Key is still being answered.") from None
        raise


def store(*, account_id: int, key: str, status: int, body: str) -> None:
    """In the same transaction as the claim and the work."""
    IdempotencyKey.objects.filter(account_id=account_id, key=key).update(status=status, body=body)


def purge(*, now: datetime) -> int:
    gone, _ = IdempotencyKey.objects.filter(created_at__lt=now - LIFE).delete()
    return gone
