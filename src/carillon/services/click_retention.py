"""Visits are personal data: after some months their rows go. The counters of each message and link stay (click_count), and what
the charts need: how many clicks an hour, from which devices (click_sum).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

AT_ONCE = 20_000  # rows of one transaction
# Ids follow time nearly: the oldest rows are the first ones.
FOLD = """
WITH gone AS (
    DELETE FROM click WHERE id IN (SELECT id FROM click ORDER BY id LIMIT %s) AND at < %s
    RETURNING campaign_id, at, device, brand, os, kind = 'click' AND link_index <> 7 AS is_shown
), summed AS (
    INSERT INTO click_sum AS s (campaign_id, at, device, brand, os, n)
    SELECT campaign_id, date_trunc('hour', at, 'UTC'), device, brand, os, count(*) FROM gone WHERE is_shown
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (campaign_id, at, device, brand, os) DO UPDATE SET n = s.n + excluded.n
)
SELECT count(*) FROM gone
"""


def purge(*, now: datetime) -> int:
    """Visits older than CLICK_DAYS become sums; returns how many. 0 days: they are kept."""
    days: int = settings.CLICK_DAYS
    total = 0
    while days and (gone := _fold(now - timedelta(days=days))):
        total += gone
    return total


@transaction.atomic
def _fold(before: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(FOLD, [AT_ONCE, before])
        return int(cursor.fetchone()[0])
