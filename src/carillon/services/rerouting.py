"""Failover: what has not been intended leaves a connector that is down, disabled or unwilling for another allowed one.

A slice never changes its connector: its messages are copied under the new one with the ids they have, then deleted here.
Only ready slices move, whole, under their row's lock, so that no gateway can intend from them meanwhile.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from carillon.models import Campaign, Connector
from carillon.services import ids
from carillon.services.routes import DOWN, Router

DOWN_AFTER = timedelta(seconds=30)
SILENT_AFTER = timedelta(seconds=45)  # no gateway speaks for it
_BATCH = 200

# run_id on a ready slice: the run whose carrier refused it (services.ticks.Returned.is_refused).
_STUCK = """
SELECT s.id, s.campaign_id FROM slice s JOIN campaign k ON k.id = s.campaign_id
WHERE s.connector_id = %s AND s.state = 1 AND k.is_sending AND (%s OR s.run_id IS NOT NULL)
ORDER BY s.priority, s.id LIMIT %s
"""
_LOCK = """
SELECT id, account_id, campaign_id, cursor_id, last_id, priority, calendar FROM slice
WHERE id = %s AND connector_id = %s AND state = 1 FOR UPDATE SKIP LOCKED
"""
_MESSAGES = """
SELECT id, msisdn, country FROM message
WHERE connector_id = %s AND id > %s AND id <= %s AND campaign_id = %s AND status = 1 ORDER BY id
"""
_COPY = """
INSERT INTO message (id, connector_id, account_id, campaign_id, recipient_id, msisdn, country, status, segments, price,
                     sender, text, reason)
SELECT id, %s, account_id, campaign_id, recipient_id, msisdn, country, status, segments, price, sender, text, reason
FROM message WHERE connector_id = %s AND id = ANY(%s)
"""
_DELETE = "DELETE FROM message WHERE connector_id = %s AND id = ANY(%s)"
_ADD = """
INSERT INTO slice (id, connector_id, account_id, campaign_id, first_id, last_id, cursor_id, n, priority, calendar)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_LEAVE = "UPDATE slice SET state = 3, last_id = %s, run_id = NULL WHERE id = %s AND connector_id = %s"
_STAY = "UPDATE slice SET run_id = NULL WHERE id = %s AND connector_id = %s"


def move_stuck(*, now: datetime) -> int:
    """Messages that changed connector."""
    moved = 0
    connectors = list(Connector.objects.all())
    out_of_use = {connector.pk for connector in connectors if is_out_of_use(connector, now=now)}
    for connector in connectors:
        with connection.cursor() as cursor:
            cursor.execute(_STUCK, [connector.pk, connector.pk in out_of_use, _BATCH])
            stuck = cursor.fetchall()
        routers: dict[int, Router] = {}
        for slice_id, campaign_id in stuck:
            campaign = Campaign.objects.select_related("account").get(pk=campaign_id)
            router = routers.setdefault(
                campaign.account_id,
                Router.load(campaign.account, medium=campaign.medium, simulator_only=campaign.simulator_only),
            )
            moved += _move(connector.pk, slice_id, campaign, _Choice(router, campaign.traffic, out_of_use))
    return moved


def is_out_of_use(connector: Connector, *, now: datetime) -> bool:
    """Disabled, or down for a while. A connector whose gateway is merely restarting is not."""
    if not connector.is_enabled:
        return True
    if connector.state_at is None:
        return False
    silence = now - connector.state_at
    if connector.state not in DOWN:
        return silence > SILENT_AFTER and not _has_gateway(connector.pk)
    since = connector.health.get("down_since") if isinstance(connector.health, dict) else None
    return since is not None and now - datetime.fromisoformat(since) > DOWN_AFTER


def _has_gateway(connector_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM gateway_run WHERE connector_id = %s AND alive AND lease_until > now())",
            [connector_id],
        )
        return bool(cursor.fetchone()[0])


@dataclass(frozen=True, slots=True)
class _Choice:
    router: Router
    traffic: str
    out_of_use: Container[int]

    def target(self, country: str, msisdn: int, without: int) -> int:
        """The best other connector that works; `without` when there is none."""
        up = {c.connector_id for c in self.router.candidates if c.is_up and c.connector_id not in self.out_of_use}
        found = self.router.alternatives(country=country, msisdn=msisdn, traffic=self.traffic, without=without)
        return next((target for target in found if target in up), without)


@transaction.atomic
def _move(connector_id: int, slice_id: int, campaign: Campaign, choice: _Choice) -> int:
    moved = 0
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [slice_id, connector_id])
        row = cursor.fetchone()
        if row is None:
            return 0
        _, account_id, campaign_id, cursor_id, last_id, priority, calendar = row
        cursor.execute(_MESSAGES, [connector_id, cursor_id, last_id, campaign.pk])
        parts = _parts(cursor.fetchall(), choice, connector_id)
        if all(target == connector_id for target, _ in parts):
            cursor.execute(_STAY, [slice_id, connector_id])  # nowhere to go: they wait for better times
            return 0
        for target, found in parts:
            if target != connector_id:
                cursor.execute(_COPY, [target, connector_id, found])
                cursor.execute(_DELETE, [connector_id, found])
                moved += len(found)
            place: list[Any] = [ids.take_block("slice", 1), target, account_id, campaign_id]
            cursor.execute(_ADD, [*place, found[0], found[-1], found[0] - 1, len(found), priority, calendar])
        cursor.execute(_LEAVE, [cursor_id, slice_id, connector_id])
    return moved


def _parts(rows: Sequence[Any], choice: _Choice, without: int) -> list[tuple[int, list[int]]]:
    """Neighbours with the same new connector, in order."""
    parts: list[tuple[int, list[int]]] = []
    for message_id, msisdn, country in rows:
        target = choice.target(country, msisdn, without)
        if parts and parts[-1][0] == target:
            parts[-1][1].append(message_id)
        else:
            parts.append((target, [message_id]))
    return parts
