"""A short link leads to its target and nowhere else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from carillon.domain import shortcodes
from carillon.domain.errors import InvalidInput
from carillon.models import Link
from carillon.services import launching, links, preparation
from tests.links.asking import Caller, codes, linked


def test_a_stranger_who_guesses_is_told_politely_then_made_to_wait(caller: Caller) -> None:
    caller.redirector.guesses.WINDOW_S = 1e9  # however slow this machine is
    guesses = ["/" + shortcodes.encode(links.key(), message_id=7_000_000_000 + i, index=0) for i in range(40)]
    answers = [caller.ask(path, address="198.51.100.1") for path in guesses]
    assert [a.status for a in answers[:30]] == [404] * 30
    assert [a.status for a in answers[30:]] == [429] * 10
    assert "n'existe pas" in answers[0].text.replace("&#x27;", "'")
    assert caller.ask(codes(linked())[0], address="198.51.100.2").status == 302  # others are served


def test_who_guesses_is_known_behind_a_proxy_whatever_the_header_begins_with(caller: Caller, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    caller.redirector.guesses.WINDOW_S = 1e9
    guesses = ["/" + shortcodes.encode(links.key(), message_id=7_000_000_000 + i, index=0) for i in range(40)]
    answers = [
        caller.ask(path, address=f"10.0.0.{n}", x_forwarded_for=f"10.0.0.{n}, 203.0.113.9")
        for n, path in enumerate(guesses)
    ]
    assert [a.status for a in answers[30:]] == [429] * 10
    other = caller.ask(guesses[0], address="10.0.0.1", x_forwarded_for="203.0.113.9, 203.0.113.10")
    assert other.status == 404


def test_everyone_lands_on_the_same_page_when_nothing_is_personal(caller: Caller) -> None:
    campaign = linked()
    for path in codes(campaign):
        answer = caller.ask(path)
        assert (answer.status, answer.location, answer.body) == (302, "https://shop.example/soldes", b"")
        assert answer.headers["cache-control"] == "no-store"


def test_each_lands_on_their_own_page(caller: Caller) -> None:
    campaign = linked("https://shop.example/id-${id}?nom=${NOM}", parameters=["nom=${Nom}", "x=1"])
    assert [caller.ask(path).location for path in codes(campaign)] == [
        "https://shop.example/id-17%2Fa%26b%3Dc?nom=Zo%C3%A9&x=1",
        "https://shop.example/id-?nom=Max&x=1",
    ]


@pytest.mark.parametrize(
    "more", ["?url=https://evil.example", "?next=//evil.example", "//evil.example", "/https://evil.example"]
)
def test_nothing_of_the_request_decides_where_it_leads(caller: Caller, more: str) -> None:
    answer = caller.ask(codes(linked())[0] + more)
    assert answer.location in {"", "https://shop.example/soldes"}
    assert "evil" not in answer.text


def test_an_expired_link_says_so(caller: Caller) -> None:
    campaign = linked()
    Link.objects.filter(campaign=campaign).update(ends_at=campaign.created_at - timedelta(days=1))
    answer = caller.ask(codes(campaign)[0], accept_language="en-GB,en;q=0.9")
    assert answer.status == 410
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_links_work_from_the_launch_on(caller: Caller) -> None:
    campaign = preparation.prepare(linked(launch=False).pk)
    path = codes(campaign)[0]
    assert caller.ask(path).status == 404
    launching.launch(campaign, actor=None, now=campaign.created_at)
    assert caller.ask(path).status == 302


def test_an_index_without_a_link_is_unknown(caller: Caller) -> None:
    assert caller.ask(codes(linked(), index=3)[0]).status == 404


def test_head_is_answered_without_a_body_and_other_methods_are_refused(caller: Caller) -> None:
    path = codes(linked())[0]
    assert caller.ask(path, method="HEAD").location == "https://shop.example/soldes"
    assert caller.ask(path, method="DELETE").status == 405


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("javascript:alert(1)", "url_scheme"),
        ("data:text/html,<script>", "url_scheme"),
        ("//evil.example", "url_scheme"),
        ("https://${ID}.example/", "url_host_is_field"),
        ("https://bank.example@evil.example/", "url_credentials"),
        ("https://www.раypal.com/", "url_homograph"),  # р and а are Cyrillic
        ("https://аррӏе.com/", "url_homograph"),
        ("https://exa mple.com/", "url_invalid"),
        ("https://shop.example/\u202egnp.exe", "url_invalid"),
        ("https://shop.example\\@evil.example", "url_invalid"),
    ],
)
def test_targets_that_would_deceive_are_refused_while_composing(shared_db: str, url: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        linked(url, launch=False)
    assert caught.value.code == code
