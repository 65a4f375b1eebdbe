"""The figures of a report add up; a long campaign's timeline is drawn from a sample and says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from carillon.domain.status import TABLE
from carillon.models import Campaign
from carillon.services import report_figures
from tests.builders import make_connector, make_outcomes, make_sendable_campaign


def test_every_status_falls_into_exactly_one_figure() -> None:
    for code in TABLE:
        f = report_figures.figures({int(code): 1})
        assert f.delivered + f.missed + f.at_operator + f.waiting + f.not_sent == f.total == 1, code


def test_twins_are_one_line_most_frequent_first() -> None:
    lines = report_figures.status_lines({16: 2, 21: 3, 29: 9, 2: 0})
    assert [(line.codes, line.n) for line in lines] == [((29, 30), 9), ((16, 21), 5)]
    assert sum(line.share for line in lines) == pytest.approx(1)


@pytest.mark.django_db
def test_the_timeline_holds_every_receipt_between_two_empty_ends() -> None:
    campaign = make_sendable_campaign(make_connector(), n=30)
    make_outcomes(campaign, 16, 20, 24)
    buckets, is_sample = report_figures.timeline(campaign, now=timezone.now() + timedelta(seconds=1))
    assert not is_sample
    assert (sum(b.delivered for b in buckets), sum(b.missed for b in buckets)) == (10, 10)
    assert (buckets[0].delivered, buckets[-1].delivered) == (0, 0)


@pytest.mark.django_db
def test_a_long_campaign_is_drawn_from_a_sample_scaled_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_figures, "SAMPLE_MESSAGES", 200)
    campaign = make_sendable_campaign(make_connector(), n=4000)
    make_outcomes(campaign, 16)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE submission SET done_at = submitted_at + (message_id %% 7) * interval '1 minute' WHERE campaign_id = %s",
            [campaign.pk],
        )
    Campaign.objects.filter(pk=campaign.pk).update(launched_at=campaign.launched_at)
    buckets, is_sample = report_figures.timeline(campaign, now=timezone.now() + timedelta(minutes=20))
    assert is_sample
    assert sum(b.delivered for b in buckets) == pytest.approx(4000, rel=0.05)
    assert len(buckets) <= 70
