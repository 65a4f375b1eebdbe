"""Campaign jobs: prepare, inject, start at the date, take back what was cancelled."""

from __future__ import annotations

from datetime import datetime

from django.db import InterfaceError, OperationalError
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from carillon.domain.errors import CarillonError
from carillon.models import Campaign, User
from carillon.services import injection, launching, preparation
from carillon.services.progress import note_progress


@app.task(name="campaigns.prepare", queue="default", pass_context=False)
def prepare(campaign_id: int) -> None:
    """Judge every recipient; what refuses the whole campaign is kept on it for the page to show."""
    try:
        preparation.prepare(campaign_id, progress=note_progress(Campaign, campaign_id))
    except CarillonError as error:
        Campaign.objects.filter(pk=campaign_id, prepared_at=None).update(error=error.kept(), done_count=0)


# The order was accepted: a database that went away for a moment must not leave it INJECTING for ever.
AGAIN = RetryStrategy(max_attempts=20, wait=15, retry_exceptions={OperationalError, InterfaceError})


@app.task(name="campaigns.inject", queue="default", retry=AGAIN)
def inject(campaign_id: int, user_id: int | None = None, scheduled: str | None = None) -> None:
    try:
        injection.inject(
            campaign_id,
            actor=User.objects.filter(pk=user_id).first() if user_id else None,
            at=datetime.fromisoformat(scheduled) if scheduled else None,
            now=timezone.now(),
            progress=note_progress(Campaign, campaign_id),
        )
    except CarillonError:
        return  # the campaign says FAILED and why


@app.task(name="campaigns.start", queue="default")
def start(campaign_id: int) -> None:
    launching.start(campaign_id, now=timezone.now())


@app.periodic(cron="* * * * *")
@app.task(name="campaigns.start_due", queue="default")
def start_due(timestamp: int) -> None:
    launching.start_due(timezone.now())


@app.task(name="campaigns.sweep_cancelled", queue="default")
def sweep_cancelled() -> None:
    launching.sweep_all_cancelled()
