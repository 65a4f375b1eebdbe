"""The send path can be distributed by connector_id as it stands: its keys, its references and its statements say so."""

from __future__ import annotations

import inspect
import re

import pytest
from django.db import connection

from carillon.services import delivery_sql, recovery

HOT = ("message", "slice", "gateway_run", "submission", "doubt", "receipt_unmatched", "outbox", "campaign_delta")
# Statements on reference tables alone, or across connectors by design.
FREE = {"OPTOUTS", "STOPPED", "SHARERS", "SESSION"}


def rows(statement: str, *parameters: object) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
        return list(cursor.fetchall())


@pytest.mark.django_db
def test_every_unique_key_of_a_hot_table_contains_the_connector() -> None:
    keys = rows(
        "SELECT c.relname, i.indexrelid::regclass::text, array_agg(a.attname) FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)"
        " WHERE i.indisunique AND (c.relname = ANY(%s) OR c.relname LIKE 'submission\\_%%') GROUP BY 1, 2",
        [*HOT, "ledger"],
    )
    assert {row[0] for row in keys} >= {"message", "slice", "ledger", "doubt"}
    lacking = [row for row in keys if "connector_id" not in row[2]]
    assert lacking == []


@pytest.mark.django_db
def test_no_foreign_key_points_at_a_hot_table_and_none_has_a_trigger() -> None:
    assert (
        rows("SELECT conname FROM pg_constraint WHERE contype = 'f' AND confrelid::regclass::text = ANY(%s)", list(HOT))
        == []
    )
    assert (
        rows("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text = ANY(%s)", list(HOT))
        == []
    )


def statements() -> dict[str, str]:
    found = {name: value for name, value in vars(delivery_sql).items() if name.isupper() and isinstance(value, str)}
    found |= {
        f"recovery.{n}": v for n, v in vars(recovery).items() if n.startswith("_") and isinstance(v, str) and " " in v
    }
    return {name: text for name, text in found.items() if not name.endswith("__doc__")}


def test_every_hot_statement_names_the_connector() -> None:
    found = statements()
    assert len(found) > 20
    hot = re.compile(rf"\b(?:FROM|JOIN|INTO|UPDATE) ({'|'.join(HOT)})\b")
    lacking = [
        name for name, text in found.items() if name not in FREE and hot.search(text) and "connector" not in text
    ]
    assert lacking == []
    assert inspect.getdoc(delivery_sql) is not None
