"""A page of one's own in the composer: a ZIP goes in, a short link stands in the text, the page can be looked at."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from carillon.models import Asset, Campaign, Link, User
from tests.builders import make_campaign
from tests.web.conftest import signed_in

PAGE = b"<h1>Soldes</h1><link rel=stylesheet href=style.css><script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def campaign(alice: User) -> Campaign:
    return make_campaign(alice.account, user=alice, message="Venez STOP 36184", name="Soldes")


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def upload(client: Client, campaign: Campaign, raw: bytes) -> Any:
    form = {"message": campaign.message, "version": campaign.version, "stay": "1"}
    return client.post(f"/campaigns/{campaign.pk}/message", form | {"page": SimpleUploadedFile("soldes.zip", raw)})


def test_a_page_becomes_a_short_link_and_can_be_looked_at(alice: User, charlie: User, campaign: Campaign) -> None:
    client = signed_in(alice)
    raw = zipped({"soldes/accueil.html": PAGE, "soldes/style.css": b"h1{}", "soldes/app.js": b"alert(1)"})
    assert upload(client, campaign, raw).status_code == 302
    campaign.refresh_from_db()
    assert campaign.message == "Venez ${track_1} STOP 36184"
    assert f"/campaigns/{campaign.pk}/pages/0/" in client.get(f"/campaigns/{campaign.pk}/message").content.decode()
    page = client.get(f"/campaigns/{campaign.pk}/pages/0/", follow=True)
    assert page.request["PATH_INFO"].endswith("/pages/0/soldes/accueil.html")
    assert page.content == PAGE
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert (
        client.get(f"/campaigns/{campaign.pk}/pages/0/soldes/style.css").headers["Content-Type"].startswith("text/css")
    )
    for missing in ("soldes/app.js", "../../secret", "%2e%2e/%2e%2e/secret"):
        assert client.get(f"/campaigns/{campaign.pk}/pages/0/{missing}").status_code == 404
    assert client.get(f"/campaigns/{campaign.pk}/pages/1/").status_code == 404
    assert signed_in(charlie).get(f"/campaigns/{campaign.pk}/pages/0/").status_code == 404


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"no zip", "Ce fichier ZIP est illisible"),
        (zipped({"a.html": PAGE, "b.html": PAGE}), "ne contient pas de page « index.html »"),
        (zipped({"index.html": PAGE, "run.exe": b""}), "« run.exe » n&#x27;est pas d&#x27;un type hébergé"),
        (zipped({"index.html": PAGE, "../out.css": b""}), "« ../out.css » sort du dossier"),
        (zipped({f"{i}.html": b"" for i in range(201)}), "200 au plus"),
    ],
)
def test_what_is_refused_names_the_file_and_the_rule(
    alice: User, campaign: Campaign, raw: bytes, sentence: str
) -> None:
    answer = upload(signed_in(alice), campaign, raw)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "soldes.zip : " in text and sentence in text
    assert not Asset.objects.exists() and not Link.objects.exists()
    campaign.refresh_from_db()
    assert campaign.message == "Venez STOP 36184"
