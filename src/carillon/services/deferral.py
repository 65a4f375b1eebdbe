"""Jobs are deferred by name, in the caller's transaction: rolled back with it, seen by workers once it is committed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued


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
    `queueing_lock`: at most one job waiting under this name; None is returned when there is one already.
    """
    if at is not None and at.tzinfo is None:
        raise ValueError("a job's date must carry its time zone")
    options: dict[str, Any] = {"schedule_at": at, "lock": lock, "queueing_lock": queueing_lock}
    deferrer = app.configure_task(name, **{key: value for key, value in options.items() if value is not None})
    try:
        with transaction.atomic():  # a refused insert must not spoil the caller's transaction
            return deferrer.defer(**arguments)
    except AlreadyEnqueued:
        return None
