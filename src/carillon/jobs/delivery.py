"""What keeps the send path tidy: counters folded, doubts settled, campaigns ended, messages moved off dead connectors."""

from __future__ import annotations

import logging

from django.utils import timezone
from procrastinate.contrib.django import app

from carillon.services import (
    alarms,
    completion,
    counts,
    credits,
    expiry,
    launching,
    matching,
    partitions,
    rerouting,
    safeguards,
)

logger = logging.getLogger(__name__)


@app.periodic(cron="* * * * * */5")
@app.task(name="delivery.fold", queue="default", queueing_lock="delivery.fold", lock="delivery.fold")
def fold(timestamp: int) -> None:
    """Every five seconds. A page is right without it: it reads counters and what is not folded."""
    while counts.fold() or credits.fold():
        pass
    now = timezone.now()
    completion.mark_sent(now=now)
    completion.mark_finished(now=now)


@app.periodic(cron="* * * * * */15")
@app.task(name="delivery.match", queue="default", queueing_lock="delivery.match", lock="delivery.match")
def match(timestamp: int) -> None:
    matching.match_known()
    matching.settle_by_number()
    launching.sweep_all_cancelled()
    rerouting.move_stuck(now=timezone.now())
    paused = safeguards.pause_failing(now=timezone.now())
    if paused:
        logger.warning("paused because their messages fail: campaigns %s", ", ".join(map(str, paused)))


@app.periodic(cron="*/5 * * * *")
@app.task(name="delivery.expire", queue="default", queueing_lock="delivery.expire", lock="delivery.expire")
def expire(timestamp: int) -> None:
    expiry.expire(now=timezone.now())
    for alarm in alarms.current(now=timezone.now()):
        logger.warning("%s: %s %s", alarm.code, alarm.connector, alarm.sentence)


@app.periodic(cron="41 3 * * *")
@app.task(name="delivery.tidy", queue="default", queueing_lock="delivery.tidy", lock="delivery.tidy")
def tidy(timestamp: int) -> None:
    partitions.make_ahead(today=timezone.now().date())
    matching.match_known(within=matching.KEEP_UNMATCHED)
    matching.purge_unmatched()
