"""Bring the tables up to date: by one process at a time, whoever is first."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

MIGRATE_LOCK = 0x0CA5_0000


def pending() -> bool:
    """True when the database lacks migrations of this version."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def migrate() -> bool:
    """Apply what is missing; False when nothing was. Waits for another process that is doing it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATE_LOCK])
        try:
            if not pending():
                return False
            call_command("migrate", verbosity=0, interactive=False)
            return True
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATE_LOCK])
