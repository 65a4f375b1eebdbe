"""What is typed is never lost: saved by itself, kept in the browser when the session ended, compared when two windows edit."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, Route, expect

from carillon.models import Campaign, User
from tests.browser.driving import PATIENCE_MS, Visitor
from tests.builders import PASSWORD, make_account, make_campaign, make_list, make_user

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def marie(committed_db: str) -> User:
    return make_user(account=make_account(is_test=True, requires_second_factor=False), login="marie", role="admin")


@pytest.fixture
def draft(marie: User) -> Campaign:
    clients = make_list(marie.account, [("Zoé", "0612345678")], header=("Prénom", "SMS"), user=marie)
    return make_campaign(marie.account, actor=marie, message="Bonjour", lists=[clients])


def _says(page: Page, state: str) -> None:
    """What the page says of the draft: saved or conflict."""
    expect(page.locator(f"#saved [data-when={state}]")).to_be_visible()


def test_the_draft_saves_itself_and_survives_the_end_of_the_session(
    visitor: Visitor, marie: User, draft: Campaign
) -> None:
    visitor.sign_in(marie)
    page = visitor.go(f"/campaigns/{draft.pk}/message")
    message = page.get_by_label("Message", exact=True)
    message.fill("Bonjour à tous")
    _says(page, "saved")
    draft.refresh_from_db()
    assert draft.message == "Bonjour à tous"
    Session.objects.all().delete()
    message.fill("Bonjour à tous, et à demain")
    expect(page).to_have_url(f"{visitor.url}/login?next=%2Fcampaigns%2F{draft.pk}%2Fmessage")  # led there by itself
    draft.refresh_from_db()
    assert draft.message == "Bonjour à tous"
    page.get_by_label("Identifiant").fill("marie")
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Entrer", exact=True).click()
    expect(page.get_by_label("Message", exact=True)).to_have_value("Bonjour à tous, et à demain")
    _says(page, "saved")
    draft.refresh_from_db()
    assert draft.message == "Bonjour à tous, et à demain"


def test_two_windows_are_told_of_each_other(visitor: Visitor, marie: User, draft: Campaign) -> None:
    visitor.sign_in(marie)
    first = visitor.go(f"/campaigns/{draft.pk}/message")
    second = visitor.context.new_page()
    second.goto(f"{visitor.url}/campaigns/{draft.pk}/message")
    second.get_by_label("Message", exact=True).fill("De la seconde fenêtre")
    _says(second, "saved")
    first.get_by_label("Message", exact=True).fill("De la première")
    _says(first, "conflict")
    first.get_by_role("button", name="Suivant", exact=True).click()
    expect(first.locator("main").get_by_role("alert").first).to_contain_text("De la seconde fenêtre")
    expect(first.get_by_label("Message", exact=True)).to_have_value("De la première")
    first.get_by_role("button", name="Enregistrer ma version").click()
    expect(first).to_have_url(f"{visitor.url}/campaigns/{draft.pk}/send")
    draft.refresh_from_db()
    assert draft.message == "De la première"


CARRIED = """
(chip) => {
  const carried = new DataTransfer();
  chip.dispatchEvent(new DragEvent("dragstart", { dataTransfer: carried, bubbles: true }));
  return carried.getData("text/plain");
}
"""


def test_chips_by_keyboard_can_be_undone_and_a_dragged_one_carries_its_field(
    visitor: Visitor, marie: User, draft: Campaign
) -> None:
    visitor.sign_in(marie)
    page = visitor.go(f"/campaigns/{draft.pk}/message")
    message = page.get_by_label("Message", exact=True)
    message.fill("")
    first = page.get_by_role("button", name="Prénom")
    assert first.get_attribute("draggable") == "true"
    assert first.evaluate(CARRIED) == "${Prénom}"  # what the browser then drops into the text
    first.press("Enter")
    page.get_by_role("button", name="SMS", exact=True).press("Enter")
    expect(message).to_have_value("${Prénom}${SMS}")
    message.press("Control+z")
    expect(message).to_have_value("${Prénom}")
    message.press("Control+z")
    expect(message).to_have_value("")


def test_next_waits_for_the_save_on_its_way_instead_of_fighting_it(
    visitor: Visitor, marie: User, draft: Campaign
) -> None:
    visitor.sign_in(marie)
    page = visitor.go(f"/campaigns/{draft.pk}/description")
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.headers.get("accept") == "application/json" and not held:
            held.append(route)
        else:
            route.continue_()

    page.route(f"**/campaigns/{draft.pk}/description", hold)
    with page.expect_request(lambda request: request.headers.get("accept") == "application/json"):
        page.get_by_label("Nom de la campagne").fill("Soldes")
    page.get_by_role("button", name="Suivant", exact=True).click(no_wait_after=True)
    held[0].continue_()
    expect(page).to_have_url(f"{visitor.url}/campaigns/{draft.pk}/recipients")
    draft.refresh_from_db()
    assert draft.name == "Soldes"
