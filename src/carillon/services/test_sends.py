"""« Envoyer un test » : the campaign's text, personalised with one recipient's values, to a few given numbers."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from django.db import transaction

from carillon.domain import msisdn as numbers
from carillon.domain import senders
from carillon.domain.errors import Conflict, InvalidInput
from carillon.models import Campaign, User
from carillon.services import composing, texts

MOST = 20


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
    without a message, InsufficientCredit, NotFound for a row that is not there.
    """
    if not campaign.message.strip():
        raise Conflict("The campaign has no message to test yet", code="message_empty")
    recipients = read_numbers(numbers)
    if sender is not None and sender != campaign.sender:
        account = campaign.account
        senders.check(sender, country=(account.countries or ["FR"])[0], allows_spaces=account.allows_sender_spaces)
        campaign = copy.copy(campaign)
        campaign.sender = sender
    preview = composing.preview(campaign, row)
    if preview.refusal:
        raise InvalidInput(f"This text cannot be sent: {preview.reason}", field="message", code="text_refused")
    mine = _mobile_of(actor)
    return [
        texts.send_text(
            campaign.account,
            msisdn=number,
            text=preview.text,
            sender=campaign.sender,
            purpose=f"test {campaign.pk}",
            is_free=number == mine,
            parent=campaign,
            traffic=campaign.traffic,
            is_exact=True,
            simulator_only=simulator_only or campaign.simulator_only,
            links_of=campaign,
        )
        for number in recipients
    ]


def _mobile_of(actor: User) -> int | None:
    return numbers.parse(actor.mobile).msisdn if actor.mobile else None
