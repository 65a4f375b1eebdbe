"""The API's console in a real browser, without network and under its strict policy: sign in, authorize, execute (guide §1.3)."""

from __future__ import annotations

from playwright.sync_api import expect

from carillon.services import tokens
from tests.browser.driving import Visitor
from tests.builders import PASSWORD, make_user

expect.set_options(timeout=60_000)


def authorize(visitor: Visitor, value: str) -> None:
    page = visitor.page
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container input").fill(value)
    page.locator(".auth-btn-wrapper button", has_text="Authorize").click()
    page.get_by_role("button", name="Close").click()


def execute(visitor: Visitor, operation: str) -> str:
    """Opens an operation, presses Execute, gives the answer's code."""
    block = visitor.page.locator(f"[id$={operation}]")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Execute").click()
    code = block.locator(".responses-table.live-responses-table .response-col_status").last
    expect(code).to_be_visible()
    return code.inner_text().strip()


def test_sign_in_copy_the_bearer_authorize_and_call(visitor: Visitor) -> None:
    user = make_user(login="alice@example.test", role="admin")
    page = visitor.go("/MediasflowApi")
    expect(page.get_by_role("status").first).to_contain_text("really sent")
    assert execute(visitor, "getCredits").startswith("401")

    block = page.locator("[id$=signIn]")
    block.locator(".opblock-summary-control").click()
    block.locator("textarea.body-param__text").fill(f'{{"username": "{user.login}", "password": "{PASSWORD}"}}')
    block.get_by_role("button", name="Execute").click()
    headers = block.locator(".live-responses-table .headers, .live-responses-table pre").filter(
        has_text="authorization"
    )
    expect(headers.first).to_contain_text("Bearer cr_sess_")
    bearer = (
        next(line for line in headers.first.inner_text().splitlines() if "authorization" in line)
        .partition(":")[2]
        .strip()
    )
    assert bearer.startswith("Bearer cr_sess_")

    authorize(visitor, bearer)
    credits = page.locator("[id$=getCredits]")
    credits.get_by_role("button", name="Execute").click()
    expect(credits.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    expect(credits.locator(".curl-command, .request-snippets").first).to_contain_text("curl")
    assert [problem for problem in visitor.problems if "401" not in problem] == []


def test_the_banner_is_red_until_a_test_token(visitor: Visitor) -> None:
    user = make_user(role="admin")
    _, secret = tokens.create(user=user, name="t", is_test=True)
    page = visitor.go("/MediasflowApi")
    banner = page.locator("#banner")
    expect(banner).to_have_class("banner real")
    authorize(visitor, f"Bearer {secret}")
    expect(banner).to_have_class("banner test")
    expect(banner).to_contain_text("simulator only")
    assert visitor.problems == []
