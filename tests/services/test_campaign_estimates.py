"""Before the last button: the price of a draft, how its segments spread, when its judgement is stale, who must wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from carillon.services import campaigns, estimates, inline, launching, preparation, readiness, routes
from tests.builders import make_account, make_campaign, make_connector, make_list

pytestmark = pytest.mark.django_db


def test_the_price_is_by_country_without_duplicates_and_closed_destinations() -> None:
    account = make_account(countries=["FR", "BE"])
    routes.set_tariff(country="BE", price=250)
    clients = make_list(account, ["0612345678", "0612345678", "rien", "+32470123456", "+41791234567"])
    clients.analysis = {"_more": {"countries": {"FR": 2, "BE": 1, "CH": 1}}}
    clients.save()
    campaign = make_campaign(account, lists=[clients])
    found = estimates.estimate(campaign, segments=2)
    # 4 valid numbers of which 1 is a duplicate: three quarters of each country; Switzerland is closed
    assert found.recipients == round(3 * 0.75)
    assert found.price == round((2 * 100 + 250) * 0.75) * 2


def test_typed_recipients_are_counted_from_their_rows() -> None:
    campaign = make_campaign()
    inline.add_recipients(campaign, [{"mobile": "0612345678"}, {"mobile": "0612345679"}])
    assert estimates.estimate(campaign, segments=1) == estimates.Estimate(recipients=2, price=200)


def test_the_spread_counts_every_row_and_names_the_longest() -> None:
    account = make_account(max_segments=3)
    rows = [
        ("Al", "0612340001"),
        ("X" * 200, "0612340002"),
        ("Y" * 350, "0612340003"),
        ("Z" * 700, "0612340004"),
        ("W", "rien"),
    ]
    campaign = make_campaign(account, message="${Nom}", lists=[make_list(account, rows, header=("Nom", "SMS"))])
    found = estimates.spread(campaign)
    assert dict(found.by_segments) == {1: 1, 2: 1, 3: 1}
    assert dict(found.refused) == {7: 1}
    assert [(row, msisdn, n) for row, msisdn, n, _ in found.longest] == [(3, 33612340003, 3), (2, 33612340002, 2)]


def test_a_judgement_grows_stale() -> None:
    account = make_account()
    make_connector()
    campaign = preparation.prepare(make_campaign(account, lists=[make_list(account, ["0612345678"])]).pk)
    now = timezone.now()
    assert readiness.is_fresh(campaign, now=now)
    assert not readiness.is_fresh(campaign, now=now + timedelta(minutes=11))
    assert not readiness.is_fresh(campaigns.update(campaign, message="Autre"), now=now)


def test_recipients_elsewhere_wait_for_their_own_hours() -> None:
    account = make_account(countries=["FR", "RE"])
    make_connector()
    clients = make_list(account, ["0612345678", "+262692123456", "+262692123457"])
    campaign = preparation.prepare(make_campaign(account, message="Bonjour STOP 36184", lists=[clients]).pk)
    evening = datetime(2026, 12, 4, 17, 30, tzinfo=UTC)  # 18:30 in Paris, 21:30 in La Réunion
    assert [(one.n, one.closure.reason, one.opens_at) for one in readiness.waiting(campaign, evening)] == [
        (2, "night", datetime(2026, 12, 5, 4, tzinfo=UTC))
    ]


def test_a_held_launch_may_be_called_back_until_it_starts() -> None:
    account = make_account()
    make_connector()
    campaign = make_campaign(account, traffic="NOTIFICATION", lists=[make_list(account, ["0612345678"])])
    now = timezone.now()
    held = launching.launch(preparation.prepare(campaign.pk), actor=None, now=now, hold=launching.HOLD)
    assert (held.state, held.scheduled_at) == ("SCHEDULED", now + launching.HOLD)
    assert launching.is_held(held)
    assert not launching.start(held.pk, now=now + timedelta(seconds=9))
    back = launching.cancel_schedule(held, actor=None, now=now + timedelta(seconds=9))
    assert back.state == "DRAFT"
    again = launching.launch(back, actor=None, now=now, hold=launching.HOLD)
    assert launching.start(again.pk, now=now + timedelta(seconds=10))
