"""Databases of the tests: copies of one migrated template on the session's server."""

from __future__ import annotations

from typing import Any

import psycopg

TEMPLATE = "carillon_template"
Server = dict[str, Any]  # what psycopg needs to reach it


class Clone:
    """A copy of the template under this name, made the default database while it stands."""

    def __init__(self, server: Server, name: str, blocker: Any) -> None:
        self.server, self.name, self.blocker = server, name, blocker

    def __enter__(self) -> None:
        from django.db import connections

        run(self.server, f"CREATE DATABASE {self.name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        connections["default"].close()
        self.before = connections["default"].settings_dict["NAME"]
        connections["default"].settings_dict["NAME"] = self.name

    def __exit__(self, *_: object) -> None:
        from django.db import connections

        with self.blocker.unblock():
            connections.close_all()
        connections["default"].settings_dict["NAME"] = self.before
        run(self.server, f"DROP DATABASE {self.name} WITH (FORCE)")


def run(server: Server, statement: str) -> None:
    with psycopg.connect(**(server | {"dbname": "postgres"}), autocommit=True) as connection:
        connection.execute(statement.encode())


def exists(server: Server, name: str) -> bool:
    with psycopg.connect(**(server | {"dbname": "postgres"})) as connection:
        return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None
