"""A marketer's whole way, in French, on a desktop and on a phone: sign in, import, write, test, send, watch, answer.

Nothing is played: the worker imports and prepares, the gateway sends over SMPP, the simulator's phones receive and answer.
Each step waits for a fact on the page, however long a loaded machine takes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from carillon.models import Account, User
from carillon.services import connectors
from carillon.web import simulator
from tests.browser.behind import HOST, Behind
from tests.browser.driving import DESKTOP, PATIENCE_MS, PHONE, Visitor, arrive, assert_page_is_sound, open_window
from tests.browser.server import Server
from tests.builders import PASSWORD, make_account, make_user

CLIENTS = Path(__file__).resolve().parents[2] / "examples" / "clients.csv"
LONG_MS = 180_000  # the processes behind start, import, prepare and send meanwhile
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def marketer(committed_db: str) -> User:
    account: Account = make_account(
        name="La Maison des Cadeaux", balance=160_00, is_test=True, ignores_legal_hours=True, max_segments=2,
        requires_second_factor=False,
    )  # fmt: skip
    return make_user(
        account=account, login="marie", role="admin", first_name="Marie", last_name="Durand", mobile="+33611223344"
    )


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_campaign_from_sign_in_to_the_answer(
    chromium: Any, committed_db: str, marketer: User, window: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Behind() as behind, Server() as server, open_window(chromium, server.url, **window) as visitor:
        options = {"host": HOST, "port": behind.simulator.port, "system_id": "carillon"}
        connectors.add(name="simulator", kind="simulator", options=options, secret="carillon")
        monkeypatch.setattr(simulator, "_control", lambda account: (HOST, behind.simulator.control_port))
        behind.start("worker")
        behind.start("gateway")
        page = visitor.page
        _sign_in(visitor)
        _describe(page)
        _import(page)
        _write(page, visitor)
        _test(page)
        _send(page)
        _watch(page, visitor)
        _answer(page, visitor)


def _sign_in(visitor: Visitor) -> None:
    page = visitor.go("/")
    page.get_by_label("Identifiant").fill("marie")
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Entrer", exact=True).click()
    expect(page.get_by_role("heading", name="Bonjour Marie")).to_be_visible(timeout=LONG_MS)


def _describe(page: Page) -> None:
    page.locator("main").get_by_role("link", name="Nouvelle campagne").first.click()
    page.get_by_label("Nom de la campagne").fill("Soldes de décembre")
    page.get_by_role("button", name="Suivant", exact=True).click()
    arrive(page, re.compile(r"/campaigns/\d+/recipients$"))


def _import(page: Page) -> None:
    page.locator("input[type=file]").set_input_files(CLIENTS)
    card = page.get_by_role("article", name="clients")
    expect(card).to_contain_text("11 lignes", timeout=LONG_MS)
    expect(card).to_contain_text("WINDOWS-1252")
    expect(card).to_contain_text("1 numéro n'est pas un mobile")
    expect(page.locator("#strip")).to_contain_text("11 Destinataires")
    expect(page.locator("#strip")).to_contain_text("1 Doublon")
    page.get_by_role("link", name="Suivant", exact=True).click()
    arrive(page, re.compile(r"/message$"))


def _write(page: Page, visitor: Visitor) -> None:
    message = page.get_by_label("Message", exact=True)
    expect(message).to_have_value("\nSTOP 36184")  # the legal mention stands there already
    message.focus()
    page.keyboard.press("Control+Home")
    page.keyboard.type("Bonjour ")
    page.get_by_role("button", name="Prénom").click()
    page.keyboard.type(", fête de Noël !")
    expect(message).to_have_value("Bonjour ${Prénom}, fête de Noël !\nSTOP 36184")
    expect(page.locator("#verdict")).to_contain_text("ê → e")
    expect(page.locator("#preview")).to_contain_text("Bonjour Jacqueline, fete de Noel !")  # the longest first name
    expect(page.locator("#counter")).to_contain_text("1 SMS")
    expect(page.locator("#cost")).to_contain_text("9 destinataires × 1 SMS = 9 crédits")
    page.keyboard.press("Control+z")
    expect(message).not_to_have_value("Bonjour ${Prénom}, fête de Noël !\nSTOP 36184")
    page.keyboard.press("Control+Shift+z")
    expect(message).to_have_value("Bonjour ${Prénom}, fête de Noël !\nSTOP 36184")
    page.get_by_label("Sélecteur de ligne").fill("2")
    expect(page.locator("#preview")).to_contain_text("Bonjour Michel")
    page.get_by_role("button", name="Suivant", exact=True).click()
    arrive(page, re.compile(r"/send$"))


def _test(page: Page) -> None:
    numbers = page.get_by_label("Numéros de téléphone mobile")
    expect(numbers).to_have_value("+33611223344")
    page.get_by_role("button", name="Envoyer un test").click()
    expect(page.get_by_text("Le test reçu est-il conforme")).to_be_visible()  # the notice itself leaves after a while
    final = page.locator(".wizard-foot").get_by_role("button", name="Envoyer et utiliser 9 crédits")
    expect(final).to_be_disabled()
    page.get_by_role("button", name="OUI", exact=True).click()
    expect(final).to_be_enabled()
    final.click()


def _send(page: Page) -> None:
    summary = page.get_by_role("dialog", name="Résumé de la campagne")
    expect(summary).to_be_visible()
    expect(summary).to_contain_text("Soldes de décembre")
    summary.get_by_role("button", name="Envoyer et utiliser 9 crédits").dblclick()  # a nervous hand sends once
    expect(page).to_have_url(re.compile(r"/report$"))


def _watch(page: Page, visitor: Visitor) -> None:
    """The page moves by itself: no reload here."""
    receipts = page.get_by_role("region", name="Accusés de réception", exact=True)
    expect(receipts.get_by_role("row", name=re.compile("Délivré"))).to_contain_text("9", timeout=LONG_MS)
    expect(page.locator("#live")).not_to_have_attribute("hx-trigger", re.compile("."), timeout=LONG_MS)
    expect(page.locator("#balance")).to_be_visible()
    assert_page_is_sound_apart_from_weight(visitor)


def assert_page_is_sound_apart_from_weight(visitor: Visitor) -> None:
    visitor.finished.clear()  # the page was polled meanwhile
    assert_page_is_sound(visitor)


def _answer(page: Page, visitor: Visitor) -> None:
    visitor.go("/simulator/?msisdn=0624170064")
    expect(page.locator("#talk")).to_contain_text("Bonjour Jacqueline, fete de Noel !")
    page.get_by_role("button", name="STOP").click()
    expect(page.locator("#talk .is-mine").first).to_have_text("STOP")
    expect(page.locator("#talk")).to_contain_text("Votre demande est prise en compte", timeout=LONG_MS)
    visitor.go("/campaigns/")
    page.get_by_role("link", name="Soldes de décembre", exact=True).click()
    expect(page.get_by_text("Délivré + STOP demandé").first).to_be_visible(timeout=LONG_MS)
