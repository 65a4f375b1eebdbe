"""Texts from people: handled as soon as the gateway has stored them."""

from __future__ import annotations

from procrastinate.contrib.django import app

from carillon.services import forwarding, inbound, replies


@app.task(name="replies.handle", queue="default", queueing_lock="replies.handle")
def handle() -> None:
    while replies.handle_waiting():
        pass


@app.periodic(cron="* * * * *")
@app.task(name="replies.sweep", queue="default", queueing_lock="replies.sweep")
def sweep(timestamp: int) -> None:
    """What a lost job left behind, long texts that stay incomplete, and STOPs whose receipt came later."""
    inbound.keep_incomplete()
    replies.handle_waiting()
    replies.settle_stops()


@app.task(name="replies.forward", queue="default")
def forward(reply_id: int) -> None:
    forwarding.forward(reply_id)
