"""Replies forwarded by e-mail to the addresses an account chose."""

from __future__ import annotations

from carillon.domain.msisdn import format_international
from carillon.models import Account, Campaign, Reply
from carillon.services import mail


def addresses(account: Account, campaign: Campaign | None) -> list[str]:
    """The account's, and the one that the person whose campaign it is chose for their own."""
    own = campaign.user.reply_email if campaign is not None and campaign.user is not None else ""
    return list(dict.fromkeys([*account.reply_emails, *([own] if own else [])]))


def forward(reply_id: int) -> None:
    reply = Reply.objects.select_related("account").filter(pk=reply_id).first()
    if reply is None or reply.account is None:
        return
    campaign = (
        Campaign.objects.select_related("user").filter(pk=reply.campaign_id).first() if reply.campaign_id else None
    )
    for address in addresses(reply.account, campaign):
        mail.send(
            address,
            template="reply",
            number=format_international(reply.msisdn),
            text=reply.text,
            received_at=reply.received_at,
            campaign=campaign.name if campaign else "",
        )
