"""The frame of every page: who gets in, what headers it has, whose menu it shows."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.builders import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def design(settings):
    settings.DEBUG = True


def test_a_stranger_is_sent_to_the_sign_in_page_and_back(client: Client, design) -> None:
    response = client.get("/design/?a=1")
    assert response.status_code == 302
    assert response["Location"] == "/login?next=%2Fdesign%2F%3Fa%3D1"


def test_htmx_moves_the_whole_page_to_the_sign_in_page(client: Client, design) -> None:
    response = client.get(
        "/design/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/campaigns/4/message"}
    )
    assert response.status_code == 204
    assert response["HX-Redirect"] == "/login?next=%2Fcampaigns%2F4%2Fmessage"


def test_the_menu_shows_what_the_role_may_open(client: Client, design) -> None:
    client.force_login(make_user(login="plain", role="user"))
    page = client.get("/design/").content.decode()
    assert 'href="/campaigns/"' in page and 'href="/admin/"' not in page and 'href="/ops/"' not in page
    client.force_login(make_user(login="chief", role="admin"))
    page = client.get("/design/").content.decode()
    assert 'href="/admin/"' in page and 'href="/ops/"' not in page


def test_the_headers_are_strict(client: Client, design) -> None:
    client.force_login(make_user())
    response = client.get("/design/")
    assert response["Content-Security-Policy"].startswith("default-src 'self';")
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["Cache-Control"] == "private, no-store"


def test_theme_and_language_are_kept_in_the_profile(client: Client, design) -> None:
    user = make_user()
    client.force_login(user)
    client.post("/preferences/theme", {"theme": "dark", "next": "/design/"})
    response = client.post("/preferences/language", {"language": "en", "next": "https://elsewhere.example/"})
    assert response["Location"] == "/"
    page = client.get("/design/").content.decode()
    assert '<html lang="en" data-theme="dark">' in page
    user.refresh_from_db()
    assert (user.language, user.theme) == ("en", "dark")
