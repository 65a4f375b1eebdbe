"""Jobs of workers that died are given back; those of living workers are left alone."""

from typing import Any

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from carillon.config.worker import requeue_stalled
from carillon.services.deferral import defer

pytestmark = pytest.mark.django_db


def start_job(*, silent_for_s: int) -> Any:
    """A job taken by a worker whose last heartbeat is that old."""
    job_id = defer("lists.import", list_id=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s)) RETURNING id",
            [silent_for_s],
        )
        (worker_id,) = cursor.fetchone()
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE id = %s", [worker_id, job_id]
        )
    return job_id


def status(job_id: int) -> str:
    return ProcrastinateJob.objects.get(pk=job_id).status


def test_the_job_of_a_silent_worker_is_given_back() -> None:
    dead, alive = start_job(silent_for_s=3600), start_job(silent_for_s=0)

    assert requeue_stalled(after_s=60) == 1

    assert status(dead) == "todo"
    assert status(alive) == "doing"


def test_the_job_of_a_worker_that_was_forgotten_is_given_back() -> None:
    orphan = start_job(silent_for_s=0)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")

    assert requeue_stalled(after_s=60) == 1

    assert status(orphan) == "todo"


def test_the_job_of_a_dead_worker_makes_room_for_the_one_that_waits_under_its_lock() -> None:
    """Periodic jobs: the next is queued while one runs. Killed then, it held their lock, and giving it back failed for ever."""
    names = {"lock": "delivery.fold", "queueing_lock": "delivery.fold"}
    killed = defer("delivery.fold", timestamp=1, **names)
    ProcrastinateJob.objects.filter(pk=killed).update(status="doing")
    waiting = defer("delivery.fold", timestamp=2, **names)
    other = start_job(silent_for_s=3600)

    assert requeue_stalled(after_s=60) == 2

    assert list(ProcrastinateJob.objects.order_by("id").values_list("pk", "status")) == [
        (waiting, "todo"),
        (other, "todo"),
    ]
