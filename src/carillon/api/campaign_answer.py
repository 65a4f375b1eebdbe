"""The campaign object of guide §2.1.3.1: exact keys, exact misspellings, the sample's order; dates as "Jun 16, 2021 6:29:07 PM".

What the counters mean is our reading (features X32): until something is injected, `countPosted`, `globalCounter`,
`creditAfterInjection` and `countErrorRendering` are 0, and a message with an unknown field counts as valid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from carillon.api.campaign_payload import RECIPIENT_FIELDS
from carillon.api.fields import us_date
from carillon.domain.credits import CREDIT, as_credits
from carillon.domain.status import NOT_SENT_STATUSES, Status
from carillon.models import Campaign, CampaignList, Link, List, Recipient
from carillon.services import counts

_WAITING = {Status.IN_PROGRESS, Status.SENDING, Status.DELETED}
_MEDIA = {"SMS": "SMS", "VMS": "VOCAL"}


class Inline(BaseModel):
    """A person given in listRecipient, as given."""

    model_config = ConfigDict(extra="allow")
    mobile: str
    groupID: int
    id: int


class ListInCampaign(BaseModel):
    id_: int = Field(alias="_id")
    type: str
    globalInvalidLine: int
    validNumberMOBILE: int
    validNumberEMAIL: int
    invalidNumberEMAIL: int
    invalidNumberMOBILE: int
    size: int
    maxSizeDataLine: int
    recipients: list[Inline]
    listsItems: list[dict[str, Any]]
    lineDuplicateMobile: list[str]
    countDuplicateMobile: int
    lineDuplicateEmail: list[str]
    countDuplicateEmail: int
    charsetDetected: str
    campainId: int


class CampaignAnswer(BaseModel):
    """A campaign with its counters. `status`: DRAFT, SCHEDULED, INJECTING, INPROGRESS or INJECTED."""

    userOwnerID: str
    customerID: str
    id: int
    sendToSelect: str
    typeSelect: str
    campaignName: str
    listInCampaign: ListInCampaign
    countRecipient: int
    countInvalidRecipient: int
    countInBlackListRecipient: int
    countDuplicateRecipient: int
    renderer: str
    creationDate: str
    sender: str
    status: str
    shortCode: str
    message: str
    pathToCampaign: str
    checkDuplicate: bool
    allowUCS2: bool
    autoREPLACEEMOJI: bool
    autoREPLACETOGSM7: bool
    defaultForHeader: dict[str, str]
    creditCount: float
    creditAfterInjection: float
    globalCounter: int
    countValid: int
    countPosted: int
    countDuplicate: int
    countNotAllow: int
    countNotValid: int
    countErrorRendering: int
    countMaxCrediteOver: int
    countMaxCreditFound: int
    updateDate: str
    scheduled: bool
    isInScheduler: bool
    tinyList: list[dict[str, Any]]
    countBlackList: int
    countBlackListMEDIASFLOW: int
    countBlackListCUSTOMER: int
    countBlackListBRAND: int
    billingCode: str | None = None
    brand: str | None = None
    scheduleOn: str | None = Field(
        None, description="With its offset, in the account's time; only while there is a date."
    )
    warnings: list[str] | None = Field(None, description="What was not used, added or changed.")


def path_of(campaign_id: int) -> str:
    """943 = 0x03af → "af/03/": the bytes of the number, lowest first."""
    raw = campaign_id.to_bytes(max(2, (campaign_id.bit_length() + 7) // 8), "little")
    return "".join(f"{byte:02x}/" for byte in raw)


def shown_state(campaign: Campaign) -> str:
    """The guide knows five states and no failure: there, a campaign that stays INJECTING is one that broke."""
    return str(Campaign.State.INJECTING if campaign.state == Campaign.State.FAILED else campaign.state)


def answer(
    campaign: Campaign,
    *,
    people: Sequence[Mapping[str, Any]] | None = None,
    by_status: Mapping[int, int] | None = None,
    links: Sequence[Link] | None = None,
    lists: Sequence[List] | None = None,
) -> dict[str, Any]:
    """`people`, `by_status`, `links` and `lists` spare a query each where the caller has them."""
    zone = ZoneInfo(campaign.account.time_zone)
    by_status = counts.by_status(campaign.pk) if by_status is None else by_status
    links = list(Link.objects.filter(campaign=campaign).order_by("index")) if links is None else links
    is_scheduled = campaign.state == Campaign.State.SCHEDULED
    body: dict[str, Any] = {
        "userOwnerID": campaign.user.public_id if campaign.user else "",
        "customerID": campaign.account.public_id,
        "id": campaign.pk,
        "sendToSelect": _MEDIA.get(campaign.medium, campaign.medium),
        "typeSelect": campaign.traffic,
        "campaignName": campaign.name,
        "listInCampaign": _list_in_campaign(campaign, people, lists),
        "countRecipient": campaign.recipient_count,
        "countInvalidRecipient": by_status.get(Status.MALFORMED, 0),
        "countInBlackListRecipient": _blacklisted(by_status),
        "countDuplicateRecipient": by_status.get(Status.DUPLICATE, 0),
        "renderer": campaign.renderer,
        "creationDate": us_date(campaign.created_at, zone),
        "sender": campaign.effective_sender,
        "status": shown_state(campaign),
        "shortCode": campaign.short_code,
        "message": campaign.message,
        "pathToCampaign": path_of(campaign.pk),
        "checkDuplicate": campaign.check_duplicate,
        "allowUCS2": campaign.allow_ucs2,
        "autoREPLACEEMOJI": campaign.auto_replace_emoji,
        "autoREPLACETOGSM7": campaign.auto_replace_gsm7,
        "defaultForHeader": dict(campaign.defaults),
        **_counters(campaign, by_status),
        "updateDate": us_date(campaign.updated_at, zone),
        "scheduled": is_scheduled,
        "isInScheduler": is_scheduled,
        "tinyList": [_link(link) for link in links],
        **_blacklists(campaign, by_status),
    }
    if campaign.billing_code:
        body["billingCode"] = campaign.billing_code
    if campaign.brand_id:
        body["brand"] = campaign.brand.name if campaign.brand else ""
    if campaign.scheduled_at is not None and campaign.state in (Campaign.State.SCHEDULED, Campaign.State.DRAFT):
        body["scheduleOn"] = campaign.scheduled_at.astimezone(zone).isoformat(timespec="seconds")
    return body


def _blacklisted(by_status: Mapping[int, int]) -> int:
    levels = (Status.BLACKLISTED, Status.BLACKLISTED_GLOBAL, Status.BLACKLISTED_CLIENT)
    return sum(by_status.get(level, 0) for level in levels)


def _counters(campaign: Campaign, by_status: Mapping[int, int]) -> dict[str, Any]:
    is_injected = campaign.launched_at is not None
    broken = by_status.get(Status.PERSONALISATION, 0)
    valid, price, most = campaign.valid_count, campaign.price, campaign.max_segments
    if broken and not is_injected and has_unknown_field(campaign):
        valid, price, most = valid + broken, price + broken * CREDIT, max(most, 1)  # one segment each, at the base rate
        broken = 0
    posted = sum(by_status.values()) - sum(by_status.get(code, 0) for code in (NOT_SENT_STATUSES | _WAITING))
    return {
        "creditCount": as_credits(price),
        "creditAfterInjection": as_credits(campaign.reserved) if is_injected else 0.0,
        "globalCounter": campaign.valid_count if is_injected else 0,
        "countValid": valid,
        "countPosted": max(posted, 0) if is_injected else 0,
        "countDuplicate": by_status.get(Status.DUPLICATE, 0),
        "countNotAllow": by_status.get(Status.NOT_AUTHORISED, 0),
        "countNotValid": by_status.get(Status.MALFORMED, 0),
        "countErrorRendering": broken if is_injected else 0,
        "countMaxCrediteOver": by_status.get(Status.TOO_LONG, 0),
        "countMaxCreditFound": most,
    }


def has_unknown_field(campaign: Campaign) -> bool:
    return any(warning.get("code") == "unknown_field" for warning in campaign.warnings)


def _blacklists(campaign: Campaign, by_status: Mapping[int, int]) -> dict[str, int]:
    client = by_status.get(Status.BLACKLISTED_CLIENT, 0)
    is_client = campaign.brand is None or campaign.brand.is_client
    return {
        "countBlackList": by_status.get(Status.BLACKLISTED, 0),
        "countBlackListMEDIASFLOW": by_status.get(Status.BLACKLISTED_GLOBAL, 0),
        "countBlackListCUSTOMER": client if is_client else 0,
        "countBlackListBRAND": 0 if is_client else client,
    }


def _list_in_campaign(
    campaign: Campaign, people: Sequence[Mapping[str, Any]] | None, lists: Sequence[List] | None
) -> dict[str, Any]:
    """In the guide's sample every counter here is 0, even with a recipient: the campaign's own counters say it."""
    if people is None or lists is None:
        rows = CampaignList.objects.filter(campaign=campaign, is_excluded=False).select_related("list")
        every = [row.list for row in rows]
        lists = [item for item in every if item.kind != List.Kind.INLINE] if lists is None else lists
        inline = next((item for item in every if item.kind == List.Kind.INLINE), None)
        if people is None:
            people = _stored_people(inline) if inline is not None else []
    return {
        "_id": 0,
        "type": "VIRTUAL",
        "globalInvalidLine": 0,
        "validNumberMOBILE": 0,
        "validNumberEMAIL": 0,
        "invalidNumberEMAIL": 0,
        "invalidNumberMOBILE": 0,
        "size": 0,
        "maxSizeDataLine": 0,
        "recipients": [_person(person) for person in people],
        "listsItems": [
            {
                "idlistItems": item.pk,
                "listName": item.description or item.name,
                "type": str(item.kind),
                "size": item.size,
            }
            for item in lists
        ],
        "lineDuplicateMobile": [],
        "countDuplicateMobile": 0,
        "lineDuplicateEmail": [],
        "countDuplicateEmail": 0,
        "charsetDetected": "",
        "campainId": 0,
    }


def _person(row: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: row[name] for name in RECIPIENT_FIELDS if row.get(name)}
    extended = {name: value for name, value in row.items() if name not in (*RECIPIENT_FIELDS, "mobile")}
    person = {"mobile": row.get("mobile", ""), "groupID": 0, "id": 0, **known}
    return person | ({"extendedKeys": [extended]} if extended else {})


def _stored_people(inline: List) -> list[dict[str, str]]:
    rows = Recipient.objects.filter(account_id=inline.account_id, list_id=inline.pk).order_by("id")[:50]
    names = ["mobile" if name == inline.mobile_column else name for name in inline.header]
    return [
        {name: value for name, value in zip(names, row.fields, strict=False) if value or name == "mobile"}
        for row in rows
    ]


def _link(link: Link) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "associateToDomain": link.domain,
        "host": link.domain,
        "index": link.index,
        "isOG": link.has_preview,
        "listParameter": list(link.parameters),
        "type": link.kind,
        "endOfLife": link.life_days,
    }
    if link.kind == Link.Kind.REDIRECT:
        entry["urlToRedirect"] = link.url
    elif link.asset is not None:
        entry["nameToLocalHTML"] = link.asset.entry
    if link.renderer:
        entry["renderer"] = link.renderer
    if link.title:
        entry["label"] = link.title
    if link.description:
        entry["description"] = link.description
    if link.image_name:
        entry["imageName"] = link.image_name
    return entry
