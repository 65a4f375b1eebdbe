"""What short links leave behind."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from carillon.services import click_retention, hosting


@app.periodic(cron="41 3 * * *")
@app.task(name="links.sweep", queue="default")
def sweep(timestamp: int) -> None:
    """Files whose last link has ended."""
    hosting.sweep(timezone.now())


@app.periodic(cron="17 4 * * *")
@app.task(name="links.purge", queue="default", queueing_lock="links.purge")
def purge(timestamp: int) -> None:
    """Visits of long ago."""
    click_retention.purge(now=timezone.now())
