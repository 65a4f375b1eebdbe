"""Jobs are deferred by name, in the caller's transaction: rolled back with it, seen by workers once it is committed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

# A job that waits for a later moment must not keep an earlier wish waiting. The row stays locked until our commit, so that no
# worker takes it before it can see what we wrote.
BRING_FORWARD = """
UPDATE procrastinate_jobs
SET scheduled_at = CASE WHEN scheduled_at IS NULL OR %s::timestamptz IS NULL THEN NULL ELSE least(scheduled_at, %s) END
WHERE queueing_lock = %s AND status = 'todo'
"""


def defer(
    name: str,
    *,
    at: datetime | None = None,
    lock: str | None = None,
    queueing_lock: str | None = None,
    **arguments: Any,
) -> int | None:
    """Ask for the job `name` (see carillon.jobs) with JSON arguments; gives its number.

    `at`: not before this aware moment. `lock`: two jobs with the same lock never run at the same time, and keep their order.
    `queueing_lock`: at most one job waiting under this name; None is returned when there is one already, which then runs at the
    earlier of both moments, and not before our commit.
    """
    if at is not None and at.tzinfo is None:
        raise ValueError("a job's date must carry its time zone")
    options: dict[str, Any] = {"schedule_at": at, "lock": lock, "queueing_lock": queueing_lock}
    deferrer = app.configure_task(name, **{key: value for key, value in options.items() if value is not None})
    while True:
        try:
            with transaction.atomic():  # a refused insert must not spoil the caller's transaction
                return deferrer.defer(**arguments)
        except AlreadyEnqueued:
            with connection.cursor() as cursor:
                cursor.execute(BRING_FORWARD, [at, at, queueing_lock])
                if cursor.rowcount:
                    return None  # else it began to run meanwhile, perhaps without what we wrote: another must follow
