"""Inbound texts: stored in one transaction, acknowledged after it."""

from __future__ import annotations

from django.db import close_old_connections

from carillon.domain.traffic import Inbound
from carillon.services import inbound


def store(connector_id: int, inbounds: list[Inbound]) -> None:
    close_old_connections()
    inbound.keep(inbounds, connector_id=connector_id)
