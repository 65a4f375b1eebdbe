"""An opt-out by link is a STOP: status 17, counted once, in the report and told to webhooks; it is no text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from carillon.domain.traffic import Inbound
from carillon.models import Campaign, Outbox, Reply
from carillon.services import (
    counts,
    inbound,
    inbox,
    launching,
    optout_links,
    optouts,
    preparation,
    replies,
    report_rows,
)
from tests.builders import make_account, make_campaign, make_connector, make_list, make_outcomes, make_user

pytestmark = pytest.mark.django_db

PERSON = 33612345678
NOW = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)


@pytest.fixture
def campaign() -> Campaign:
    make_connector()
    account = make_account(balance=1000)
    drafted = make_campaign(account, lists=[make_list(account, ["0612345678"])])
    return launching.launch(preparation.prepare(drafted.pk), actor=None, now=NOW)


def message_of(campaign: Campaign) -> int:
    assert campaign.first_message_id is not None
    return campaign.first_message_id


def answer(text: str) -> None:
    inbound.keep([Inbound(PERSON, "36184", text)], connector_id=1)
    replies.handle_waiting()


def test_the_message_becomes_17_everywhere_and_no_text_appears(campaign: Campaign) -> None:
    make_outcomes(campaign, 16)
    leaving = optout_links.confirm(message_of(campaign))
    assert leaving is not None and leaving.is_done
    assert counts.by_status(campaign.pk) == {17: 1}
    (row,) = report_rows.read(campaign)
    assert (row.status, row.replies) == (17, [])
    assert [fact.event for fact in Outbox.objects.filter(account_id=campaign.account_id, event="stop")] == ["stop"]
    admin = make_user(account=campaign.account, role="admin")
    assert not inbox.conversations(admin).exists() and inbox.unread(admin) == 0


def test_a_stop_by_text_after_the_link_is_not_counted_again(campaign: Campaign) -> None:
    make_outcomes(campaign, 16)
    optout_links.confirm(message_of(campaign))
    optout_links.confirm(message_of(campaign))
    answer("STOP")
    assert counts.by_status(campaign.pk) == {17: 1}
    assert Reply.objects.filter(direction="LK").count() == 1


def test_one_who_leaves_before_the_receipt_counts_once_it_is_there(campaign: Campaign) -> None:
    optout_links.confirm(message_of(campaign))
    answer("STOP")
    assert counts.by_status(campaign.pk) == {1: 1}
    make_outcomes(campaign, 16)
    replies.settle_stops()
    assert counts.by_status(campaign.pk) == {17: 1}


def test_a_start_that_came_before_the_link_was_followed_does_not_lift_it(campaign: Campaign) -> None:
    make_outcomes(campaign, 16)
    inbound.keep([Inbound(PERSON, "36184", "START")], connector_id=1)
    optout_links.confirm(message_of(campaign))
    replies.handle_waiting()
    assert optouts.levels_of(campaign.account_id, [PERSON]) == {PERSON: 14}
