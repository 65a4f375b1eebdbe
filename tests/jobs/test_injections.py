"""An order that was accepted survives a database that goes away while it is carried out."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from carillon.config.procrastinate import load_jobs
from carillon.services import preparation
from tests.builders import make_campaign

pytestmark = pytest.mark.django_db


def test_an_order_is_taken_up_again_when_the_database_went_away(monkeypatch: pytest.MonkeyPatch) -> None:
    load_jobs()
    from procrastinate.jobs import Job

    from carillon.jobs import campaigns as jobs

    def away(*_arguments: object, **_more: object) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(preparation, "prepare", away)
    campaign = make_campaign(state="INJECTING")
    with pytest.raises(OperationalError) as lost:
        jobs.inject(campaign_id=campaign.pk)
    job = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name="campaigns.inject", attempts=0)
    assert jobs.inject.get_retry_exception(lost.value, job) is not None
    assert jobs.inject.get_retry_exception(ValueError("broken"), job) is None
    campaign.refresh_from_db()
    assert campaign.state == "INJECTING"
