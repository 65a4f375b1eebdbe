"""A job exists exactly when the transaction that asked for it was committed."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from carillon.services.deferral import defer

pytestmark = pytest.mark.django_db


def jobs() -> list[tuple[str, dict[str, object]]]:
    return list(ProcrastinateJob.objects.order_by("id").values_list("task_name", "args"))


def test_a_committed_transaction_leaves_its_job() -> None:
    with transaction.atomic():
        defer("lists.import", list_id=7)

    assert jobs() == [("lists.import", {"list_id": 7})]


def test_a_rolled_back_transaction_leaves_none() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        defer("lists.import", list_id=7)
        _ = 1 / 0

    assert jobs() == []


def test_a_second_job_under_the_same_queueing_lock_is_not_needed() -> None:
    with transaction.atomic():
        first = defer("counts.fold", queueing_lock="counts")
        second = defer("counts.fold", queueing_lock="counts")
        third = defer("lists.import", list_id=8)  # the transaction is still good

    assert first is not None
    assert second is None
    assert third is not None
    assert [name for name, _ in jobs()] == ["counts.fold", "lists.import"]


def test_a_job_that_waits_for_later_is_brought_forward_and_never_put_off() -> None:
    tomorrow, next_hour = (datetime.now(UTC) + timedelta(hours=hours) for hours in (24, 1))
    moments = []
    for at in (tomorrow, next_hour, tomorrow, None, next_hour):
        defer("webhooks.send", webhook_id=1, queueing_lock="webhook-1", at=at)
        moments.append(ProcrastinateJob.objects.get().scheduled_at)

    assert moments == [tomorrow, next_hour, next_hour, None, None]


def test_a_job_may_wait_for_a_date() -> None:
    later = datetime.now(UTC) + timedelta(days=90)

    defer("campaigns.start", at=later, campaign_id=1)

    assert ProcrastinateJob.objects.get().scheduled_at == later


def test_a_date_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        defer("campaigns.start", at=datetime(2026, 12, 1, 8))
