"""The design system's page: every component in light, dark and on a phone; menus, dialogs and notices open and close."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from carillon.models import User
from tests.browser.driving import PHONE, Visitor, assert_page_is_sound, open_window
from tests.builders import make_account, make_user

expect.set_options(timeout=60_000)


@pytest.fixture
def alice(visitor: Visitor, settings: Any) -> User:
    settings.DEBUG = True
    return make_user(account=make_account(is_test=True), login="alice", role="admin", first_name="Alice")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_is_sound(visitor: Visitor, alice: User, theme: str) -> None:
    User.objects.filter(pk=alice.pk).update(theme=theme)
    visitor.sign_in(alice)
    visitor.go("/design/?toast=1")
    assert_page_is_sound(visitor)


def test_the_menus_and_the_dialog_are_sound_when_open(visitor: Visitor, alice: User) -> None:
    visitor.sign_in(alice)
    page = visitor.go("/design/")
    page.get_by_role("button", name="Mon menu").click()
    expect(page.locator("#user-menu")).to_be_visible()
    assert_page_is_sound(visitor)
    page.keyboard.press("Escape")
    expect(page.locator("#user-menu")).to_be_hidden()
    page.get_by_role("button", name="Dialogue").click()
    expect(page.get_by_role("dialog", name="Supprimer la liste ?")).to_be_visible()
    assert_page_is_sound(visitor)
    page.get_by_role("dialog").get_by_role("button", name="Annuler").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_on_a_phone_the_menu_opens_and_closes(chromium: Any, visitor: Visitor, alice: User) -> None:
    with open_window(chromium, visitor.url, **PHONE) as phone:
        phone.sign_in(alice)
        page = phone.go("/design/")
        expect(page.get_by_role("link", name="Mes campagnes")).to_be_hidden()
        page.get_by_role("button", name="Menu", exact=True).click()
        expect(page.get_by_role("link", name="Mes campagnes")).to_be_visible()
        assert_page_is_sound(phone)
        page.get_by_role("button", name="Fermer le menu").click()
        expect(page.get_by_role("link", name="Mes campagnes")).to_be_hidden()
