"""A hand that is quicker than the page's scripts: what it chose is not lost."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Route, expect

from carillon.models import User
from tests.browser.driving import Visitor
from tests.builders import make_user

CLIENTS = Path(__file__).resolve().parents[2] / "examples" / "clients.csv"


def test_a_file_chosen_before_the_script_came_is_sent(visitor: Visitor) -> None:
    marketer: User = make_user(login="marie", role="admin")
    held: list[Route] = []
    visitor.sign_in(marketer)
    page = visitor.page

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/modules/upload.js", hold)
    with page.expect_request("**/modules/upload.js"):
        page.goto(visitor.url + "/lists/", wait_until="domcontentloaded")
    page.locator("input[type=file]").set_input_files(CLIENTS)
    expect(page.get_by_role("article", name="clients")).to_have_count(0)
    for route in held:
        route.continue_()
    expect(page.get_by_role("article", name="clients")).to_be_visible()
