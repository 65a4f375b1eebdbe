"""What short links leave behind."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from carillon.services import hosting


@app.periodic(cron="41 3 * * *")
@app.task(name="links.sweep", queue="default")
def sweep(timestamp: int) -> None:
    """Files whose last link has ended."""
    hosting.sweep(timezone.now())
