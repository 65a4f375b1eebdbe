"""A campaign whose messages suddenly fail is paused before the rest is lost too; the reason is kept with it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db import connection, transaction

from carillon.domain import pauses
from carillon.domain.status import FINAL_STATUSES, Outcome, Status, row
from carillon.models import Campaign

WINDOW = 500  # last messages handed over
LEAST = 100  # of them with an outcome, before anything is concluded
LIMIT = 0.5  # share that failed
CODE = "paused_for_failures"
# Its own fault or the recipient's choice: not a sign that something broke.
_IGNORED = frozenset({Status.BLACKLISTED, Status.BLACKLISTED_GLOBAL, Status.BLACKLISTED_CLIENT, Status.DUPLICATE})

_LATEST = """
SELECT status, count(*) FROM (
    SELECT x.status FROM (
        SELECT connector_id, greatest(first_id - n, %(after)s + 1) AS low, cursor_id AS high FROM slice
        WHERE campaign_id = %(campaign)s AND state IN (2, 3) AND cursor_id > %(after)s ORDER BY id DESC LIMIT 4) s
    JOIN submission x ON x.connector_id = s.connector_id AND x.message_id BETWEEN s.low AND s.high
        AND x.campaign_id = %(campaign)s
    ORDER BY x.message_id DESC LIMIT %(window)s) latest
GROUP BY status
"""


def pause_failing(*, now: datetime) -> list[int]:
    """Looks at every running campaign that is large enough to tell; returns those it paused."""
    running = Campaign.objects.filter(state=Campaign.State.INPROGRESS, is_sending=True, valid_count__gte=LEAST)
    return [campaign.pk for campaign in running if _pause_if_failing(campaign, now)]


def _pause_if_failing(campaign: Campaign, now: datetime) -> bool:
    # After a person resumed it, only what was sent since counts.
    after = max((w.get("after", 0) for w in campaign.warnings if w.get("code") == CODE), default=0)
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, {"campaign": campaign.pk, "after": after, "window": WINDOW})
        latest = Counter({status: int(n) for status, n in cursor.fetchall() if status not in _IGNORED})
        known = sum(n for status, n in latest.items() if status in FINAL_STATUSES)
        failed = Counter({status: n for status, n in latest.items() if _is_failure(status)})
        if known < LEAST or failed.total() < LIMIT * known:
            return False
        cursor.execute("SELECT max(cursor_id) FROM slice WHERE campaign_id = %s", [campaign.pk])
        (reached,) = cursor.fetchone()
    worst, times = failed.most_common(1)[0]
    reason = pauses.failure_rate(failed=failed.total(), known=known, status=int(worst), times=times)
    warning = {"code": CODE, "after": reached, "failed": failed.total(), "known": known, "status": int(worst)}
    with transaction.atomic():
        done = Campaign.objects.filter(pk=campaign.pk, is_sending=True).update(
            is_sending=False, paused_at=now, paused_reason=reason, warnings=[*campaign.warnings, warning]
        )
    return bool(done)


def _is_failure(status: int) -> bool:
    return status in FINAL_STATUSES and row(status).outcome in (Outcome.NOT_DELIVERED, Outcome.NOT_SENT)
