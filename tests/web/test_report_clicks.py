"""The clicks in a report: a stranger sees none; people, devices and links are shown apart from robots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from carillon.domain.visitors import Device
from carillon.models import Campaign, Link, Message, User
from carillon.services import clicks, launching, preparation
from carillon.services.clicks import Visit
from tests.builders import make_campaign, make_connector, make_list
from tests.web.conftest import signed_in

NOW = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
PHONE = Device("phone", "Apple", "iPhone", "iOS 17.4")


@pytest.fixture
def campaign(alice: User) -> Campaign:
    make_connector(is_simulator=True)
    made = make_campaign(alice.account, user=alice, lists=[make_list(alice.account, ["0612345678", "0612345679"])])
    Link.objects.create(campaign=made, index=0, url="https://shop.example/soldes", domain="clic-ici.net")
    return launching.launch(preparation.prepare(made.pk), actor=None, now=NOW)


def visit(campaign: Campaign, which: int, minutes: int, kind: str = "click", device: Device = PHONE) -> Visit:
    message = Message.objects.filter(campaign_id=campaign.pk).order_by("id")[which]
    at = NOW + timedelta(minutes=minutes)
    return Visit(campaign.account_id, campaign.pk, 0, message.id, at, kind, 95, device, "x")


def test_a_stranger_sees_no_clicks(campaign: Campaign, charlie: User) -> None:
    assert signed_in(charlie).get(f"/campaigns/{campaign.pk}/report/clicks").status_code == 404


def test_nobody_has_clicked_yet(campaign: Campaign, alice: User) -> None:
    client = signed_in(alice)
    assert f"/campaigns/{campaign.pk}/report/clicks" in client.get(f"/campaigns/{campaign.pk}/report").content.decode()
    assert "encore cliqué" in client.get(f"/campaigns/{campaign.pk}/report/clicks").content.decode()


def test_people_devices_and_links(campaign: Campaign, alice: User) -> None:
    laptop = Device("computer", "", "", "Windows 10+")
    clicks.store(
        [
            visit(campaign, 0, 5),
            visit(campaign, 0, 6),
            visit(campaign, 1, 90, device=laptop),
            visit(campaign, 1, 1, "scan"),
        ]
    )
    shown = signed_in(alice).get(f"/campaigns/{campaign.pk}/report/clicks").content.decode()
    assert "<strong>2</strong> personnes ont cliqué (3 clics)" in shown and "4 visites en tout" in shown
    assert "Téléphone" in shown and "Windows 10+" in shown and "https://shop.example/soldes" in shown
    assert shown.count("<polyline") == 1 and "," in shown.partition('points="')[2].partition('"')[0]
