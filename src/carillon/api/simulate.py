"""campaigns/simulate: what inject would do, person by person, and what it would cost. Nothing is stored, nothing is sent."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from pydantic import BaseModel, Field

from carillon.api.campaign_payload import CampaignPayload
from carillon.api.campaign_warnings import sentences
from carillon.api.endpoints import Call, endpoint
from carillon.api.fields import iso_date
from carillon.api.inject import EXAMPLE, create_campaign, read_order
from carillon.domain.credits import as_credits
from carillon.domain.status import label
from carillon.models import Account, Campaign
from carillon.services import counts, launching, preparation, report_rows

SHOWN = 100  # verdicts listed


class Verdict(BaseModel):
    line: int
    mobile: str
    country: str
    status: int = Field(description="1: would be sent; else the status its report would show.")
    statusText: str
    reason: str
    segments: int
    credits: float
    text: str


class Simulation(BaseModel):
    countRecipient: int
    countValid: int
    countsByStatus: dict[str, int]
    creditCount: float
    creditAvailable: float
    isAffordable: bool
    segments: int
    countMaxCreditFound: int
    startsAt: str | None = Field(description="When it would start: now, scheduleOn, or the next legal moment.")
    recipients: list[Verdict] = Field(description=f"The first {SHOWN}.")
    warnings: list[str]


@endpoint(
    "POST",
    "campaigns/simulate",
    name="simulateCampaign",
    scope="send",
    tag="Campaigns",
    payload=CampaignPayload,
    answer=Simulation,
    errors=("invalid_input", "sender_invalid", "too_many_recipients", "date_too_close", "out_of_hours"),
    example={key: value for key, value in EXAMPLE.items() if key != "startNow"},
    is_addition=True,
)
def simulate(call: Call, payload: CampaignPayload) -> dict[str, Any]:
    """Try a campaign without sending it.

    Takes what inject takes; answers the counters, the cost and a verdict for each of the first recipients. Everything is undone.
    """
    order = read_order(call, payload)
    with transaction.atomic():
        campaign = preparation.prepare(create_campaign(call, order).pk)
        starts = launching.check_date(campaign, order.at, call.now)
        answer = _answer(call, campaign) | {"startsAt": iso_date(starts)}
        transaction.set_rollback(True)
    return answer


def _answer(call: Call, campaign: Campaign) -> dict[str, Any]:
    payer = Account.objects.get(pk=campaign.payer_id)
    found = counts.by_status(campaign.pk)
    affordable = payer.available >= campaign.price or payer.credit_mode == Account.CreditMode.POSTPAID
    warnings = sentences(campaign, zone=call.zone)
    return {
        "countRecipient": campaign.recipient_count,
        "countValid": campaign.valid_count,
        "countsByStatus": {str(code): n for code, n in sorted(found.items())},
        "creditCount": as_credits(campaign.price),
        "creditAvailable": as_credits(payer.available),
        "isAffordable": affordable,
        "segments": campaign.segment_count,
        "countMaxCreditFound": campaign.max_segments,
        "recipients": _verdicts(call, campaign),
        "warnings": warnings,
    }


def _verdicts(call: Call, campaign: Campaign) -> list[dict[str, Any]]:
    shown = []
    for row in report_rows.read(campaign, with_text=True):
        shown.append(
            {
                "line": row.line,
                "mobile": str(row.msisdn or ""),
                "country": row.country,
                "status": int(row.status),
                "statusText": label(row.status, language=call.user.language),
                "reason": row.reason,
                "segments": row.segments,
                "credits": as_credits(row.price),
                "text": row.text,
            }
        )
        if len(shown) == SHOWN:
            break
    return shown
