"""« Envoyer un test » : the campaign's text, personalised with one recipient's values, to a few given numbers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from carillon.domain import msisdn as numbers
from carillon.domain import senders
from carillon.domain.errors import Conflict, InvalidInput
from carillon.domain.status import Status
from carillon.models import Campaign, User
from carillon.services import composing, optouts, texts

MOST = 20
MOST_A_DAY = 100  # texts of one campaign's tests: more is a campaign, which has opt-outs, legal hours and a report
FREE_A_DAY = 50  # of one account: then a test to one's own mobile costs as another
PURPOSE = "test {}"


def read_numbers(given: Sequence[str]) -> list[int]:
    """Mobile numbers, once each. Raises InvalidInput naming the one that is none."""
    found: dict[int, None] = {}
    for text in given:
        parsed = numbers.parse(text)
        if parsed.msisdn is None or not parsed.is_mobile:
            raise InvalidInput(f"{text[:30]!r} is not a mobile number", field="phoneNumbers")
        found[parsed.msisdn] = None
    if not found:
        raise InvalidInput("Give at least one mobile number", field="phoneNumbers")
    if len(found) > MOST:
        raise InvalidInput(f"At most {MOST} numbers in one test", field="phoneNumbers")
    return list(found)


@transaction.atomic
def send(
    campaign: Campaign,
    *,
    actor: User,
    numbers: Sequence[str],
    row: int = 0,
    sender: str | None = None,
    simulator_only: bool = False,
) -> list[int]:
    """Message ids. `row` 0 uses the longest values, n the n-th recipient. `sender` is for the test only.

    Free to the mobile of the actor's profile. Raises InvalidInput when the text could not be sent to that recipient, Conflict
    without a message, for a number that opted out or after too many tests, InsufficientCredit, NotFound for a row that is not
    there.
    """
    if not campaign.message.strip():
        raise Conflict("The campaign has no message to test yet", code="message_empty")
    recipients = read_numbers(numbers)
    _check_may_receive(campaign, recipients)
    if sender is not None and sender != campaign.sender:
        account = campaign.account
        senders.check(sender, country=(account.countries or ["FR"])[0], allows_spaces=account.allows_sender_spaces)
        campaign = copy.copy(campaign)
        campaign.sender = sender
    preview = composing.preview(campaign, row)
    if preview.refusal:
        raise InvalidInput(f"This text cannot be sent: {preview.reason}", field="message", code="text_refused")
    mine = _mobile_of(actor) if _free_left(campaign) else None
    return [
        texts.send_text(
            campaign.account,
            msisdn=number,
            text=preview.text,
            sender=campaign.sender,
            purpose=PURPOSE.format(campaign.pk),
            is_free=number == mine,
            parent=campaign,
            traffic=campaign.traffic,
            is_exact=True,
            simulator_only=simulator_only or campaign.simulator_only,
            links_of=campaign,
        )
        for number in recipients
    ]


def _check_may_receive(campaign: Campaign, recipients: Sequence[int]) -> None:
    barred = optouts.levels_of(campaign.account_id, recipients, brand_id=campaign.brand_id)
    if not campaign.is_marketing and campaign.account.optout_spares_notifications:
        barred = {number: status for number, status in barred.items() if status == Status.BLACKLISTED_GLOBAL}
    if barred:
        raise Conflict(f"+{min(barred)} asked not to be written to any more", code="opted_out")
    since = timezone.now() - timedelta(days=1)
    sent = Campaign.objects.filter(parent=campaign.pk, name=PURPOSE.format(campaign.pk), created_at__gt=since).count()
    if sent + len(recipients) > MOST_A_DAY:
        raise Conflict(f"At most {MOST_A_DAY} test messages of one campaign in a day", code="too_many_tests")


def _free_left(campaign: Campaign) -> bool:
    """A profile's mobile can be changed at will: without a bound, tests would be free messages to anyone."""
    since = timezone.now() - timedelta(days=1)
    tests = Campaign.objects.filter(account=campaign.account_id, origin="system", price=0, created_at__gt=since)
    return tests.filter(name__startswith=PURPOSE.format("")).count() < FREE_A_DAY


def _mobile_of(actor: User) -> int | None:
    return numbers.parse(actor.mobile).msisdn if actor.mobile else None
