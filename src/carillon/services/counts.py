"""Messages of a campaign by status: the folded counters plus what is not folded yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import connection, transaction

FOLD = """
WITH taken AS (
    DELETE FROM campaign_delta WHERE id IN (SELECT id FROM campaign_delta ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING campaign_id, status, n
), summed AS (
    SELECT campaign_id, status, sum(n) AS n FROM taken GROUP BY campaign_id, status
    HAVING EXISTS (SELECT 1 FROM campaign c WHERE c.id = campaign_id)
), folded AS (
    INSERT INTO campaign_count (campaign_id, status, n)
    SELECT campaign_id, status, n FROM summed ORDER BY campaign_id, status
    ON CONFLICT (campaign_id, status) DO UPDATE SET n = campaign_count.n + excluded.n
)
SELECT count(*) FROM taken
"""

BY_STATUS = """
SELECT campaign_id, status, sum(n) FROM (
    SELECT campaign_id, status, n FROM campaign_count WHERE campaign_id = ANY(%s)
    UNION ALL
    SELECT campaign_id, status, n FROM campaign_delta WHERE campaign_id = ANY(%s)
) AS both_parts GROUP BY campaign_id, status HAVING sum(n) <> 0
"""


def fold(limit: int = 20_000) -> int:
    """Add waiting deltas to the counters; returns how many rows were taken. Safe to run anywhere, any number at once."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FOLD, [limit])
        row = cursor.fetchone()
    return int(row[0])


def by_campaign(campaign_ids: Iterable[int]) -> dict[int, dict[int, int]]:
    """{campaign id: {status: messages}}, one query for a whole page of campaigns."""
    ids = list(campaign_ids)
    found: dict[int, dict[int, int]] = {i: {} for i in ids}
    with connection.cursor() as cursor:
        cursor.execute(BY_STATUS, [ids, ids])
        for campaign_id, status, n in cursor.fetchall():
            found[campaign_id][status] = int(n)
    return found


def by_status(campaign_id: int) -> dict[int, int]:
    """{status: messages} of one campaign, up to the last committed batch."""
    return by_campaign([campaign_id])[campaign_id]


def add(campaign_id: int, changes: Mapping[int, int], *, connector_id: int = 0) -> None:
    """Note changes ({status: +n or -n}) in the caller's transaction."""
    rows = [(connector_id, campaign_id, status, n) for status, n in changes.items() if n]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO campaign_delta (connector_id, campaign_id, status, n) VALUES (%s, %s, %s, %s)", rows
            )
