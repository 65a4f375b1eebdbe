"""Campaigns after inject: change the sender, test, cancel, read, list (guide §2.2, §2.3, §2.8, and ours)."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from pydantic import BaseModel, Field

from carillon.api import campaign_answer
from carillon.api.campaign_answer import CampaignAnswer
from carillon.api.campaign_payload import Traffic
from carillon.api.campaign_warnings import sentences
from carillon.api.endpoints import Call, NoParameters, endpoint
from carillon.api.errors import ApiError
from carillon.api.fields import Payload, Text, Whole, Words, iso_date, read_moment
from carillon.domain.credits import as_credits
from carillon.models import Campaign
from carillon.services import campaigns, composing, counts, launching, preparation, test_sends

MOST_NUMBERS = 20  # of one test


class SenderPayload(Payload):
    campaignId: Text | None = Field(None, description="Ignored: the number stands in the address.")
    sender: Text = Field("", max_length=40, description="Missing: back to the short code.")


@endpoint(
    "PUT POST",
    "campaigns/{campaign_id}/sender",
    name="setSender",
    scope="send",
    tag="Campaigns",
    payload=SenderPayload,
    answer=CampaignAnswer,
    errors=("not_found", "not_a_draft", "sender_invalid"),
    example={"sender": "SENDER2"},
)
def set_sender(call: Call, payload: SenderPayload) -> dict[str, Any]:
    """Change the sender of a draft.

    Only while the campaign is DRAFT. The campaign is prepared again, because a personalised sender adds the STOP mention.
    """
    campaign = campaigns.get(call.user, call.number())
    was_prepared = campaign.prepared_at is not None
    with transaction.atomic():
        campaign = campaigns.update(campaign, sender=payload.sender.strip())
        composing.check_sender(campaign)
        if was_prepared and campaign.prepared_at is None:
            campaign = preparation.prepare(campaign.pk)
    call.warnings += sentences(campaign, zone=call.zone)
    return campaign_answer.answer(campaign)


class TestPayload(Payload):
    __test__ = False  # not a test class
    campaignId: Text | None = Field(None, description="Ignored: the number stands in the address.")
    phoneNumbers: Words = Field(
        description="One or more mobile numbers separated by , or ;", examples=["33685812475; 33685812476"]
    )
    sender: Text | None = Field(None, max_length=40, description="For this test only; the campaign keeps its own.")
    row: Whole = Field(
        0, ge=0, description="Recipient whose values are used: 0 the longest values, else a line (our addition)."
    )


@endpoint(
    "PUT POST",
    "campaigns/{campaign_id}/test",
    name="testCampaign",
    scope="send",
    tag="Campaigns",
    payload=TestPayload,
    answer=CampaignAnswer,
    errors=("not_found", "invalid_input", "sender_invalid", "insufficient_credit"),
    example={"phoneNumbers": "33685812475; 33685812476"},
    is_idempotent=True,
)
def test(call: Call, payload: TestPayload) -> dict[str, Any]:
    """Send a test of a campaign.

    The message, personalised with one recipient's values, goes to the given numbers. A test to the mobile of the user's profile
    is free.
    """
    campaign = campaigns.get(call.user, call.number())
    if len(payload.phoneNumbers) > MOST_NUMBERS:
        raise ApiError("invalid_input", f"At most {MOST_NUMBERS} numbers in one test.", param="phoneNumbers")
    test_sends.send(
        campaign,
        actor=call.user,
        numbers=payload.phoneNumbers,
        row=payload.row,
        sender=None if payload.sender is None else payload.sender.strip(),
        simulator_only=call.is_test,
    )
    return campaign_answer.answer(campaign)


test.__test__ = False  # type: ignore[attr-defined]


@endpoint(
    "PUT POST DELETE",
    "campaigns/{campaign_id}/cancel",
    name="cancelCampaign",
    scope="send",
    tag="Campaigns",
    answer=CampaignAnswer,
    errors=("not_found", "not_scheduled", "too_late"),
)
def cancel(call: Call, _: NoParameters) -> dict[str, Any]:
    """Cancel a scheduled campaign.

    Up to 10 seconds before its time; it becomes DRAFT again and its credits are released.
    """
    campaign = campaigns.get(call.user, call.number())
    campaign = launching.cancel_schedule(campaign, actor=call.user, now=call.now)
    return campaign_answer.answer(campaign)


@endpoint(
    "GET",
    "campaigns/{campaign_id}",
    name="getCampaign",
    scope="reports",
    tag="Campaigns",
    answer=CampaignAnswer,
    errors=("not_found",),
    is_addition=True,
)
def get(call: Call, _: NoParameters) -> dict[str, Any]:
    """Read a campaign: the same object as inject answers, with its counters as they stand."""
    campaign = campaigns.get(call.user, call.number())
    call.warnings += sentences(campaign, zone=call.zone)
    return campaign_answer.answer(campaign)


class ListPayload(Payload):
    limit: Whole = Field(50, ge=1, le=200)
    cursor: Text | None = Field(None, max_length=100, description="`nextCursor` of the page before.")
    status: Words | None = Field(None, description="DRAFT, SCHEDULED, INJECTING, INPROGRESS, INJECTED.")
    typeSelect: Traffic | None = None
    search: Text | None = Field(None, max_length=200, description="Part of the name, or a campaign's number.")
    userID: Text | None = Field(None, max_length=40, description="Campaigns of this user.")
    since: Text | None = Field(None, max_length=40, description="Created at or after this moment (ISO 8601).")
    until: Text | None = Field(None, max_length=40, description="Created before this moment (ISO 8601).")


class CampaignLine(BaseModel):
    id: int
    campaignName: str
    status: str
    typeSelect: str
    sender: str
    userOwnerID: str
    createdAt: str | None
    scheduledAt: str | None
    startedAt: str | None
    finishedAt: str | None
    recipients: int
    valid: int
    credits: float
    countsByStatus: dict[str, int]


class CampaignPage(BaseModel):
    campaigns: list[CampaignLine]
    nextCursor: str | None = Field(description="null on the last page.")


@endpoint(
    "GET",
    "campaigns",
    name="listCampaigns",
    scope="reports",
    tag="Campaigns",
    payload=ListPayload,
    answer=CampaignPage,
    errors=("invalid_input",),
    is_addition=True,
)
def list_campaigns(call: Call, payload: ListPayload) -> dict[str, Any]:
    """List campaigns, newest first, page by page.

    Follow `nextCursor`: campaigns made meanwhile do not shift the pages.
    """
    found = campaigns.visible(call.user).exclude(origin__in=campaigns.HIDDEN_ORIGINS).filter(_wanted(call, payload))
    if payload.cursor:
        at, pk = _read_cursor(payload.cursor)
        found = found.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=pk))
    page = list(found.order_by("-created_at", "-pk")[: payload.limit + 1])
    shown = page[: payload.limit]
    by_campaign = counts.by_campaign([campaign.pk for campaign in shown])
    last = shown[-1] if len(page) > payload.limit else None
    return {
        "campaigns": [_line(campaign, by_campaign[campaign.pk]) for campaign in shown],
        "nextCursor": _cursor(last.created_at, last.pk) if last is not None else None,
    }


def _wanted(call: Call, payload: ListPayload) -> Q:
    wanted = Q()
    if payload.status:
        states = [word.upper() for word in payload.status]
        unknown = [state for state in states if state not in Campaign.State.values]
        if unknown:
            raise ApiError(
                "invalid_input", f"status: {unknown[0][:20]!r} is not a state of a campaign.", param="status"
            )
        wanted &= Q(state__in=[*states, *(["FAILED"] if "INJECTING" in states else [])])  # as shown_state
    if payload.typeSelect:
        wanted &= Q(traffic=payload.typeSelect)
    if payload.search:
        named = Q(name__icontains=payload.search)
        text = payload.search.strip()
        wanted &= named | Q(pk=int(text)) if text.isascii() and text.isdigit() and len(text) < 19 else named
    if payload.userID:
        wanted &= Q(user__public_id=payload.userID)
    if payload.since:
        wanted &= Q(created_at__gte=read_moment(payload.since, param="since", zone=call.zone))
    if payload.until:
        wanted &= Q(created_at__lt=read_moment(payload.until, param="until", zone=call.zone))
    return wanted


def _cursor(at: datetime, pk: int) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()} {pk}".encode()).decode()


def _read_cursor(text: str) -> tuple[datetime, int]:
    try:
        at, _, pk = base64.b64decode(text, altchars=b"-_", validate=True).decode().partition(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not (pk.isascii() and pk.isdigit() and len(pk) < 19):
            raise ValueError("not one of ours")
        return moment, int(pk)
    except (ValueError, binascii.Error):
        raise ApiError(
            "invalid_input", "cursor: give the nextCursor of the page before, unchanged.", param="cursor"
        ) from None


def _line(campaign: Campaign, by_status: dict[int, int]) -> dict[str, Any]:
    return {
        "id": campaign.pk,
        "campaignName": campaign.name,
        "status": campaign_answer.shown_state(campaign),
        "typeSelect": campaign.traffic,
        "sender": campaign.effective_sender,
        "userOwnerID": campaign.user.public_id if campaign.user else "",
        "createdAt": iso_date(campaign.created_at),
        "scheduledAt": iso_date(campaign.scheduled_at),
        "startedAt": iso_date(campaign.launched_at),
        "finishedAt": iso_date(campaign.finished_at),
        "recipients": campaign.recipient_count,
        "valid": campaign.valid_count,
        "credits": as_credits(campaign.price),
        "countsByStatus": {str(code): n for code, n in sorted(by_status.items())},
    }
