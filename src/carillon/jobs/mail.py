"""E-mails leave here, so that a slow mail server never holds a page, and tells nobody whether an account exists."""

from __future__ import annotations

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from carillon.services import access, balance_alerts, mail


@app.task(name="mail.deliver", queue="default", retry=RetryStrategy(max_attempts=6, exponential_wait=4))
def deliver(sealed: str) -> None:
    mail.deliver(sealed)


@app.periodic(cron="17 * * * *")
@app.task(name="access.purge", queue="default")
def purge_access(timestamp: int) -> None:
    access.purge(now=timezone.now())


@app.periodic(cron="*/5 * * * *")
@app.task(name="balance_alerts.check", queue="default")
def check_balances(timestamp: int) -> None:
    balance_alerts.check_all(timezone.now())
