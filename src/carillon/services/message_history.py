"""One message with everything that happened to it, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from carillon.domain.errors import NotFound
from carillon.domain.status import is_final
from carillon.models import Campaign, Click, List, User
from carillon.services import campaigns, report_rows
from carillon.services.report_rows import MessageRow


@dataclass(frozen=True, slots=True)
class Event:
    """`kind`: prepared, submitted, receipt, doubt, reply, click, preview."""

    at: datetime | None
    kind: str
    status: int | None = None
    segment: int | None = None
    text: str | None = None
    link: int | None = None
    carrier_message_id: str | None = None
    error: int | None = None


@dataclass(slots=True)
class History:
    campaign: Campaign
    row: MessageRow
    sender: str
    fields: dict[str, str]
    events: list[Event] = field(default_factory=list)


def get(actor: User, message_id: int) -> History:
    """Raises NotFound, also for a message of someone else's campaign."""
    missing = NotFound(f"There is no message {message_id}", code="message_not_found")
    found = _query("SELECT campaign_id, sender FROM message WHERE id = %s", [message_id])
    if not found:
        raise missing
    campaign = campaigns.visible(actor).filter(pk=found[0][0]).first()
    if campaign is None:
        raise missing
    row = next(report_rows.read(campaign, message_ids=[message_id], with_text=True), None)
    if row is None:
        raise missing
    events = [Event(campaign.prepared_at, "prepared", status=_judgement(message_id)), *_network(campaign, message_id)]
    events += [*_replies(message_id), *_visits(message_id)]
    events.sort(key=lambda event: (event.at is None, event.at))
    return History(campaign, row, found[0][1] or campaign.effective_sender, _fields(row), events)


def _query(sql: str, parameters: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _judgement(message_id: int) -> int:
    return int(_query("SELECT status FROM message WHERE id = %s", [message_id])[0][0])


def _network(campaign: Campaign, message_id: int) -> list[Event]:
    events = []
    since = campaign.launched_at or campaign.created_at
    for segment, submitted_at, done_at, status, error, carrier_id in _query(
        "SELECT segment, submitted_at, done_at, status, error, carrier_message_id FROM submission"
        " WHERE message_id = %s AND submitted_at >= %s ORDER BY segment",
        [message_id, since],
    ):
        events.append(Event(submitted_at, "submitted", segment=segment, carrier_message_id=carrier_id))
        if done_at is not None or is_final(status):
            events.append(Event(done_at or submitted_at, "receipt", status=status, segment=segment, error=error))
    for at, reason in _query("SELECT at, reason FROM doubt WHERE message_id = %s", [message_id]):
        events.append(Event(at, "doubt", text=reason))
    return events


def _replies(message_id: int) -> list[Event]:
    found = _query(
        "SELECT received_at, text FROM reply WHERE message_id = %s AND direction = 'MO' ORDER BY received_at",
        [message_id],
    )
    return [Event(at, "reply", text=text) for at, text in found]


def _visits(message_id: int) -> list[Event]:
    rows = Click.objects.filter(message_id=message_id, kind__in=["click", "preview", "image"]).order_by("at")[:200]
    return [
        Event(row.at, "click" if row.kind == "click" else "preview", link=row.link_index, text=row.device or None)
        for row in rows
    ]


def _fields(row: MessageRow) -> dict[str, str]:
    item = List.objects.filter(pk=row.list_id).only("header").first() if row.list_id else None
    return dict(zip(item.header, row.fields, strict=False)) if item is not None else {}
