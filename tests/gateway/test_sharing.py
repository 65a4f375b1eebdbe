"""Who gets how much of a connector: campaigns by weight, senders by rate. What the simulator recorded is what happened."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from carillon.models import Account
from tests import builders
from tests.carriers.ear import looped
from tests.gateway.station import Station, simulating

FINAL = "SELECT count(*) FROM submission WHERE connector_id = %(c)s AND status IN (16, 21)"
OTHERS = 33700000001


@pytest.fixture
def station(shared_db: str, tmp_path: Path) -> Iterator[Station]:
    yield Station(shared_db, tmp_path)


@pytest.fixture
def account(shared_db: str) -> Account:
    return builders.make_account(balance=10_000_000)


def sent_by(station: Station) -> list[str]:
    """The senders, in the order in which the simulator took their messages."""
    return [line["from"] for line in station.record()]


def test_campaigns_of_weights_3_and_1_advance_three_to_one(station: Station, account: Account) -> None:
    heavy = builders.make_sendable_campaign(
        station.row, n=3000, slice_size=100, account=account, weight=3, sender="HEAVY"
    )
    light = builders.make_sendable_campaign(
        station.row, n=1500, slice_size=100, account=account, sender="LIGHT", first_msisdn=OTHERS
    )

    @looped
    async def run() -> None:
        async with simulating(station):
            station.start()
            await station.until(FINAL, 4500)
            await station.stop()

    run()
    assert station.audit(account).faults == []
    order = sent_by(station)
    while_both_ran = Counter(order[:3600])
    assert while_both_ran["HEAVY"] == pytest.approx(2700, abs=270)
    for start in range(0, 3600, 600):  # the light one is never left waiting
        assert Counter(order[start : start + 600])["LIGHT"] >= 60, f"{start}: {heavy.pk} and {light.pk}"


def test_the_accounts_weight_is_that_of_campaigns_without_their_own(station: Station, account: Account) -> None:
    favoured = builders.make_account(balance=10_000_000, weight=4)
    builders.make_sendable_campaign(station.row, n=1600, slice_size=100, account=favoured, sender="FAVOURED")
    builders.make_sendable_campaign(
        station.row, n=1600, slice_size=100, account=favoured, weight=1, sender="MODEST", first_msisdn=OTHERS
    )

    @looped
    async def run() -> None:
        async with simulating(station):
            station.start()
            await station.until(FINAL, 3200)
            await station.stop()

    run()
    assert Counter(sent_by(station)[:1800])["FAVOURED"] == pytest.approx(1440, abs=180)


def test_ten_messages_overtake_a_heavy_campaign_of_thousands(station: Station, account: Account) -> None:
    builders.make_sendable_campaign(station.row, n=4000, slice_size=500, account=account, weight=100, sender="HEAVY")
    station.options["rate"] = 2000.0

    @looped
    async def run() -> None:
        async with simulating(station):
            station.start()
            await station.until(FINAL.replace("count(*)", "count(*) > 200"))
            few = await in_thread(station, account, n=10, sender="FEW")
            await station.until(f"{FINAL} AND campaign_id = {few}", 10)
            assert station.ask(FINAL) < 4000
            await station.stop()

    run()


def test_no_weight_puts_marketing_before_a_notification(station: Station, account: Account) -> None:
    builders.make_sendable_campaign(station.row, n=4000, slice_size=500, account=account, weight=100, sender="HEAVY")
    station.options["rate"] = 1000.0

    @looped
    async def run() -> None:
        async with simulating(station):
            station.start()
            await station.until(FINAL.replace("count(*)", "count(*) > 200"))
            alert = await in_thread(station, account, n=80, sender="ALERT", is_notification=True)
            await station.until(f"{FINAL} AND campaign_id = {alert}", 80)
            await station.stop()

    run()
    order = sent_by(station)
    first, last = order.index("ALERT"), len(order) - order[::-1].index("ALERT")
    assert last - first <= 80 + 10, "marketing between the notifications"


async def in_thread(station: Station, account: Account, **changes: Any) -> int:
    """A campaign made while the gateway runs."""

    def make() -> int:
        try:
            return builders.make_sendable_campaign(station.row, account=account, first_msisdn=OTHERS, **changes).pk
        finally:
            connections.close_all()

    return await asyncio.to_thread(make)


@pytest.mark.parametrize("is_notification", [False, True])
def test_a_sender_never_passes_its_rate_and_holds_nobody_else_up(
    station: Station, account: Account, is_notification: bool
) -> None:
    station.sender_rates = (("long_number", 5.0),)
    builders.make_sendable_campaign(
        station.row, n=1000, slice_size=100, account=account, sender="33757590000", is_notification=is_notification
    )
    builders.make_sendable_campaign(
        station.row, n=1000, slice_size=100, account=account, sender="ACME", first_msisdn=OTHERS
    )
    started = time.time()

    @looped
    async def run() -> None:
        async with simulating(station):
            station.start()
            await station.until(f"{FINAL} AND message_id IN (SELECT id FROM message WHERE msisdn >= {OTHERS})", 1000)
            await station.until(
                f"{FINAL} AND message_id IN (SELECT id FROM message WHERE msisdn < {OTHERS})".replace(
                    "count(*)", "count(*) >= 8"
                )
            )
            await station.stop()

    run()
    at = [line["at"] for line in station.record() if line["from"] == "33757590000"]
    assert len(at) >= 8
    for number, moment in enumerate(at, 1):
        assert number <= 1 + (moment - started) * 5.0
