"""What came back: conversations, opt-outs, unassigned numbers, clicks, a mini-site."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from carillon.domain.visitors import Device
from carillon.models import AutoReply, Campaign, Link, Message, OptOut, Reply, User
from carillon.services import clicks, link_tracking, minisites, npai, optouts
from carillon.services.clicks import Visit
from carillon.services.minisites import MiniSite

PERSON = 33612340001


def add_replies(alice: User, *, sent: int, linked: int) -> dict[str, object]:
    account, now = alice.account, timezone.now()
    first = Message.objects.filter(campaign_id=sent).earliest("id")
    for minutes, text, kind, direction in (
        (50, "Bonjour, le magasin est-il ouvert dimanche ?", "reply", "MO"),
        (45, "Oui, de 9 h à 18 h.", "hand", "MT"),
        (40, "Merci beaucoup !", "reply", "MO"),
    ):
        Reply.objects.create(
            account=account, campaign_id=sent, message_id=first.id, msisdn=PERSON, to="38184", text=text, kind=kind,
            direction=direction, received_at=now - timedelta(minutes=minutes),
        )  # fmt: skip
    Reply.objects.create(
        account=account, msisdn=PERSON + 1, to="36184", text="STOP svp", kind="stop", received_at=now, assigned_to=alice
    )
    AutoReply.objects.create(account=account, keyword="INFO", text="Ouvert de 9 h à 18 h, du lundi au samedi.")
    optouts.add(account, PERSON + 1, source="stop", description="STOP svp", campaign_id=sent)
    npai.add(account, [PERSON + 7, PERSON + 8], source="web")
    _add_clicks(sent)
    campaign = Campaign.objects.get(pk=linked)
    site = MiniSite(
        "Ventes privées", "Deux jours seulement.", button_label="J'y vais", button_url="https://exemple.fr/"
    )
    link_tracking.attach(campaign, minisites.store(account, site))
    return {"person": PERSON, "optout": OptOut.objects.get(account_id=account.pk, msisdn=PERSON + 1).id, "minisite": 1}


def _add_clicks(sent: int) -> None:
    campaign = Campaign.objects.get(pk=sent)
    Link.objects.create(campaign=campaign, index=0, url="https://exemple.fr/fetes", domain="clic-ici.net")
    phone = Device("phone", "Samsung", "SM-S918B", "Android 14")
    start = timezone.now() + timedelta(minutes=1)
    clicks.store(
        [
            Visit(campaign.account_id, sent, 0, message_id, start + timedelta(minutes=7 * i), "click", 95, phone, "x")
            for i, message_id in enumerate(Message.objects.filter(campaign_id=sent).values_list("id", flat=True))
        ]
    )
