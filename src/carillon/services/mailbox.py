"""What a demonstration's mailbox shows: e-mails kept as files, and sign-in codes sent by SMS to test accounts."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

from django.utils import timezone

from carillon.models import Campaign, Message
from carillon.services.campaigns import SIGN_IN_CODE

MOST = 30
_END = b"-" * 79  # what Django's file backend writes after each e-mail


@dataclass(frozen=True, slots=True)
class Letter:
    at: datetime
    to: str
    subject: str
    body: str
    is_sms: bool = False


def letters(folder: Path) -> list[Letter]:
    """The newest e-mails and codes, newest first."""
    found = [letter for path in _newest(folder) for letter in _read(path)] + _codes()
    return sorted(found, key=lambda letter: letter.at, reverse=True)[:MOST]


def _newest(folder: Path) -> list[Path]:
    """Names begin with the date and time, so their order is the e-mails'."""
    return sorted(folder.glob("*.log"), reverse=True)[:MOST] if folder.is_dir() else []


def _read(path: Path) -> list[Letter]:
    at = datetime.fromtimestamp(path.stat().st_mtime, tz=timezone.get_current_timezone())
    found = []
    for raw in path.read_bytes().split(_END):
        if not raw.strip():
            continue
        message = email.message_from_bytes(raw.strip(), _class=EmailMessage, policy=email.policy.default)
        body = message.get_body(("plain",))
        found.append(
            Letter(
                at=at,
                to=str(message["To"] or ""),
                subject=str(message["Subject"] or ""),
                body=str(body.get_content()).strip() if body is not None else "",
            )
        )
    return found


def _codes() -> list[Letter]:
    campaigns = Campaign.objects.filter(origin="system", name=SIGN_IN_CODE, account__is_test=True).order_by("-id")[
        :MOST
    ]
    texts = {m.campaign_id: m for m in Message.objects.filter(campaign_id__in=[c.pk for c in campaigns])}
    return [
        Letter(
            at=campaign.created_at,
            to=f"+{texts[campaign.pk].msisdn}",
            subject="SMS",
            body=campaign.message,
            is_sms=True,
        )
        for campaign in campaigns
        if campaign.pk in texts
    ]
