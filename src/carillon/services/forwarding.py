"""Replies forwarded by e-mail to the addresses an account chose."""

from __future__ import annotations

from carillon.domain.msisdn import format_international
from carillon.models import Campaign, Reply
from carillon.services import mail


def forward(reply_id: int) -> None:
    reply = Reply.objects.select_related("account").filter(pk=reply_id).first()
    if reply is None or reply.account is None:
        return
    campaign = Campaign.objects.filter(pk=reply.campaign_id).first() if reply.campaign_id else None
    for address in reply.account.reply_emails:
        mail.send(
            address,
            template="reply",
            number=format_international(reply.msisdn),
            text=reply.text,
            received_at=reply.received_at,
            campaign=campaign.name if campaign else "",
        )
