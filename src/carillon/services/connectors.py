"""Configured carriers: add, change, remove. What their options mean is the carriers' own business (carriers.registry)."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection, transaction

from carillon.domain.errors import Conflict, InvalidInput, NotFound
from carillon.models import Connector
from carillon.services.sealing import seal, unseal

SIMULATOR = "simulator"
HIDDEN = "••••••••"  # what is shown of a sealed option, and means when it comes back: keep it
_SEALED = "sealed"


def by_name(name: str) -> Connector:
    found = Connector.objects.filter(name__iexact=name.strip()).first()
    if found is None:
        raise NotFound(f"There is no connector named '{name}'", code="connector_not_found")
    return found


@transaction.atomic
def add(
    *,
    name: str,
    kind: str,
    options: Mapping[str, Any],
    secret: str = "",
    medium: str = "SMS",
    sealed: Collection[str] = (),
) -> Connector:
    """`options` are checked by the caller (carriers.registry), who knows which of them are secrets (`sealed`). HTTP carriers get
    a secret path for their callbacks."""
    name = name.strip()
    if not name or len(name) > 60:
        raise InvalidInput("A connector needs a name of at most 60 characters", field="name")
    if Connector.objects.filter(name__iexact=name).exists():
        raise InvalidInput(f"There is a connector named '{name}' already", field="name", code="name_taken")
    return Connector.objects.create(
        name=name,
        kind=kind,
        medium=medium,
        options=_closed(options, sealed),
        secret=seal(secret),
        is_simulator=kind == SIMULATOR,
        callback_key=secrets.token_urlsafe(24),
    )


def secret_of(connector: Connector) -> str:
    return unseal(connector.secret)


def options_of(connector: Connector) -> dict[str, Any]:
    """As the carrier takes them. Raises CarillonError when a sealed one cannot be read."""
    return {name: unseal(value[_SEALED]) if _is_sealed(value) else value for name, value in connector.options.items()}


def shown_options(connector: Connector) -> dict[str, Any]:
    """As people may see them."""
    return {name: HIDDEN if _is_sealed(value) else value for name, value in connector.options.items()}


def _closed(options: Mapping[str, Any], sealed: Collection[str]) -> dict[str, Any]:
    return {
        name: {_SEALED: seal(value)} if name in sealed and isinstance(value, str) and value else value
        for name, value in options.items()
    }


def _is_sealed(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {_SEALED}


@transaction.atomic
def change(
    connector: Connector, *, secret: str | None = None, sealed: Collection[str] = (), **changes: Any
) -> Connector:
    """The gateway sees it within two seconds and reconnects. `secret` None keeps the old one; `options` and `sealed` as for `add`."""
    if "options" in changes:
        changes["options"] = _closed(changes["options"], sealed)
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
