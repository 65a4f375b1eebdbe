"""Each page, in light and dark, on a desktop and a phone, in French and in English.

Two of the six appearances per page keep `make test` short: one on a desktop, one on a phone, in turns. BROWSER_ALL=1 tries all.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.browser.driving import DESKTOP, PHONE, assert_page_is_sound, open_window
from tests.browser.pages import PAGES, Page
from tests.browser.world import World

APPEARANCES = {
    "light-fr": {"color_scheme": "light", "locale": "fr-FR", **DESKTOP},
    "dark-en": {"color_scheme": "dark", "locale": "en-GB", **DESKTOP},
    "phone-fr": {"color_scheme": "light", "locale": "fr-FR", **PHONE},
    "light-en": {"color_scheme": "light", "locale": "en-GB", **DESKTOP},
    "dark-fr": {"color_scheme": "dark", "locale": "fr-FR", **DESKTOP},
    "phone-en": {"color_scheme": "dark", "locale": "en-GB", **PHONE},
}

TURNS = [["light-fr", "phone-en"], ["dark-en", "phone-fr"], ["dark-fr", "phone-en"], ["light-en", "phone-fr"]]


def _chosen(number: int) -> list[str]:
    if os.environ.get("BROWSER_ALL"):
        return list(APPEARANCES)
    return TURNS[number % len(TURNS)]


@pytest.mark.parametrize(("page", "names"), [pytest.param(p, _chosen(i), id=p.path) for i, p in enumerate(PAGES)])
def test_the_page_is_sound(chromium: Any, world: tuple[World, str], page: Page, names: list[str]) -> None:
    things, url = world
    for name in names:
        with open_window(chromium, url, **APPEARANCES[name]) as visitor:
            _set_language(things, page, "en" if name.endswith("en") else "fr")
            if page.who:
                visitor.sign_in(things.people[page.who])
            response = visitor.page.goto(url + page.path.format(**things.ids))
            visitor.page.wait_for_load_state("networkidle")
            assert response is not None
            assert response.status == page.status, name
            if page.status >= 400:
                visitor.problems = [one for one in visitor.problems if "Failed to load resource" not in one]
            assert_page_is_sound(visitor)


def _set_language(things: World, page: Page, language: str) -> None:
    if page.who:
        person = things.people[page.who]
        person.language = language
        person.save(update_fields=["language"])
