"""How many requests a token may make in a minute, over all web processes.

Each process counts in memory and adds its count to one database row every twentieth of the limit: a busy token costs a
statement for one request in many, and can pass its limit by at most 5 % per further process. Small limits are exact.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from django.db import connection

WINDOW_S = 60
_STEP = 20

ADD = """
INSERT INTO api_rate (token_id, window_at, n) VALUES (%s, %s, %s)
ON CONFLICT (token_id, window_at) DO UPDATE SET n = api_rate.n + excluded.n RETURNING n
"""


@dataclass(slots=True)
class _Count:
    window: int
    known: int = 0  # in the database when last read
    pending: int = 0  # counted here since


@dataclass(frozen=True, slots=True)
class Allowance:
    """`is_allowed`, and what the headers tell: limit, remaining, seconds until the count starts again."""

    is_allowed: bool
    limit: int
    remaining: int
    reset_s: int


_counts: dict[int, _Count] = {}
_lock = threading.Lock()


def take(token_id: int, limit: int, *, now_s: float) -> Allowance:
    """Count one request at `now_s` (seconds since the epoch)."""
    window = int(now_s // WINDOW_S)
    reset_s = int((window + 1) * WINDOW_S - now_s) + 1
    with _lock:
        if len(_counts) > 50_000:
            _counts.clear()
        count = _counts.get(token_id)
        if count is None or count.window != window:
            count = _counts[token_id] = _Count(window)
        count.pending += 1
        waiting = count.pending if count.pending * _STEP >= limit or count.known == 0 else 0
        if waiting:
            count.pending = 0
    if waiting:
        known = _add(token_id, window, waiting)
        with _lock:
            count.known = max(count.known, known)
    used = count.known + count.pending
    return Allowance(used <= limit, limit, max(limit - used, 0), reset_s)


def _add(token_id: int, window: int, n: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(ADD, [token_id, window, n])
        return int(cursor.fetchone()[0])


def purge(*, now_s: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM api_rate WHERE window_at < %s", [int(now_s // WINDOW_S) - 10])
