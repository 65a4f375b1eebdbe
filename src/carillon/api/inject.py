"""campaigns/inject: create a campaign, prepare it, send it; or send one that was prepared (guide §2.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from carillon.api import campaign_answer, link_files, tiny_list
from carillon.api.campaign_answer import CampaignAnswer
from carillon.api.campaign_payload import CampaignPayload, InjectPayload, people_rows
from carillon.api.campaign_warnings import sentences
from carillon.api.endpoints import Call, endpoint
from carillon.api.errors import ApiError
from carillon.api.fields import read_moment
from carillon.models import Brand, Campaign, List, User
from carillon.services import campaigns, injection, inline, launching, list_rows, lists, preparation, unit_sends

INLINE_SIZE = 20_000  # recipients that are prepared while the caller waits; more, when sending at once, go to a job
EXAMPLE = {
    "listRecipient": [{"mobile": "0632545311", "extendedKeys": [{"keyName": "REF", "keyValue": "A-12"}]}],
    "msg": "Your order ${REF} is ready.",
    "typeSelect": "NOTIFICATION",
    "startNow": True,
}


@dataclass(slots=True)
class Order:
    """An inject request, checked: what to create and when to send it."""

    user: User
    brand: Brand | None
    lists: list[List]
    rows: list[dict[str, str]]
    links: list[tiny_list.TinyLink]
    at: datetime | None
    fields: dict[str, Any] = field(default_factory=dict)


@endpoint(
    "POST",
    "campaigns/inject",
    name="injectCampaign",
    scope="send",
    tag="Campaigns",
    payload=InjectPayload,
    answer=CampaignAnswer,
    errors=(
        "invalid_input", "sender_invalid", "too_many_recipients", "date_too_close", "out_of_hours", "insufficient_credit",
        "forbidden", "campaign_not_found", "list_not_found", "not_a_draft", "idempotency_in_progress", "idempotency_mismatch",
    ),
    example=EXAMPLE,
    is_idempotent=True,
)  # fmt: skip
def inject(call: Call, payload: InjectPayload) -> dict[str, Any]:
    """Create, prepare or send a campaign.

    With `startNow` true the message leaves now, or at `scheduleOn`, without further check. With false the campaign is prepared:
    the answer carries its number and counters, and `{"campaignId": …, "startNow": true}` sends it. Marketing ordered outside the
    legal hours is scheduled for the next allowed moment, with a warning. Give an `Idempotency-Key` to repeat safely.
    """
    if payload.campaignId is not None:
        return _launch_prepared(call, payload, payload.campaignId)
    order = read_order(call, payload)
    if payload.startNow and order.at is None and not order.lists and not order.links:
        sent = unit_sends.send(
            actor=call.user, user=order.user, brand=order.brand, rows=order.rows, now=call.now, **order.fields
        )
        if sent is not None:
            return _answered(call, sent.campaign, people=order.rows, by_status=sent.by_status)
    with transaction.atomic():
        campaign = create_campaign(call, order)
        if payload.startNow and sum(list_rows.totals(item)["size"] for item in order.lists) > INLINE_SIZE:
            campaign = injection.order(campaign, actor=call.user, at=order.at, now=call.now)
        else:
            if payload.startNow:
                launching.check_date(campaign, order.at, call.now)
            campaign = preparation.prepare(campaign.pk)
            if payload.startNow:
                campaign = launching.launch(campaign, actor=call.user, at=order.at, now=call.now, on_lack="mark")
    return _answered(call, campaign, people=order.rows)


def _answered(
    call: Call,
    campaign: Campaign,
    *,
    people: Sequence[Mapping[str, Any]] | None = None,
    by_status: Mapping[int, int] | None = None,
) -> dict[str, Any]:
    call.warnings += sentences(campaign, zone=call.zone)
    is_unit = people is not None and by_status is not None
    return campaign_answer.answer(
        campaign, people=people, by_status=by_status, links=[] if is_unit else None, lists=[] if is_unit else None
    )


def _launch_prepared(call: Call, payload: InjectPayload, campaign_id: int) -> dict[str, Any]:
    campaign = campaigns.get(call.user, campaign_id)
    if campaign.state not in (Campaign.State.DRAFT, Campaign.State.FAILED):
        raise ApiError(
            "not_a_draft", f"Campaign {campaign.pk} is {campaign.state}: only a draft can be sent.", param="campaignId"
        )
    if payload.startNow and call.is_test and not campaign.simulator_only:
        raise ApiError("forbidden", "A test token sends only campaigns that a test token made.", param="campaignId")
    ignored = sorted(payload.model_fields_set - {"campaignId", "sender", "startNow", "scheduleOn"})
    if ignored:
        call.warnings.append(f"{', '.join(ignored)}: not used with campaignId, the prepared campaign keeps its own.")
    with transaction.atomic():
        if payload.sender is not None:
            campaign = campaigns.update(campaign, sender=payload.sender.strip())
        if payload.scheduleOn is not None and not payload.startNow:
            campaign = campaigns.update(campaign, scheduled_at=_moment(call, payload))
        if campaign.prepared_at is None:
            campaign = preparation.prepare(campaign.pk)
        if payload.startNow:
            at = _moment(call, payload) or campaign.scheduled_at
            campaign = launching.launch(campaign, actor=call.user, at=at, now=call.now)
    return _answered(call, campaign)


def read_order(call: Call, payload: CampaignPayload) -> Order:
    """Everything about the request that can be refused before a row is written."""
    if not payload.msg or not payload.msg.strip():
        raise ApiError("invalid_input", "msg is required: it is the text to send.", param="msg")
    if not payload.listsId and not payload.listRecipient:
        raise ApiError("invalid_input", "Give listRecipient, listsId or both.", param="listRecipient")
    rows = people_rows(payload.listRecipient or [], warnings=call.warnings)
    chosen = [lists.get(call.user, list_id) for list_id in dict.fromkeys(payload.listsId or [])]
    account = call.account
    return Order(
        user=owner_of(call, payload.userOwnerID),
        brand=brand_of(call, payload.brand),
        lists=chosen,
        rows=rows,
        links=tiny_list.read(payload, account=account, now=call.now, warnings=call.warnings),
        at=_moment(call, payload),
        fields=_fields(call, payload),
    )


def _fields(call: Call, payload: CampaignPayload) -> dict[str, Any]:
    account = call.account
    emoji = payload.autoREPLACEEMOJI
    if emoji and not payload.allowUCS2:
        call.warnings.append("autoREPLACEEMOJI needs allowUCS2 and was not used.")
        emoji = False
    check = account.default_check_duplicate if payload.checkDuplicate is None else payload.checkDuplicate
    return {
        "name": (payload.campaignName or "").strip(),
        "traffic": payload.typeSelect,
        "message": payload.msg or "",
        "sender": (payload.sender or "").strip(),
        "renderer": payload.renderer or account.default_renderer,
        "defaults": payload.defaultForHeader or {},
        "allow_ucs2": payload.allowUCS2,
        "auto_replace_emoji": emoji,
        "auto_replace_gsm7": payload.autoREPLACETOGSM7,
        "check_duplicate": check,
        "billing_code": (payload.billingCode or "").strip(),
        "pace_per_hour": payload.pacePerHour or 0,
        "simulator_only": call.is_test,
    }


def _moment(call: Call, payload: CampaignPayload) -> datetime | None:
    if payload.scheduleOn is None:
        return None
    return read_moment(payload.scheduleOn, param="scheduleOn", zone=call.zone)


def owner_of(call: Call, public_id: str | None) -> User:
    """The user a campaign or list is for: oneself, or for an administrator anyone of the account (A10)."""
    if not public_id or public_id == call.user.public_id:
        return call.user
    if not call.user.is_admin:
        raise ApiError("forbidden", "Only an administrator may act for another user.", param="userOwnerID")
    found = User.objects.filter(public_id=public_id, account_id=call.account.pk).first()
    if found is None:
        raise ApiError("not_found", f"The account has no user {public_id[:40]}.", param="userOwnerID")
    return found


def brand_of(call: Call, name: str | None) -> Brand | None:
    """A brand of the account, made at its first use, with a warning: STOP answers attach to the exact name (K2)."""
    wanted = (name or "").strip()
    if not wanted:
        return None
    if not call.account.is_multi_brand:
        raise ApiError("forbidden", "The account does not send for several brands.", param="brand")
    brand, is_new = Brand.objects.get_or_create(account_id=call.account.pk, name=wanted[:80])
    if is_new:
        call.warnings.append(f"{wanted[:80]} is a new brand: always give the same name, STOP answers attach to it.")
    return brand


def create_campaign(call: Call, order: Order) -> Campaign:
    """The draft with its recipients and links. In the caller's transaction."""
    fields = dict(order.fields)
    campaign = campaigns.create(
        actor=call.user,
        account=call.account,
        user=order.user,
        brand=order.brand,
        origin="api",
        scheduled_at=order.at,
        **fields,
    )
    if order.lists:
        campaigns.set_lists(campaign, lists=order.lists)
    if order.rows:
        inline.add_recipients(campaign, order.rows, name=campaign.name)
    if order.links:
        campaigns.set_links(campaign, link_files.store(order.links, account=call.account, warnings=call.warnings))
    campaign.refresh_from_db()
    return campaign
