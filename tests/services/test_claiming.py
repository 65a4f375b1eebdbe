"""Which slices a gateway gets, in which order, and what stops them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from carillon.models import Campaign, Connector
from carillon.services import delivery
from tests import builders
from tests.desk import Desk, answers


@pytest.fixture
def connector(shared_db: str) -> Connector:
    return builders.make_connector()


@pytest.fixture
def desk(shared_db: str, connector: Connector) -> Iterator[Desk]:
    sitting = Desk(shared_db, connector)
    yield sitting
    sitting.close()


def make(connector: Connector, n: int, **changes: object) -> Campaign:
    return builders.make_sendable_campaign(connector, n=n, slice_size=5, **changes)  # type: ignore[arg-type]


def test_notifications_come_first_then_campaigns_we_hold_nothing_of_then_small_slices(
    desk: Desk, connector: Connector
) -> None:
    large = make(connector, 100)
    assert {batch.claim.campaign_id for batch in desk.claim(wants=1)} == {large.pk}
    other, small = make(connector, 100), make(connector, 2)
    alert = make(connector, 3, is_notification=True)
    order = []
    for _ in range(4):
        (batch,) = desk.claim(wants=1, in_hand={large.pk: 5} | dict.fromkeys(order, 5))
        order.append(batch.claim.campaign_id)
    assert order == [alert.pk, small.pk, other.pk, large.pk]


def test_everyone_gets_a_slice_before_anyone_gets_two(desk: Desk, connector: Connector) -> None:
    campaigns = [make(connector, 50) for _ in range(4)]
    claimed = [batch.claim.campaign_id for batch in desk.claim(wants=20)]
    assert sorted(claimed) == [campaign.pk for campaign in campaigns]


def test_two_gateways_never_get_the_same_slice(shared_db: str, connector: Connector) -> None:
    make(connector, 20)
    one, other = Desk(shared_db, connector, seats=2), Desk(shared_db, connector, seats=2)
    first, second = one.claim(wants=10), other.claim(wants=100)
    ids = [batch.claim.id for batch in (*first, *second)]
    assert len(first) == 2
    assert len(ids) == len(set(ids)) == 4
    one.close()
    other.close()


def test_nothing_is_claimed_of_a_campaign_that_is_paused_or_of_a_closed_calendar(
    desk: Desk, connector: Connector
) -> None:
    make(connector, 5, is_sending=False)
    make(connector, 5, calendar="RE")
    french = make(connector, 5, calendar="FR")
    claimed = desk.claim(open_calendars=["FR@20", "RE@19"])
    assert [batch.claim.campaign_id for batch in claimed] == [french.pk]


def test_a_slice_waits_for_its_moment(desk: Desk, connector: Connector) -> None:
    make(connector, 5)
    desk.connection.execute(
        "UPDATE slice SET not_before = now() + interval '1 hour' WHERE connector_id = %s", [connector.pk]
    )
    assert desk.claim() == []
    desk.connection.execute("UPDATE slice SET not_before = now() WHERE connector_id = %s", [connector.pk])
    assert len(desk.claim()) == 1


def test_the_survey_names_the_calendars_that_wait_and_who_shares_a_pace(desk: Desk, connector: Connector) -> None:
    make(connector, 5, calendar="RE")
    paced = make(connector, 10)
    desk.claim(wants=1)
    assert delivery.survey(desk.connection, desk.run, []) == ([("RE", 20)], {}, 1)
    other = Desk(desk.url, connector, seats=2)
    other.claim()
    assert delivery.survey(desk.connection, desk.run, [paced.pk])[1:] == ({paced.pk: 2}, 2)
    other.close()


def test_a_pause_refuses_the_next_intents_and_the_slice_goes_back_where_it_stood(
    desk: Desk, connector: Connector
) -> None:
    campaign = make(connector, 5)
    (batch,) = desk.claim()
    sent = batch.messages[:2]
    desk.tick(intents=[(batch.claim.id, sent[-1].message_id)])
    Campaign.objects.filter(pk=campaign.pk).update(is_sending=False)
    outcome = desk.tick(intents=[(batch.claim.id, batch.claim.last_id)], watch=[campaign.pk])
    assert outcome.granted == set()
    assert outcome.stopped == {campaign.pk}
    desk.tick(answered=[answers(message, 24) for message in sent], released=[batch.claim.id])
    Campaign.objects.filter(pk=campaign.pk).update(is_sending=True)
    assert [message.message_id for message in desk.take_all()] == [m.message_id for m in batch.messages[2:]]


def test_what_is_sent_as_comes_from_the_message_the_campaign_or_the_account(desk: Desk, connector: Connector) -> None:
    make(connector, 1, sender="ACME")
    (batch,) = desk.claim()
    assert batch.messages[0].sender == "ACME"
    make(connector, 1, is_notification=True)
    (batch,) = desk.claim()
    assert (batch.messages[0].sender, batch.messages[0].is_notification) == ("38184", True)
