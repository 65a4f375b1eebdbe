"""One message: what it said, what became of it, when."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from carillon.api.endpoints import Call, NoParameters, endpoint
from carillon.api.fields import iso_date
from carillon.domain.credits import as_credits
from carillon.domain.status import label
from carillon.services import message_history


class Event(BaseModel):
    at: str | None
    kind: str = Field(description="prepared, submitted, receipt, reply, click, preview or doubt.")
    status: int | None = None
    statusText: str | None = None
    segment: int | None = None
    text: str | None = None
    link: int | None = None
    carrierMessageId: str | None = None
    error: int | None = None


class MessageAnswer(BaseModel):
    id: int
    campaignId: int
    mobile: str
    country: str
    sender: str
    text: str
    segments: int
    credits: float
    status: int
    statusText: str
    reason: str
    deliveredAt: str | None
    fields: dict[str, str]
    history: list[Event]


@endpoint(
    "GET",
    "messages/{message_id}",
    name="getMessage",
    scope="reports",
    tag="Messages",
    answer=MessageAnswer,
    errors=("not_found",),
    is_addition=True,
)
def get_message(call: Call, _: NoParameters) -> dict[str, Any]:
    """A message and everything that happened to it, oldest first."""
    found = message_history.get(call.user, call.number("message_id"))
    row = found.row
    language = call.user.language
    return {
        "id": row.message_id,
        "campaignId": found.campaign.pk,
        "mobile": str(row.msisdn or ""),
        "country": row.country,
        "sender": found.sender,
        "text": row.text,
        "segments": row.segments,
        "credits": as_credits(row.price),
        "status": int(row.status),
        "statusText": label(row.status, language=language),
        "reason": row.reason,
        "deliveredAt": iso_date(row.done_at),
        "fields": found.fields,
        "history": [
            {
                "at": iso_date(event.at),
                "kind": event.kind,
                "status": event.status,
                "statusText": None if event.status is None else label(event.status, language=language),
                "segment": event.segment,
                "text": event.text,
                "link": event.link,
                "carrierMessageId": event.carrier_message_id,
                "error": event.error,
            }
            for event in found.events
        ],
    }
