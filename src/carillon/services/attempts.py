"""Failed attempts, remembered for a while: the limits on guessing. A key that names nobody counts like any other, so that
being refused tells nothing about what exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from carillon.models import LoginAttempt
from carillon.services.tokens import TooManyAttempts

WINDOW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` attempts under `key` within `window`."""

    key: str
    most: int
    window: timedelta = WINDOW


@transaction.atomic
def take(kind: str, limits: Sequence[Limit], *, now: datetime) -> list[int]:
    """One attempt under each of `limits`, counted before anything is looked at: of many at once, only `most` are heard.

    Gives the ids of what was counted, for `give_back` when it was no mistake. Raises TooManyAttempts, and counts nothing.
    """
    with connection.cursor() as cursor:  # in one order, so that two attempts never wait for each other
        for name in sorted(f"{kind} {limit.key}" for limit in limits):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
    _check(kind, limits, now=now)
    taken = LoginAttempt.objects.bulk_create([LoginAttempt(kind=kind, key=limit.key[:200]) for limit in limits])
    return [attempt.pk for attempt in taken]


def give_back(taken: Sequence[int]) -> None:
    """What was taken was not a mistake."""
    LoginAttempt.objects.filter(pk__in=taken).delete()


def _check(kind: str, limits: Iterable[Limit], *, now: datetime) -> None:
    """Raises TooManyAttempts, with the seconds until the next attempt is heard."""
    for limit in limits:
        recent = LoginAttempt.objects.filter(kind=kind, key=limit.key[:200], at__gt=now - limit.window).order_by("-at")
        times = list(recent.values_list("at", flat=True)[: limit.most])
        if len(times) >= limit.most:
            wait = max(1, int((times[-1] + limit.window - now).total_seconds()) + 1)
            raise TooManyAttempts(f"Too many attempts: try again in {wait} seconds.", retry_after_s=wait)


def forget(kind: str, key: str) -> None:
    """After a success, the person's own mistakes are forgotten; those of an address are not."""
    LoginAttempt.objects.filter(kind=kind, key=key[:200]).delete()


def purge(*, now: datetime) -> int:
    gone, _ = LoginAttempt.objects.filter(at__lt=now - timedelta(days=1)).delete()
    return gone
