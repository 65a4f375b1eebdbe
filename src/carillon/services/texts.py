"""Single texts of the platform itself: sign-in codes, STOP confirmations, automatic answers, alerts.

They travel the same road as every message: a hidden campaign of one recipient, its slice, the gateway.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone

from carillon.domain.errors import Conflict, InvalidInput
from carillon.domain.msisdn import country_of
from carillon.domain.segments import measure, to_gsm
from carillon.domain.status import Status
from carillon.models import Account, Campaign
from carillon.services import counts, credits, ids, links, routes


@transaction.atomic
def send_text(
    account: Account,
    *,
    msisdn: int,
    text: str,
    sender: str = "",
    purpose: str = "",
    is_free: bool = False,
    may_overdraw: bool = False,
    parent: Campaign | None = None,
    traffic: str = Campaign.Traffic.NOTIFICATION,
    is_exact: bool = False,
    simulator_only: bool = False,
    links_of: Campaign | None = None,
) -> int:
    """Hand one text over; returns its message id. In the caller's transaction.

    Not charged when `is_free`. `may_overdraw`: a STOP confirmation leaves even without credit (N5). Raises InsufficientCredit
    otherwise, Conflict (no_connector) when nothing can carry it, InvalidInput when it is longer than 6 segments.
    `is_exact`: no character is replaced (a test shows the text as it will be). `simulator_only` as on a campaign.
    `links_of`: the text was composed for message 0 of this campaign; its short links become this message's.
    """
    text, country = text if is_exact else to_gsm(text), country_of(msisdn)
    simulator_only = simulator_only or account.is_test
    segments = measure(text).segments
    if segments > 6:
        raise InvalidInput("This text is longer than 6 SMS", field="text")
    router = routes.Router.load(account, simulator_only=simulator_only)
    connector_id = router.choose(country=country, msisdn=msisdn, traffic=traffic)
    if connector_id is None:
        raise Conflict("No connector can carry this text: add one, or a route to it", code="no_connector")
    price = 0 if is_free else segments * routes.tariff_of(account).get(country, 100)
    message_id = ids.take_block("message", 1)
    if links_of is not None:
        text = links.of_message(text, links_of, message_id)
    campaign = _hidden_campaign(account, text, sender, purpose, message_id, segments, price, parent, simulator_only)
    if may_overdraw:
        credits.write(campaign.payer_id, "reserve", held=price, campaign_id=campaign.pk, note=purpose)
    elif price:
        credits.reserve(campaign, price)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO message (id, connector_id, account_id, campaign_id, recipient_id, msisdn, country, status, segments,"
            " price, text) VALUES (%s, %s, %s, %s, 0, %s, %s, 1, %s, %s, %s)",
            [message_id, connector_id, account.pk, campaign.pk, msisdn, country, segments, price, text],
        )
        cursor.execute(
            "INSERT INTO slice (id, connector_id, account_id, campaign_id, first_id, last_id, cursor_id, n, priority)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, 1, 0)",
            [ids.take_block("slice", 1), connector_id, account.pk, campaign.pk, message_id, message_id, message_id - 1],
        )
    counts.add(campaign.pk, {Status.IN_PROGRESS: 1})
    return message_id


def _hidden_campaign(
    account: Account, text: str, sender: str, purpose: str, message_id: int, segments: int, price: int,
    parent: Campaign | None, simulator_only: bool,
) -> Campaign:  # fmt: skip
    now = timezone.now()
    return Campaign.objects.create(
        account=account,
        payer=credits.payer_of(account),
        name=purpose or "text",
        traffic=Campaign.Traffic.NOTIFICATION,
        origin="system",
        is_unit=True,
        parent=parent,
        simulator_only=simulator_only,
        message=text,
        sender=sender,
        state=Campaign.State.INPROGRESS,
        is_sending=True,
        scheduled_at=now,
        launched_at=now,
        prepared_at=now,
        first_message_id=message_id,
        last_message_id=message_id,
        recipient_count=1,
        valid_count=1,
        segment_count=segments,
        max_segments=segments,
        price=price,
        reserved=price,
    )
