"""A stored file becomes recipients: read as a stream, judged, copied into the table, in one transaction.

An interrupted import leaves nothing behind: rows appear with the commit or not at all, and the same job may run again.
Progress and the wish to cancel go through the list's row, on a connection of their own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from types import TracebackType

from django.db import DatabaseError, connection, transaction

from carillon.domain.errors import CarillonError, Conflict, InvalidInput, NotFound
from carillon.domain.recipients import Analysis, Judge, Layout, Reader, Rows, inspect
from carillon.domain.recipients.reading import BATCH_ROWS
from carillon.models import List
from carillon.services import ids, lists, routes
from carillon.services.list_copy import COPY, copy_text

logger = logging.getLogger(__name__)

Progress = Callable[[int, int, int], None]  # bytes read, bytes in all, rows stored
BATCHES_A_COPY = 32  # with 2,048 rows each about half a second
ANALYZE_FROM_ROWS = 5_000
_LOCK_CLASS = 4712  # advisory: one import of a list at a time
_EVERY_S = 0.5
_COUNTED = [  # what an import writes: the name may have been changed meanwhile
    "analysis", "header", "mobile_column", "charset", "delimiter", "has_header", "size", "valid_count", "invalid_count",
    "duplicate_count", "done_rows", "done_bytes", "state", "updated_at",
]  # fmt: skip


class ImportCancelled(CarillonError):
    code = "import_cancelled"


def import_file(
    list_id: int, *, progress: Progress | None = None, should_cancel: Callable[[], bool] | None = None
) -> List:
    """Import the list's file; gives the list, READY or CANCELLED.

    InvalidInput when the file cannot be used: the list is FAILED and keeps the sentence. Conflict when it is
    imported already, NotFound when there is no such list: nothing changes then.
    """
    item = _begin(list_id)
    if item.state == List.State.CANCELLED:
        return item
    try:
        with _Watch(item, progress, should_cancel) as watch:
            _import(item, watch)
    except ImportCancelled:
        _end(item, List.State.CANCELLED)
        return item
    except InvalidInput as error:
        _end(item, List.State.FAILED, error)
        raise
    except Conflict:
        raise
    except Exception:
        logger.exception("import of list %s", list_id)
        _end(item, List.State.FAILED, CarillonError("The import was interrupted. Start it again.", code="interrupted"))
        raise
    if item.size >= ANALYZE_FROM_ROWS:
        with connection.cursor() as cursor:  # the planner must know the new rows before campaigns read them
            cursor.execute("ANALYZE recipient")
    return item


@transaction.atomic
def _begin(list_id: int) -> List:
    item = List.objects.select_for_update(of=("self",)).select_related("account").filter(pk=list_id).first()
    if item is None or item.deleted_at is not None or not item.file_path:
        raise NotFound(f"There is no list {list_id} to import", code="list_not_found")
    if item.state == List.State.READY:
        raise Conflict(f"The list '{item.name}' is already imported", code="already_imported")
    if item.state == List.State.CANCELLED or item.cancel_requested:
        item.state = List.State.CANCELLED
    else:
        item.state, item.error, item.analysis = List.State.IMPORTING, "", {}
    item.save(update_fields=["state", "error", "analysis", "updated_at"])
    return item


def _end(item: List, state: str, error: CarillonError | None = None) -> None:
    """A row that cannot be written now is found IMPORTING by the job's next run."""
    item.state = state
    item.error = error.message[:500] if error else ""
    if error is not None:
        item.analysis = {"_error": {"code": error.code, "line": getattr(error, "line", None)}}
    try:
        item.save(update_fields=["state", "error", "analysis", "updated_at"])
    except DatabaseError:
        logger.exception("state of list %s", item.pk)


@transaction.atomic
def _import(item: List, watch: _Watch) -> None:
    with connection.cursor() as cursor:
        # Another process at the same list: wait for its end. If it was killed its connection, and this lock, go at once.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK_CLASS, item.pk % 2**31])
    if List.objects.filter(pk=item.pk, state=List.State.READY).exists():
        raise Conflict(f"The list '{item.name}' is already imported", code="already_imported")
    path = lists.path_of(item)
    country = lists.default_country(item.account)
    layout = inspect(
        path, default_country=country, mobile_column=item.mobile_column or None, has_header=item.has_header,
        delimiter=item.delimiter or None, charset=item.charset or None,
    )  # fmt: skip
    judge, analysis = Judge(layout, default_country=country), Analysis(layout)
    with Reader(path, layout) as reader:
        batches = iter(reader)
        pending = next(batches, None)
        while pending is not None:
            position = pending.position
            pending = _copy_some(item, pending, batches, judge, analysis)
            watch.note(position if pending is None else pending.position, analysis.size)
    _finish(item, layout, analysis)


def _copy_some(item: List, batch: Rows, following: Iterator[Rows], judge: Judge, analysis: Analysis) -> Rows | None:
    """One COPY of at most 32 batches or half a second; gives the batch after them, None at the end.

    One long COPY lets PostgreSQL work while Python reads on (a fifth faster than one a batch), but nothing else can be asked of
    its connection meanwhile: ids are taken before, watching waits until after.
    """
    is_short = len(batch.rows) < BATCH_ROWS
    next_id = ids.take_block("recipient", len(batch.rows) if is_short else BATCH_ROWS * BATCHES_A_COPY)
    until = time.monotonic() + _EVERY_S
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for _ in range(1 if is_short else BATCHES_A_COPY):
            judged = judge.judge(batch)
            analysis.add(judged)
            copy.write(copy_text(item, judged, next_id))
            next_id += len(batch.rows)
            pending = next(following, None)
            if pending is None or time.monotonic() > until:
                return pending
            batch = pending
    return batch


def _finish(item: List, layout: Layout, analysis: Analysis) -> None:
    """From here on a cancelling or a deletion waits for our commit; one that came before is obeyed."""
    fresh = List.objects.select_for_update().only("cancel_requested", "deleted_at").get(pk=item.pk)
    if fresh.cancel_requested or fresh.deleted_at is not None:
        raise ImportCancelled("The import was cancelled")
    item.analysis = analysis.to_json(allowed_countries=routes.allowed_countries(item.account))
    item.analysis["_more"] = analysis.more_json()
    item.header, item.mobile_column = layout.header, layout.mobile_name
    item.charset, item.delimiter, item.has_header = layout.charset, layout.delimiter, layout.has_header
    item.size, item.valid_count = analysis.size, analysis.valid
    item.invalid_count, item.duplicate_count = analysis.invalid, analysis.duplicates
    item.done_rows, item.done_bytes = analysis.size, item.file_size
    item.state = List.State.READY
    item.save(update_fields=_COUNTED)


class _Watch:
    """After each COPY: writes the progress where others see it, and reads whether they want the import to stop."""

    def __init__(self, item: List, progress: Progress | None, should_cancel: Callable[[], bool] | None) -> None:
        self._item = item
        self._progress = progress
        self._should_cancel = should_cancel
        self._other = connection.copy()

    def __enter__(self) -> _Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._other.close()

    def note(self, position: int, rows: int) -> None:
        if self._should_cancel is not None and self._should_cancel():
            raise ImportCancelled("The import was cancelled")
        with self._other.cursor() as cursor:
            cursor.execute(
                'UPDATE "list" SET done_bytes = %s, done_rows = %s WHERE id = %s RETURNING cancel_requested',
                [position, rows, self._item.pk],
            )
            row = cursor.fetchone()
        if self._progress is not None:
            self._progress(position, self._item.file_size, rows)
        if row is not None and row[0]:
            raise ImportCancelled("The import was cancelled")
