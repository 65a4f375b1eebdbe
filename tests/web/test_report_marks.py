"""The dates of NPAI and STOP on a report, of this account only."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone

from carillon.models import Campaign, Npai, OptOut, User
from carillon.services import launching, npai, optouts, preparation
from tests.builders import make_account, make_campaign, make_connector, make_list
from tests.web.conftest import signed_in

AT = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)


def launched(alice: User) -> Campaign:
    make_connector(is_simulator=True)
    people = [("Zoé", "0612340001"), ("Luc", "0612340002"), ("Max", "0612340003")]
    clients = make_list(alice.account, people, header=("Prénom", "SMS"), user=alice)
    campaign = make_campaign(alice.account, actor=alice, message="Bonjour", traffic="NOTIFICATION", lists=[clients])
    return launching.launch(preparation.prepare(campaign.pk), actor=alice, now=timezone.now())


def test_the_dates_stand_with_the_numbers(alice: User) -> None:
    other = make_account()
    npai.add(alice.account, [33612340001], source="web")
    npai.add(other, [33612340003], source="web")
    optouts.add(alice.account, 33612340002, source="web")
    Npai.objects.update(created_at=AT)
    OptOut.objects.update(created_at=AT)
    campaign = launched(alice)
    client = signed_in(alice)
    for address in ("report", "report/rows"):
        page = client.get(f"/campaigns/{campaign.pk}/{address}").content.decode()
        assert page.count("NPAI depuis le 03/11/2026 10:30") == 1
        assert page.count("STOP le 03/11/2026 10:30") == 1
    message = client.get(f"/campaigns/{campaign.pk}/report").context["found"][0]
    history = client.get(f"/campaigns/{campaign.pk}/messages/{message.message_id}").content.decode()
    assert "depuis le 03/11/2026 10:30" in history
