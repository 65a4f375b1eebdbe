"""The wizard with scripts switched off: from the description to the launch, by forms alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from carillon.models import Campaign, User
from tests.browser.driving import PHONE, Visitor, open_window
from tests.browser.server import Server
from tests.builders import make_account, make_connector, make_list, make_user


@pytest.fixture(params=[{}, PHONE], ids=["desktop", "phone"])
def bare(chromium: Any, committed_db: str, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    with Server() as server, open_window(chromium, server.url, java_script_enabled=False, **request.param) as window:
        yield window


@pytest.fixture
def alice(bare: Visitor) -> User:
    account = make_account(is_test=True, balance=100_000)
    user = make_user(account=account, login="alice", role="admin", email="alice@maison.test", mobile="+33612345678")
    make_connector(is_simulator=True)
    make_list(account, [("Zoé", "0612340001"), ("", "0612340002")], header=("Prénom", "SMS"), name="Clients", user=user)
    return user


def test_a_campaign_is_made_and_launched_by_forms_alone(bare: Visitor, alice: User) -> None:
    bare.sign_in(alice)
    page = bare.page
    page.goto(bare.url + "/campaigns/new")
    page.locator('input[name="traffic"][value="NOTIFICATION"]').check()
    page.get_by_label("Nom de la campagne").fill("Rappel")
    page.get_by_role("button", name="Suivant").click()

    page.get_by_label("Choisir une liste existante").fill("Clients")
    page.get_by_role("button", name="Ajouter", exact=True).first.click()
    expect(page.get_by_text("Clients").first).to_be_visible()
    page.get_by_label("saisir son numéro de mobile").fill("0123456789")
    page.get_by_role("button", name="Ajouter", exact=True).last.click()
    expect(page.get_by_label("saisir son numéro de mobile")).to_have_value("0123456789")
    page.get_by_label("saisir son numéro de mobile").fill("06 12 34 00 03")
    page.get_by_role("button", name="Ajouter", exact=True).last.click()
    expect(page.get_by_role("cell", name="06 12 34 00 03")).to_be_visible()
    page.get_by_role("link", name="Suivant").click()

    page.get_by_label("Message", exact=True).fill("Bonjour ${Prénom}, à demain 9 h")
    page.get_by_role("button", name="Suivant").click()

    expect(page).to_have_url(re.compile("/send$"))
    page.get_by_role("button", name=re.compile("^Envoyer et utiliser")).click()
    page.get_by_role("button", name=re.compile("^Envoyer et utiliser")).first.click()
    expect(page).to_have_url(re.compile("/report"))
    campaign = Campaign.objects.get(name="Rappel")
    assert campaign.state == Campaign.State.SCHEDULED
    assert campaign.recipient_count == 3
