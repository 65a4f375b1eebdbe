"""Blocks of consecutive ids for the bulk tables."""

from __future__ import annotations

from typing import Literal

from django.db import connection

Kind = Literal["message", "slice", "recipient", "optout"]


def take_block(kind: Kind, n: int) -> int:
    """First of `n` consecutive ids nobody else will get. Not undone by a rollback: gaps are fine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT take_ids(%s::regclass, %s)", [f"{kind}_ids", n])
        row = cursor.fetchone()
    return int(row[0])
