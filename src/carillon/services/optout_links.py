"""Opting out by the link in a message: whose number, from whom, and doing it. Opening the page alone changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from carillon.models import Account, Brand, Campaign, Outbox, Reply
from carillon.services import optouts, replies


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
    if found is None:
        return None
    replies.one_at_a_time(found.msisdn)  # a STOP by text may be in hand
    is_new = not found.is_done and optouts.add(
        found.account, found.msisdn, brand=found.brand, source="link", description="Opt-out link",
        campaign_id=found.campaign_id,
    )  # fmt: skip
    if is_new:
        _note(found, message_id)
    return of_message(message_id)


def _note(found: Leaving, message_id: int) -> None:
    """The same as a STOP that was answered, without a text: status 17 in the report, counters and webhooks."""
    now = timezone.now()
    stop = Reply(
        account=found.account, campaign_id=found.campaign_id, message_id=message_id, brand=found.brand, msisdn=found.msisdn,
        to="", text="", kind="stop", direction="LK", received_at=now, read_at=now, handled_at=now,
    )  # fmt: skip
    stop.is_counted = replies.count_stop(stop)
    stop.save()
    told = {"reply_id": stop.pk}
    Outbox.objects.create(connector_id=0, account_id=found.account.pk, event="stop", payload=told, at=now)
