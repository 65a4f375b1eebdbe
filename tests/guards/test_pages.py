"""What pages may never hold, and sentences that lack their English."""

from __future__ import annotations

import re

import pytest
from django.urls import get_resolver
from django.utils import translation

from carillon.web.catalogue import msgids, untranslated
from tests.guards.source import ROOT
from tests.guards.test_rights import patterns

TEMPLATES = ROOT / "src" / "carillon" / "web" / "templates"
PUBLIC = {
    "activate",
    "healthz",
    "login",
    "login/code",
    "login/code/resend",
    "login/passkey",
    "login/passkey/options",
    "mailbox/",
    "metrics",
    "password/forgotten",
    "password/new",
    "preferences/language",
    "preferences/theme",
}
FORBIDDEN = {
    "an inline style": re.compile(r"<[^>]*\sstyle=", re.DOTALL),
    "an inline script": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")", re.DOTALL),
    "an inline handler": re.compile(r"<[^>]*\son[a-z]+=", re.DOTALL),
    "hx-on or a filtered hx-trigger, which need eval": re.compile(r"hx-on|hx-trigger=\"[^\"]*\["),
    "text that is not escaped": re.compile(r"\|\s*safe\b|\{%\s*autoescape off"),
    "something from elsewhere": re.compile(r"(?:src|href)=\"(?:https?:)?//"),
}


def test_only_these_pages_are_open_to_anyone() -> None:
    """Add a page here only when a person who is not signed in must see it."""
    found = {
        address
        for address, entry in patterns(get_resolver())
        if entry.callback.__module__.startswith("carillon.web") and getattr(entry.callback, "rights", None) == "public"
    }
    assert found == PUBLIC


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_page_holds(what: str) -> None:
    bad = [
        str(path.relative_to(TEMPLATES))
        for path in sorted(TEMPLATES.rglob("*.html"))
        if path.parent.name
        != "links"  # pages of short links, for a browser that loads nothing else: services of their own
        and FORBIDDEN[what].search(path.read_text(encoding="utf-8"))
    ]
    assert bad == []


def test_every_sentence_has_its_english() -> None:
    lacking = [f"{where}: {sentence!r}" for sentence, where in untranslated().items()]
    assert lacking == [], "run: python -m carillon.web.catalogue, then translate"


def test_the_source_of_a_template_is_never_marked_safe_in_python() -> None:
    """Markup is made by templates and format_html, which escape."""
    web = ROOT / "src" / "carillon" / "web"
    bad = [
        path.name
        for path in sorted(web.rglob("*.py"))
        if "mark_safe" in path.read_text(encoding="utf-8") and path.name != "link_pages.py"  # its style is a constant
    ]
    assert bad == []


def test_french_sentences_stay_as_they_are_written() -> None:
    """Django's own French catalogue would replace some English-looking words ("Email"): write them without gettext."""
    with translation.override("fr"):
        changed = [one for one in msgids() if isinstance(one, str) and translation.gettext(one) != one]
        assert changed == []
        assert translation.ngettext("%(n)d ligne supprimée.", "%(n)d lignes supprimées.", 0) == "%(n)d ligne supprimée."
