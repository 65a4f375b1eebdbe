"""Telling accounts what happened."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from carillon.services import webhook_calls, webhooks


@app.periodic(cron="* * * * * *")
@app.task(name="webhooks.fan_out", queue="webhooks", queueing_lock="webhooks.fan_out", lock="webhooks.fan_out")
def fan_out(timestamp: int) -> None:
    """Every second: what the gateways and the pages wrote becomes calls to make."""
    while webhooks.fan_out():
        pass


@app.task(name="webhooks.send", queue="webhooks")
def send(webhook_id: int) -> None:
    webhook_calls.send_waiting(webhook_id)


@app.periodic(cron="* * * * *")
@app.task(name="webhooks.sweep", queue="webhooks", queueing_lock="webhooks.sweep")
def sweep(timestamp: int) -> None:
    """What a job that broke left behind."""
    webhooks.wake_due(now=timezone.now())


@app.periodic(cron="23 4 * * *")
@app.task(name="webhooks.purge", queue="webhooks", queueing_lock="webhooks.purge")
def purge(timestamp: int) -> None:
    webhook_calls.purge(now=timezone.now())
