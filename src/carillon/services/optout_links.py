"""Opting out by the link in a message: whose number, from whom, and doing it. Opening the page alone changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from carillon.models import Account, Brand, Campaign
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


def confirm(message_id: int) -> Leaving | None:
    found = of_message(message_id)
    if found is not None and not found.is_done:
        optouts.add(
            found.account, found.msisdn, brand=found.brand, source="link", description="Opt-out link",
            campaign_id=found.campaign_id,
        )  # fmt: skip
        return of_message(message_id)
    return found
