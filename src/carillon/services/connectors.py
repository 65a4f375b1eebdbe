"""Configured carriers: add, change, remove. What their options mean is the carriers' own business (carriers.registry)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from carillon.domain.errors import Conflict, InvalidInput, NotFound
from carillon.models import Connector
from carillon.services.sealing import seal, unseal

SIMULATOR = "simulator"


def by_name(name: str) -> Connector:
    found = Connector.objects.filter(name__iexact=name.strip()).first()
    if found is None:
        raise NotFound(f"There is no connector named '{name}'", code="connector_not_found")
    return found


@transaction.atomic
def add(*, name: str, kind: str, options: Mapping[str, Any], secret: str = "", medium: str = "SMS") -> Connector:
    """`options` are checked by the caller (carriers.registry). HTTP carriers get a secret path for their callbacks."""
    name = name.strip()
    if not name or len(name) > 60:
        raise InvalidInput("A connector needs a name of at most 60 characters", field="name")
    if Connector.objects.filter(name__iexact=name).exists():
        raise InvalidInput(f"There is a connector named '{name}' already", field="name", code="name_taken")
    return Connector.objects.create(
        name=name,
        kind=kind,
        medium=medium,
        options=dict(options),
        secret=seal(secret),
        is_simulator=kind == SIMULATOR,
        callback_key=secrets.token_urlsafe(24),
    )


def secret_of(connector: Connector) -> str:
    return unseal(connector.secret)


@transaction.atomic
def change(connector: Connector, *, secret: str | None = None, **changes: Any) -> Connector:
    """The gateway sees it within two seconds and reconnects. `secret` None keeps the old one."""
    for key, value in changes.items():
        setattr(connector, key, value)
    if secret is not None:
        connector.secret = seal(secret)
    connector.save()
    return connector


@transaction.atomic
def remove(connector: Connector) -> None:
    """Raises Conflict while messages wait on it or may still get receipts; disable it instead."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM slice WHERE connector_id = %s)", [connector.pk])
        (is_used,) = cursor.fetchone()
    if is_used:
        raise Conflict(
            f"Connector '{connector.name}' has carried messages, whose receipts name it: disable it instead",
            code="connector_used",
        )
    connector.delete()
