"""The worker process: runs the jobs of `carillon.jobs`, and gives back those of workers that died.

Jobs run in threads, each with its Django connection. The worker's own application differs from the one services defer with:
it talks to PostgreSQL by its own asynchronous pool, while a `defer` inside a job stays in that job's transaction.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

import procrastinate
from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections, connection, transaction
from procrastinate import PsycopgConnector
from procrastinate.contrib.django import app as django_app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import UniqueViolation

from carillon.config.procrastinate import load_jobs

logger = logging.getLogger(__name__)

HEARTBEAT_S = 2.0
SWEEP_EVERY_S = 3.0
STALLED_AFTER_S = 12.0  # six heartbeats: a machine that is only slow must not have its jobs run twice
STOP_WITHIN_S = 60.0
SWEEP_LOCK = 0x0CA5_0001  # pg_advisory: two sweepers must not give the same job back twice

STALLED = """
    SELECT job.id FROM procrastinate_jobs job LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
    WHERE job.status = 'doing' AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => %s))
"""


def run_worker(*, concurrency: int) -> None:
    """Run jobs until SIGINT or SIGTERM, then let the running ones end. Returns early when PostgreSQL goes away."""
    load_jobs()
    asyncio.run(_run(concurrency=concurrency))


async def _run(*, concurrency: int) -> None:
    pool: dict[str, Any] = {"min_size": 1, "max_size": concurrency + 3}
    application = procrastinate.App(
        connector=PsycopgConnector(kwargs=connector_params(), **pool),
        worker_defaults=django_app.worker_defaults,  # closes Django's connections around each job
    )
    application.tasks = django_app.tasks
    application.periodic_registry = django_app.periodic_registry
    async with application.open_async():
        sweeper = asyncio.create_task(_sweep_for_ever())
        try:
            await application.run_worker_async(
                concurrency=concurrency,
                delete_jobs="successful",
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=STALLED_AFTER_S,
                shutdown_graceful_timeout=STOP_WITHIN_S,
                fetch_job_polling_interval=2.0,
            )
        finally:
            sweeper.cancel()


async def _sweep_for_ever() -> None:
    while True:
        try:
            given_back = await sync_to_async(_sweep, thread_sensitive=False)()
        except DatabaseError as error:
            logger.warning("could not look for stalled jobs: %s", error)
        except Exception:  # without this task, the jobs of a dead worker would hold their locks for ever
            logger.exception("could not look for stalled jobs")
        else:
            if given_back:
                logger.warning("gave back %d jobs of dead workers", given_back)
        await asyncio.sleep(SWEEP_EVERY_S)


def _sweep() -> int:
    close_old_connections()
    try:
        return requeue_stalled(after_s=STALLED_AFTER_S)
    finally:
        connection.close()


def requeue_stalled(*, after_s: float) -> int:
    """Give back the jobs of workers without a heartbeat for `after_s` seconds; how many. Jobs can be run twice: they are
    written so that it does no harm.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SWEEP_LOCK])
        row = cursor.fetchone()
        if row is None or not row[0]:
            return 0
        cursor.execute(STALLED, [after_s])
        stalled = [job_id for (job_id,) in cursor.fetchall()]
        for job_id in stalled:
            _give_back(job_id)
        return len(stalled)


def _give_back(job_id: int) -> None:
    """To do again; or forgotten, when the same job already waits under its queueing lock: that one does the work, once the dead
    one no longer holds their lock.
    """
    try:
        with transaction.atomic():
            django_app.job_manager.retry_job_by_id(job_id, retry_at=datetime.now(UTC))
    except UniqueViolation:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s AND status = 'doing'", [job_id])
