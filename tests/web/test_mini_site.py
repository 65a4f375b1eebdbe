"""A mini-site in the composer: strangers first, then one form and one link."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from carillon.models import Asset, Campaign, Link, User
from tests.builders import make_campaign
from tests.web.conftest import signed_in

GIVEN = {
    "title": "Ventes <privées>", "text": "Bonjour\nÀ bientôt", "background": "#ffffff", "ink": "#17202b", "button_colour": "#ffd166",
    "button_label": "Voir", "button_url": "https://shop.example/", "has_opt_out": "on",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def campaign(alice: User) -> Campaign:
    return make_campaign(alice.account, user=alice, message="Venez STOP 36184", name="Noël")


def picture() -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (60, 28), "red").save(out, "PNG")
    return SimpleUploadedFile("promo.png", out.getvalue())


def test_a_stranger_neither_sees_nor_makes_one(campaign: Campaign, charlie: User) -> None:
    client = signed_in(charlie)
    for address in ("", "/0", "/0/", "/0/preview.jpg"):
        assert client.get(f"/campaigns/{campaign.pk}/minisite{address}").status_code == 404
    assert client.post(f"/campaigns/{campaign.pk}/minisite", GIVEN).status_code == 404
    assert not Asset.objects.exists()


def test_the_form_makes_a_page_behind_a_link(campaign: Campaign, alice: User) -> None:
    client = signed_in(alice)
    assert client.post(f"/campaigns/{campaign.pk}/minisite", GIVEN | {"image": picture()}).status_code == 302
    campaign.refresh_from_db()
    link = Link.objects.get(campaign=campaign)
    assert campaign.message == "Venez ${track_1} STOP 36184"
    assert (link.kind, link.asset is not None and link.asset.kind) == ("LOCAL", "minisite")
    page = client.get(f"/campaigns/{campaign.pk}/minisite/0/")
    text = page.content.decode()
    assert "Ventes &lt;privées&gt;" in text and "color:#000000" in text  # black can be read on that yellow
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert client.get(f"/campaigns/{campaign.pk}/minisite/0/preview.jpg").headers["Content-Type"] == "image/jpeg"


def test_it_is_changed_in_place_and_keeps_its_picture(campaign: Campaign, alice: User) -> None:
    client = signed_in(alice)
    client.post(f"/campaigns/{campaign.pk}/minisite", GIVEN | {"image": picture()})
    assert "Ventes" in client.get(f"/campaigns/{campaign.pk}/minisite/0").content.decode()
    client.post(f"/campaigns/{campaign.pk}/minisite/0", GIVEN | {"title": "Soldes"})
    link = Link.objects.select_related("asset").get(campaign=campaign)
    assert link.asset is not None
    assert link.asset.settings["title"] == "Soldes" and link.asset.settings["image_id"] is not None


@pytest.mark.parametrize(
    "wrong", [{"title": ""}, {"ink": "red"}, {"button_url": "javascript:alert(1)"}, {"button_label": ""}]
)
def test_what_is_wrong_is_said_beside_the_form(campaign: Campaign, alice: User, wrong: dict[str, str]) -> None:
    assert signed_in(alice).post(f"/campaigns/{campaign.pk}/minisite", GIVEN | wrong).status_code == 422
    assert not Link.objects.exists()
