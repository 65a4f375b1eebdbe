"""A lane at work: pauses, legal hours, a clean stop, lost connections, throttling, a database that goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from carillon.models import Account
from tests import builders
from tests.carriers.ear import looped
from tests.gateway.station import Station, simulating

HANDED = "SELECT count(DISTINCT message_id) FROM submission WHERE connector_id = %(c)s"
FINAL = "SELECT count(*) FROM submission WHERE connector_id = %(c)s AND status IN (16, 20, 21)"
OPEN_SLICES = "SELECT count(*) FROM slice WHERE connector_id = %(c)s AND state IN (1, 2)"
HELD = "SELECT count(*) FROM slice WHERE connector_id = %(c)s AND state = 2"


@pytest.fixture
def station(shared_db: str, tmp_path: Path) -> Iterator[Station]:
    yield Station(shared_db, tmp_path)


@pytest.fixture
def account(shared_db: str) -> Account:
    return builders.make_account(balance=10_000_000)


def slow_down(station: Station) -> None:
    """25 messages a second with answers that take 0.2 s: what happens next happens in the middle of the campaign."""
    station.options["window"] = 5


def speed_up(station: Station) -> None:
    station.simulator.centre.options.answer_delay_s = 0.0


def test_a_campaign_goes_out_and_its_receipts_come_back(station: Station, account: Account) -> None:
    campaign = builders.make_sendable_campaign(station.row, n=500, slice_size=100, account=account)

    @looped
    async def run() -> None:
        async with simulating(station):
            station.start()
            await station.until(FINAL, 500)
            await station.until(OPEN_SLICES, 0)
            await station.stop()

    run()
    finding = station.audit(account)
    assert finding.faults == []
    assert finding.by_status[campaign.pk] == {16: 500}
    assert len(station.numbers()) == 500
    assert list((station.home / "gateway").iterdir()) == []  # a clean end leaves no flight record


def test_long_messages_are_delivered_when_all_their_segments_are(station: Station, account: Account) -> None:
    campaign = builders.make_sendable_campaign(
        station.row, n=50, text="Bonjour " * 40, segments=3, price=300, account=account
    )

    @looped
    async def run() -> None:
        async with simulating(station):
            station.start()
            await station.until(FINAL, 150)
            await station.stop()

    run()
    finding = station.audit(account)
    assert finding.faults == []
    assert finding.by_status[campaign.pk] == {16: 50}


def test_a_pause_stops_and_gives_back_and_a_resume_sends_the_rest_once(station: Station, account: Account) -> None:
    campaign = builders.make_sendable_campaign(station.row, n=400, slice_size=100, account=account)
    slow_down(station)

    @looped
    async def run() -> None:
        async with simulating(station, answer_delay_s=0.2):
            station.start()
            await station.until(HANDED.replace("count(DISTINCT message_id)", "count(*) > 10"))
            station.do("UPDATE campaign SET is_sending = false WHERE id = %(k)s", k=campaign.pk)
            await station.until(HELD, 0)
            paused_at = station.ask(HANDED)
            assert paused_at < 400
            speed_up(station)
            station.do("UPDATE campaign SET is_sending = true WHERE id = %(k)s", k=campaign.pk)
            await station.until(FINAL, 400)
            await station.stop()

    run()
    assert station.audit(account).faults == []
    assert len(station.numbers()) == 400


def test_who_opted_out_since_the_preparation_is_refunded_once_however_often_the_campaign_pauses(
    station: Station, account: Account
) -> None:
    campaign = builders.make_sendable_campaign(station.row, n=400, slice_size=400, account=account)
    for number in (33600000001, 33600000399, 33600000400):
        builders.make_optout(account, number)
    left_alone = builders.make_sendable_campaign(station.row, n=1, account=account, first_msisdn=33600000399)
    slow_down(station)

    @looped
    async def run() -> None:
        async with simulating(station, answer_delay_s=0.2):
            station.start()
            await station.until(HANDED.replace("count(DISTINCT message_id)", "count(*) > 10"))
            station.do("UPDATE campaign SET is_sending = false WHERE id = %(k)s", k=campaign.pk)
            await station.until(HELD, 0)
            speed_up(station)
            station.do("UPDATE campaign SET is_sending = true WHERE id = %(k)s", k=campaign.pk)
            await station.until(FINAL, 397)
            await station.until(OPEN_SLICES, 0)
            await station.stop()

    run()
    finding = station.audit(account)
    assert finding.faults == []
    assert [finding.by_status[k.pk] for k in (campaign, left_alone)] == [{16: 397, 14: 3}, {14: 1}]


def test_marketing_stops_at_the_closing_hour_of_each_place(station: Station, account: Account) -> None:
    paris = builders.make_sendable_campaign(station.row, n=300, slice_size=100, account=account, calendar="FR")
    reunion = builders.make_sendable_campaign(
        station.row, n=5, account=account, calendar="RE", first_msisdn=262692000001
    )
    alert = builders.make_sendable_campaign(
        station.row, n=5, account=account, is_notification=True, first_msisdn=33700000001
    )
    seen: list[int] = []
    times = {"now": datetime(2026, 6, 2, 17, 30, tzinfo=UTC)}  # Tuesday: 19:30 in Paris, 21:30 in Saint-Denis
    slow_down(station)

    @looped
    async def run() -> None:
        async with simulating(station, answer_delay_s=0.2):
            station.start(clock=lambda: times["now"])
            await station.until(HANDED.replace("count(DISTINCT message_id)", "count(*) > 10"))
            times["now"] = datetime(2026, 6, 2, 18, 0, tzinfo=UTC)
            await station.until(HELD, 0)
            evening = station.ask(HANDED)
            assert evening < 305
            seen.append(evening)
            speed_up(station)
            times["now"] = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)
            await station.until(FINAL, 310)
            await station.stop()

    run()
    finding = station.audit(account)
    assert finding.faults == []
    assert [finding.by_status[k.pk] for k in (paris, reunion, alert)] == [{16: 300}, {16: 5}, {21: 5}]
    order = station.numbers()
    assert order.index("262692000001") >= seen[0]  # nothing for La Réunion on the evening it was closed there


def test_a_clean_stop_leaves_nothing_in_doubt_and_the_next_run_goes_on(station: Station, account: Account) -> None:
    builders.make_sendable_campaign(station.row, n=600, slice_size=200, account=account)
    slow_down(station)

    @looped
    async def run() -> None:
        async with simulating(station, answer_delay_s=0.2):
            station.start()
            await station.until(HANDED.replace("count(DISTINCT message_id)", "count(*) > 10"))
            await station.stop()
            assert station.ask(HANDED) < 600
            assert station.ask("SELECT count(*) FROM doubt WHERE connector_id = %(c)s") == 0
            assert station.ask("SELECT count(*) FROM gateway_run WHERE connector_id = %(c)s AND alive") == 0
            speed_up(station)
            station.start()
            await station.until(FINAL, 600)
            await station.stop()

    run()
    assert station.audit(account).faults == []
    assert len(station.numbers()) == 600


def test_connections_that_are_reset_lose_no_message_and_send_none_twice(station: Station, account: Account) -> None:
    builders.make_sendable_campaign(station.row, n=500, slice_size=100, account=account)
    done = (
        "SELECT (SELECT count(*) FROM submission WHERE connector_id = %(c)s AND status <> 24)"
        " + (SELECT count(*) FROM doubt WHERE connector_id = %(c)s)"
    )

    @looped
    async def run() -> None:
        async with simulating(station, answer_delay_s=0.02):
            station.start()
            for enough in (50, 200, 350):
                await station.until(f"{HANDED.replace('count(DISTINCT message_id)', f'count(*) >= {enough}')}")
                station.simulator.drop_connections()
            await station.until(done, 500)
            await station.stop()

    run()
    finding = station.audit(account)
    assert finding.faults == []
    missing = 500 - len(set(station.numbers()))
    assert finding.in_doubt >= missing


def test_a_throttling_smsc_gets_everything_in_the_end(station: Station, account: Account) -> None:
    builders.make_sendable_campaign(station.row, n=200, account=account)
    station.options |= {"pause_min_s": 0.02, "pause_max_s": 0.1}

    @looped
    async def run() -> None:
        async with simulating(station, rate=150.0):
            station.start()
            await station.until(FINAL, 200)
            assert station.simulator.centre.stats()["throttled"] > 0
            await station.stop()

    run()
    assert station.audit(account).faults == []
    assert len(station.numbers()) == 200


def test_a_database_that_hangs_up_again_and_again_costs_nothing_but_time(station: Station, account: Account) -> None:
    builders.make_sendable_campaign(station.row, n=400, slice_size=50, account=account)
    hang_up = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'lane'"
    )
    connect = station.connect

    @looped
    async def run() -> None:
        async with simulating(station, answer_delay_s=0.005):
            station.start()
            station.lane.writer._connect = lambda: _named(connect())
            station.do("SELECT 1")
            for enough in (20, 100, 200, 300):
                await station.until(f"{HANDED.replace('count(DISTINCT message_id)', f'count(*) >= {enough}')}")
                station.ask(hang_up)
            await station.until(FINAL, 400)
            await station.stop()

    run()
    finding = station.audit(account)
    assert finding.faults == []
    assert finding.in_doubt == 0
    assert len(station.numbers()) == 400


def _named(connection):  # type: ignore[no-untyped-def]
    connection.execute("SET application_name = 'lane'")
    return connection


def test_a_lane_whose_seat_is_taken_hands_nothing_more_over(station: Station, account: Account) -> None:
    from carillon.services.ticks import Fenced

    builders.make_sendable_campaign(station.row, n=500, slice_size=100, account=account)
    station.options["rate"] = 300.0

    @looped
    async def run() -> None:
        async with simulating(station):
            station.start()
            await station.until(HANDED.replace("count(DISTINCT message_id)", "count(*) > 20"))
            station.do("UPDATE gateway_run SET alive = false WHERE connector_id = %(c)s")
            with pytest.raises(Fenced):
                await asyncio.wait_for(station.task, 60)
            station.start()
            await station.until(OPEN_SLICES, 0)
            await station.stop()

    run()
    assert station.audit(account).faults == []


def test_a_text_from_a_person_is_acknowledged_once_it_is_stored(station: Station, account: Account) -> None:
    builders.make_sendable_campaign(station.row, n=1, account=account)

    @looped
    async def run() -> None:
        async with simulating(station):
            station.start()
            await station.until(FINAL, 1)
            station.simulator.inject_mo("33600000001", text="STOP", to="36184")
            await station.until_true(lambda: station.inbounds)
            await station.until_true(lambda: station.simulator.centre.stats()["waiting"] == 0)
            await station.stop()

    run()
    assert [(inbound.msisdn, inbound.text) for inbound in station.inbounds] == [(33600000001, "STOP")]
