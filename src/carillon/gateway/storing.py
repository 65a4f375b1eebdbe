"""Inbound texts: stored in one transaction, acknowledged after it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import close_old_connections

from carillon.domain.traffic import Inbound
from carillon.services import inbound


def store(connector_id: int, inbounds: list[Inbound], sessions: frozenset[int]) -> list[int]:
    close_old_connections()
    return inbound.keep(inbounds, connector_id=connector_id, sessions=sessions)


def answered(rows: Sequence[int]) -> None:
    close_old_connections()
    inbound.answered(rows)
