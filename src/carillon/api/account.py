"""Credits of the account: what is left, and where it went."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from carillon.api.endpoints import Call, NoParameters, endpoint
from carillon.api.fields import Payload, Whole, iso_date
from carillon.domain.credits import as_credits
from carillon.models import Account
from carillon.services import credits
from carillon.services.movements import of as movements_of


class Balance(BaseModel):
    credits: float = Field(description="What may still be spent.")
    balance: float = Field(description="What is owned, reservations included.")
    held: float = Field(description="Reserved by campaigns that are not finished.")
    mode: str = Field(description="limited, unlimited (spends its parent's) or postpaid.")
    customerID: str


@endpoint("GET", "credits", name="getCredits", scope="reports", tag="Account", answer=Balance, is_addition=True)
def get_credits(call: Call, _: NoParameters) -> dict[str, Any]:
    """Credits left.

    For an unlimited sub-account, those of its parent. One credit is one segment at the base rate.
    """
    payer = credits.payer_of(call.account)
    fresh = Account.objects.get(pk=payer.pk)
    return {
        "credits": as_credits(fresh.available),
        "balance": as_credits(fresh.balance),
        "held": as_credits(fresh.held),
        "mode": str(call.account.credit_mode),
        "customerID": call.account.public_id,
    }


class LedgerPayload(Payload):
    limit: Whole = Field(100, ge=1, le=500)
    before: Whole | None = Field(None, description="`nextBefore` of the page before.")
    campaignId: Whole | None = None


class Movement(BaseModel):
    id: int
    at: str | None
    kind: str = Field(description="grant, transfer, reserve, settle, refund or correction.")
    balance: float = Field(description="Change of what is owned.")
    held: float = Field(description="Change of what is reserved.")
    campaignId: int | None
    note: str


class LedgerPage(BaseModel):
    movements: list[Movement]
    nextBefore: int | None


@endpoint(
    "GET", "credits/ledger", name="listMovements", scope="reports", tag="Account", payload=LedgerPayload, answer=LedgerPage,
    is_addition=True,
)  # fmt: skip
def list_movements(call: Call, payload: LedgerPayload) -> dict[str, Any]:
    """Movements of the account's credits, newest first.

    An administrator reads them all, a user those of his own campaigns.
    """
    found = movements_of(call.user, call.account)
    if payload.before is not None:
        found = found.filter(id__lt=payload.before)
    if payload.campaignId is not None:
        found = found.filter(campaign_id=payload.campaignId)
    page = list(found[: payload.limit + 1])
    shown = page[: payload.limit]
    movements = [
        {
            "id": row.id,
            "at": iso_date(row.at),
            "kind": row.kind,
            "balance": as_credits(row.balance),
            "held": as_credits(row.held),
            "campaignId": row.campaign_id,
            "note": row.note,
        }
        for row in shown
    ]
    return {"movements": movements, "nextBefore": shown[-1].id if len(page) > payload.limit else None}
