"""A statement of the request path, planned once per connection: for texts that do not change, where planning would cost more
than running."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import psycopg
from django.db import connection

AFTER = 2  # runs of the same text on one connection


def first_row(sql: str, parameters: Sequence[Any]) -> Any:
    """The first row or None. `sql` has $1, $2 …; it runs on Django's connection, in its transaction when there is one.
    JSON comes parsed; errors are Django's."""
    connection.ensure_connection()
    raw = cast("psycopg.Connection[Any]", connection.connection)
    before, raw.prepare_threshold = raw.prepare_threshold, AFTER
    try:
        with connection.wrap_database_errors:
            return psycopg.RawCursor(raw).execute(sql, parameters).fetchone()
    finally:
        raw.prepare_threshold = before
