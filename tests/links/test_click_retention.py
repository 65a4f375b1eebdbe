"""Old visits go; what the report says of them stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from carillon.models import Click
from carillon.services import click_retention, clicks, reports
from tests.links.asking import PREVIEWER, Caller, codes, linked


def test_old_visits_become_sums_and_the_report_says_the_same(caller: Caller, settings: Any) -> None:
    campaign = linked()
    for path in codes(campaign):
        caller.ask(path)
        caller.ask(path, agent=PREVIEWER)
    caller.store()
    old = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=40)
    Click.objects.filter(campaign_id=campaign.pk).update(at=old)
    before = clicks.of_campaign(campaign), clicks.per_link(campaign), list(reports.Report(campaign).rows())
    settings.CLICK_DAYS = 45
    assert click_retention.purge(now=timezone.now()) == 0
    settings.CLICK_DAYS = 30
    assert click_retention.purge(now=timezone.now()) == 4
    assert not Click.objects.filter(campaign_id=campaign.pk).exists()
    assert (clicks.of_campaign(campaign), clicks.per_link(campaign), list(reports.Report(campaign).rows())) == before
    assert before[0] is not None and before[0].by_device == {"phone": 2}


def test_a_person_who_comes_back_after_the_purge_is_added(caller: Caller, settings: Any) -> None:
    campaign = linked()
    settings.CLICK_DAYS = 30
    for _ in range(2):
        caller.ask(codes(campaign)[0])
        caller.store()
        Click.objects.filter(campaign_id=campaign.pk).update(at=timezone.now() - timedelta(days=40))
        click_retention.purge(now=timezone.now())
    found = clicks.of_campaign(campaign)
    assert found is not None and found.by_device == {"phone": 2} and sum(found.over_time) == 2


def test_new_rows_and_0_days_are_left_alone(caller: Caller, settings: Any) -> None:
    campaign = linked()
    caller.ask(codes(campaign)[0])
    caller.store()
    settings.CLICK_DAYS = 30
    assert click_retention.purge(now=timezone.now()) == 0
    settings.CLICK_DAYS = 0
    assert click_retention.purge(now=timezone.now() + timedelta(days=4000)) == 0
    assert Click.objects.filter(campaign_id=campaign.pk).count() == 1
