"""Campaigns and lists to look at: a draft at each tab, one that is scheduled, one that was sent."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from carillon.models import Account, User
from carillon.services import launching, link_tracking, message_templates, preparation
from tests.builders import make_campaign, make_connector, make_list, make_outcomes

HEADER = ("Civilité", "Prénom", "Prix", "SMS")
ROWS = (
    ("Mme", "Jacqueline", "12 €", "0612340001"),
    ("", "Michel", "9 €", "0612340002"),
    ("M.", "Zoé", "", "0612340003"),
    ("M.", "François", "8 €", "0123456789"),
    ("Mme", "Anne-Sophie", "7 €", "0612340001"),
    ("M.", "Karim", "15 €", "0612340005"),
)
TEXT = "Bonjour ${Prénom}, jusqu'à ${Prix} offerts à la fête de Noël ! STOP 36184"


def add_campaigns(account: Account, alice: User) -> dict[str, object]:
    make_connector(name="simulator", kind="simulator", is_simulator=True)
    clients = make_list(
        account, ROWS, header=HEADER, name="Clients 2026", user=alice, charset="WINDOWS-1252", delimiter=";"
    )
    make_list(account, [], header=("Nom", "Numéro"), name="Prospects", user=alice, state="failed", error="unreadable")
    draft = make_campaign(account, actor=alice, name="Soldes de décembre", message=TEXT, lists=[clients])
    linked = make_campaign(
        account,
        actor=alice,
        name="Vente privée",
        message="Rdv sur https://exemple.fr/vente et www.exemple.fr STOP 36184",
        lists=[clients],
    )
    link_tracking.track(linked, "https://exemple.fr/vente")
    message_templates.save(actor=alice, name="Anniversaire", message="Bon anniversaire ${Prénom} !\nSTOP 36184")
    now = timezone.now()
    later = make_campaign(account, actor=alice, name="Rappel de rendez-vous", traffic="NOTIFICATION", lists=[clients])
    launching.launch(preparation.prepare(later.pk), actor=alice, at=now + timedelta(days=3), now=now)
    sent = make_campaign(
        account, actor=alice, name="Fêtes d'automne", message=TEXT, traffic="NOTIFICATION", lists=[clients]
    )
    sent = launching.launch(preparation.prepare(sent.pk), actor=alice, now=now)
    make_outcomes(sent, 21, 30, 24)
    return {"draft": draft.pk, "linked": linked.pk, "scheduled": later.pk, "sent": sent.pk, "clients": clients.pk}
