"""Monthly partitions of submission: made ahead, so that no hand-over ever waits for one."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import connection

MONTHS_AHEAD = 3


def make_ahead(*, today: date) -> list[str]:
    """The names of this month's partition and the next ones; made when missing."""
    names = []
    day = today.replace(day=1)
    with connection.cursor() as cursor:
        for _ in range(MONTHS_AHEAD + 1):
            cursor.execute("SELECT ensure_submission_partition(%s)", [day])
            names.append(cursor.fetchone()[0])
            day = (day + timedelta(days=32)).replace(day=1)
    return names
