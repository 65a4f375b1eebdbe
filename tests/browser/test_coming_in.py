"""Coming in, with a real browser: password and code, passkey, shortcuts, theme, what works without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail as django_mail
from playwright.sync_api import expect

from carillon.models import User
from carillon.services import mail
from tests.browser.driving import PHONE, Visitor, assert_page_is_sound, open_window
from tests.builders import PASSWORD, make_account, make_user

expect.set_options(timeout=60_000)
CHORD = "for (const key of 'gl') document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))"


@pytest.fixture
def alice(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> User:
    """She is there, and her e-mails leave at once."""
    monkeypatch.setattr(mail, "defer", lambda _name, sealed: mail.deliver(sealed))
    return make_user(
        account=make_account(is_test=True), login="alice", role="admin", first_name="Alice", last_name="Martin",
        email="alice@maison.test",
    )  # fmt: skip


def give_password(visitor: Visitor, path: str = "/login") -> None:
    page = visitor.go(path)
    page.get_by_label("Identifiant").fill("alice")
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Entrer", exact=True).click()
    expect(page.get_by_role("heading", name="Authentification à double facteur")).to_be_visible()


def give_code(visitor: Visitor) -> None:
    found = re.search(r"\b\d{6}\b", str(django_mail.outbox[-1].body))
    assert found
    visitor.page.get_by_label("Saisissez votre code").fill(found[0])
    visitor.page.get_by_role("button", name="Entrer", exact=True).click()


def test_password_then_code_then_the_page_one_came_for(visitor: Visitor, alice: User) -> None:
    visitor.go("/account/credits")
    expect(visitor.page).to_have_url(re.compile("/login"))
    give_password(visitor, visitor.page.url.removeprefix(visitor.url))
    assert_page_is_sound(visitor)
    give_code(visitor)
    expect(visitor.page).to_have_url(f"{visitor.url}/account/credits")
    assert visitor.problems == []


def test_everything_up_to_the_dashboard_works_without_scripts(chromium: Any, visitor: Visitor, alice: User) -> None:
    with open_window(chromium, visitor.url, java_script_enabled=False) as plain:
        give_password(plain)
        give_code(plain)
        expect(plain.page.get_by_role("link", name="Mes campagnes").first).to_be_visible()
        plain.page.get_by_role("button", name="Mon menu").click()
        plain.page.get_by_role("button", name="Sombre").click()
        expect(plain.page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.fixture
def authenticator(visitor: Visitor) -> Iterator[None]:
    """A device that has a lock and says yes."""
    devtools = visitor.context.new_cdp_session(visitor.page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield
    devtools.detach()


def test_a_passkey_is_added_and_opens_the_door(
    visitor: Visitor, alice: User, authenticator: None, settings: Any
) -> None:
    settings.PUBLIC_URL = visitor.url
    visitor.sign_in(alice)
    page = visitor.go("/account/authentication")
    page.get_by_role("button", name="Ajouter une clé d'accès").click()
    page.get_by_label("Mot de passe actuel").fill(PASSWORD)
    page.get_by_role("button", name="Continuer").click()
    page.get_by_label("Nom de cet appareil").fill("Portable d'Alice")
    page.get_by_role("button", name="Ajouter une clé d'accès").click()
    expect(page.get_by_role("rowheader", name="Portable d'Alice")).to_be_visible()
    page.get_by_role("button", name="Mon menu").click()
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("heading", name="Bienvenue")).to_be_visible()
    page.get_by_role("button", name="Entrer avec une clé d'accès").click()
    expect(page.get_by_role("button", name="Mon menu")).to_be_visible()
    assert visitor.problems == []


def test_shortcuts_go_help_and_stay_out_of_fields(visitor: Visitor, alice: User) -> None:
    visitor.sign_in(alice)
    page = visitor.go("/admin/users")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("gc?n")
    expect(page.locator("#q")).to_have_value("gc?n")
    page.keyboard.press("Escape")
    expect(page.locator("#q")).to_have_value("")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Raccourcis clavier")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Raccourcis clavier")).to_be_hidden()
    page.evaluate(CHORD)  # both keys at once: the chord has a time limit, and this machine may be slow
    expect(page).to_have_url(f"{visitor.url}/lists/")


def test_shortcuts_can_be_turned_off(visitor: Visitor, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(has_shortcuts=False)
    visitor.sign_in(alice)
    page = visitor.go("/account/")
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_have_count(0)


def test_a_notice_can_be_closed(visitor: Visitor, alice: User) -> None:
    visitor.sign_in(alice)
    page = visitor.go("/account/")
    page.get_by_role("button", name="Sauvegarder").click()
    expect(page.get_by_role("status").get_by_text("C'est enregistré.")).to_be_visible()
    page.get_by_role("status").get_by_role("button", name="Fermer").click()
    expect(page.get_by_text("C'est enregistré.")).to_have_count(0)


def test_what_is_shown_once_is_sound_on_a_phone(chromium: Any, visitor: Visitor, alice: User) -> None:
    with open_window(chromium, visitor.url, color_scheme="dark", **PHONE) as phone:
        phone.sign_in(alice)
        page = phone.go("/account/authentication")
        page.get_by_role("button", name="Créer mes codes de secours").click()
        page.get_by_label("Mot de passe actuel").fill(PASSWORD)
        assert_page_is_sound(phone)
        page.get_by_role("button", name="Continuer").click()
        expect(page.get_by_text("Ils ne seront plus montrés")).to_be_visible()
        assert_page_is_sound(phone)
        page = phone.go("/developer/tokens/new")
        page.get_by_label("Nom du jeton").fill("Site web")
        page.get_by_role("button", name="Créer le jeton").click()
        expect(page.get_by_text("Copiez ce jeton maintenant")).to_be_visible()
        assert_page_is_sound(phone)
