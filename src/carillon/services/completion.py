"""When a campaign is sent, and when it is finished.

INPROGRESS → INJECTED    every slice is done: nothing is left to hand over
finished_at              every recipient is final (posted counts as final after 48 hours)
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from carillon.domain.status import OPEN_STATUSES, SOFT_FINAL_AFTER_S, Status

_POSTED = [int(Status.POSTED), int(Status.POSTED_P2P)]
_OPEN = [int(status) for status in OPEN_STATUSES]
# A campaign with no slice at all was refused whole: launching has finished it already.
_INJECT = """
UPDATE campaign k SET state = 'INJECTED', is_sending = false, updated_at = %s
WHERE k.id IN (
    SELECT c.id FROM campaign c WHERE c.state = 'INPROGRESS'
      AND NOT EXISTS (SELECT 1 FROM slice s WHERE s.campaign_id = c.id AND s.state IN (1, 2))
      AND EXISTS (SELECT 1 FROM slice s WHERE s.campaign_id = c.id)
    ORDER BY c.id LIMIT 5000 FOR UPDATE SKIP LOCKED)
RETURNING k.id
"""
_FINISHED = """
WITH fresh AS (SELECT campaign_id, status, sum(n) AS n FROM campaign_delta GROUP BY campaign_id, status),
due AS (
    SELECT k.id, k.scheduled_at, k.launched_at FROM campaign k
    WHERE k.state = 'INJECTED' AND k.finished_at IS NULL AND k.launched_at > %(since)s ORDER BY k.id LIMIT 5000
)
SELECT d.id FROM due d WHERE NOT EXISTS (
    SELECT 1 FROM (
        SELECT status, n FROM campaign_count c WHERE c.campaign_id = d.id
        UNION ALL SELECT status, n FROM fresh f WHERE f.campaign_id = d.id) parts
    WHERE status = ANY(%(open)s) AND (status <> ALL(%(posted)s) OR coalesce(d.scheduled_at, d.launched_at) > %(soft)s)
    GROUP BY status HAVING sum(n) > 0)
"""
_FINISH = """
UPDATE campaign SET finished_at = %s WHERE id = ANY(%s) AND finished_at IS NULL AND state = 'INJECTED'
RETURNING id, account_id
"""
_COUNTS = """
SELECT campaign_id, status, sum(n) FROM (
    SELECT campaign_id, status, n FROM campaign_count WHERE campaign_id = ANY(%s)
    UNION ALL SELECT campaign_id, status, n FROM campaign_delta WHERE campaign_id = ANY(%s)) parts
GROUP BY campaign_id, status HAVING sum(n) <> 0
"""


def mark_sent(*, now: datetime) -> list[int]:
    """Campaigns that had nothing left to hand over."""
    with connection.cursor() as cursor:
        cursor.execute(_INJECT, [now])
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def mark_finished(*, now: datetime, launched_within: timedelta = timedelta(days=30)) -> list[int]:
    """Campaigns whose last recipient has become final; each is told once (outbox, campaign.finished)."""
    parameters: dict[str, Any] = {
        "since": now - launched_within, "open": _OPEN, "posted": _POSTED,
        "soft": now - timedelta(seconds=SOFT_FINAL_AFTER_S),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_FINISHED, parameters)
        due = [row[0] for row in cursor.fetchall()]
        if not due:
            return []
        cursor.execute(_FINISH, [now, due])
        finished = cursor.fetchall()
        counts: dict[int, dict[int, int]] = {}
        cursor.execute(_COUNTS, [due, due])
        for campaign_id, status, n in cursor.fetchall():
            counts.setdefault(campaign_id, {})[status] = int(n)
        cursor.executemany(
            "INSERT INTO outbox (account_id, event, payload) VALUES (%s, 'campaign.finished', %s::jsonb)",
            [
                (account_id, json.dumps({"campaign_id": campaign_id, "counts": counts.get(campaign_id, {})}))
                for campaign_id, account_id in finished
            ],
        )
    return [row[0] for row in finished]
