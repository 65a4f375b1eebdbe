"""Opting out by the link in a message: whose number, from whom, and doing it. Opening the page alone changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from carillon.models import Account, Brand, Campaign, Outbox
from carillon.services import optouts


@dataclass(frozen=True, slots=True)
class Leaving:
    """`name`: who wrote, as the person knows them. `is_done`: they will not be written to any more."""

    name: str
    msisdn: int
    campaign_id: int
    account: Account
    brand: Brand | None
    is_done: bool


def of_message(message_id: int) -> Leaving | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT campaign_id, msisdn FROM message WHERE id = %s AND status = 1", [message_id])
        row = cursor.fetchone()
    if row is None or row[1] is None:
        return None
    campaign = Campaign.objects.select_related("account", "brand").get(pk=row[0])
    account, brand, msisdn = campaign.account, campaign.brand, int(row[1])
    is_done = bool(optouts.levels_of(account.pk, [msisdn], brand_id=campaign.brand_id))
    return Leaving(brand.name if brand else account.name, msisdn, campaign.pk, account, brand, is_done)


@transaction.atomic
def confirm(message_id: int) -> Leaving | None:
    found = of_message(message_id)
    if found is None or found.is_done:
        return found
    is_new = optouts.add(
        found.account, found.msisdn, brand=found.brand, source="link", description="Opt-out link",
        campaign_id=found.campaign_id,
    )  # fmt: skip
    if is_new:
        _tell(found, message_id)
    return of_message(message_id)


def _tell(found: Leaving, message_id: int) -> None:
    """The webhook event of a STOP, without a text: nothing was answered."""
    told = {
        "msisdn": f"+{found.msisdn}", "to": "", "text": "", "source": "link", "campaign_id": found.campaign_id,
        "message_id": message_id, "brand_id": found.brand.pk if found.brand else None,
    }  # fmt: skip
    Outbox.objects.create(connector_id=0, account_id=found.account.pk, event="stop", payload=told, at=timezone.now())
