"""List jobs: import an uploaded file, count a list again after it was changed."""

from __future__ import annotations

from procrastinate.contrib.django import app

from carillon.domain.errors import Conflict, InvalidInput, NotFound
from carillon.services import list_import, list_rows


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
