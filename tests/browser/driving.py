"""What tests do with a browser window: sign in, look, and ask whether the page is sound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from carillon.models import User
from carillon.services import access

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
HEAVIEST = 150_000  # bytes of one page with all it loads
PATIENCE_MS = 60_000  # a loaded machine is slow, not broken
# htmx's words for a request that the page was left before; what went wrong with an answer has others
ABORTED = ("htmx:afterRequest", "htmx:sendAbort")
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@dataclass
class Visitor:
    """A window: `problems` collects console errors, uncaught exceptions and requests to anywhere else."""

    context: BrowserContext
    page: Page
    url: str
    problems: list[str] = field(default_factory=list)
    finished: list[Request] = field(default_factory=list)

    @property
    def weight(self) -> int:
        """Bytes of everything loaded since the last `go`. Asked for at the end: not from inside an event."""
        return sum(request.sizes()["responseBodySize"] for request in self.finished)

    def sign_in(self, user: User) -> None:
        self.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_for(user), "url": self.url}])

    def go(self, path: str) -> Page:
        self.finished.clear()
        self.page.goto(self.url + path)
        self.page.wait_for_load_state("networkidle")
        return self.page

    def watch(self, page: Page) -> None:
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        page.on("request", self._asked)
        page.on("requestfinished", self._loaded)

    def _loaded(self, request: Request) -> None:
        self.finished.append(request)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.text.startswith(ABORTED):
            return
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and not request.url.startswith(self.url + "/"):
            self.problems.append(f"request to {request.url}")


def arrive(page: Page, address: str | re.Pattern[str]) -> None:
    """Waits for a page that a click leads to, and for its scripts: the address changes before they run."""
    expect(page).to_have_url(address)
    page.wait_for_load_state("networkidle")


def session_for(user: User) -> str:
    """A session of this person as signing in would have opened it; gives its key."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session["seen"] = int(timezone.now().timestamp())
    session.save()
    key = session.session_key or ""
    access.open_session(user, session_key=key, agent="Chrome/ Linux", address="127.0.0.1")
    return key


@contextmanager
def open_window(browser: Browser, url: str, **options: Any) -> Iterator[Visitor]:
    context = browser.new_context(**({"locale": "fr-FR"} | DESKTOP | options))
    page = context.new_page()
    window = Visitor(context, page, url)
    window.watch(page)
    yield window
    context.close()


def assert_page_is_sound(visitor: Visitor) -> None:
    """No axe violation, nothing in the console, no external request, no horizontal scroll, not too heavy."""
    page = visitor.page
    violations = Axe().run(page, options={"runOnly": STANDARDS}).response["violations"]
    told = [
        f"{one['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for one in violations
        for node in one["nodes"][:3]
    ]
    assert told == [], "\n".join(told)
    assert visitor.problems == [], visitor.problems
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{overflow} px too wide"
    assert visitor.weight <= HEAVIEST, f"{visitor.weight} bytes"
