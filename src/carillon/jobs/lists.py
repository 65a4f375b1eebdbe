"""List jobs: import an uploaded file, count a list again after it was changed, forget abandoned uploads."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from procrastinate.contrib.django import app

from carillon.domain.errors import Conflict, InvalidInput, NotFound
from carillon.services import list_import, list_rows, lists


@app.task(name="lists.import", queue="default")
def import_file(list_id: int) -> None:
    """The list itself says how it went; a job that comes twice finds it done."""
    try:
        list_import.import_file(list_id)
    except (InvalidInput, NotFound, Conflict):
        return


@app.task(name="lists.refresh", queue="default")
def refresh(list_id: int) -> None:
    list_rows.refresh(list_id)


@app.periodic(cron="17 3 * * *")
@app.task(name="lists.sweep_abandoned", queue="default")
def sweep_abandoned(timestamp: int) -> None:
    lists.sweep_abandoned(timezone.now())


@app.periodic(cron="17 * * * *")
@app.task(name="lists.purge", queue="default")
def purge(timestamp: int) -> None:
    """Rows and files of lists deleted more than a day ago: until then « Annuler » brings them back."""
    lists.purge_discarded(timezone.now() - timedelta(days=1))
