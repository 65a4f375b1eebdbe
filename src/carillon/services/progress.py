"""Progress of long work, seen by others while its transaction is still open."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import connection, models

EVERY_S = 0.5


def note_progress(model: type[models.Model], pk: int, column: str = "done_count") -> Callable[[int, int], None]:
    """A callback (done, total) that writes `column` twice a second through a connection of its own."""
    other = connection.copy()
    last = 0.0

    def note(done: int, total: int) -> None:
        nonlocal last
        if done < total and time.monotonic() - last < EVERY_S:
            return
        last = time.monotonic()
        with other.cursor() as cursor:
            cursor.execute(
                f'UPDATE "{model._meta.db_table}" SET "{column}" = %s WHERE id = %s',  # noqa: S608 (our own names)
                [done, pk],
            )
        if done >= total:
            other.close()

    return note
