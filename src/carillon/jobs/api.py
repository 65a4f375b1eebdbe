"""What the API remembers for a while only."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from carillon.services import idempotency, rates, request_log, tokens


@app.periodic(cron="17 * * * *")
@app.task(name="api.forget", queue="default", queueing_lock="api.forget")
def forget(timestamp: int) -> None:
    """Sign-in tokens long over, idempotency keys of a day, counters of minutes, requests of a week."""
    now = timezone.now()
    tokens.purge(now=now)
    idempotency.purge(now=now)
    request_log.purge(now=now)
    rates.purge(now_s=now.timestamp())
