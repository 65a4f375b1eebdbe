"""Short links stand in front of the pages and never in their way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from carillon.models import ShortDomain
from carillon.web.doorstep import Doorstep, first_words
from tests.links.asking import Caller, codes, linked


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """Stands for Django."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"pages"})


@pytest.fixture
def visitor(connector: Any) -> Iterator[Caller]:
    caller = Caller()
    caller.application = Doorstep(caller.redirector, pages)
    yield caller
    caller.close()


def test_the_public_host_serves_both(visitor: Caller) -> None:
    assert visitor.ask(codes(linked())[0]).status == 302
    for path in (
        "/",
        "/login",
        "/campaigns/",
        "/static/x.css",
        "/static",
        "/lists/7",
        "/abcde",
        "/abcdefg",
        "/static/",
    ):
        assert visitor.ask(path).text == "pages", path
    assert visitor.ask("/ABCDEF").status == 404


def test_a_short_domain_serves_links_only(visitor: Caller) -> None:
    ShortDomain.objects.create(name="clic.example")
    assert visitor.ask("/login", host="clic.example").status == 404
    assert visitor.ask(codes(linked())[0], host="clic.example:443").status == 302
    assert visitor.ask(codes(linked())[0], host="elsewhere.example").text == "pages"


def test_codes_are_not_answered_beside_the_pages_when_they_have_a_host_of_their_own(
    visitor: Caller, settings: Any
) -> None:
    settings.SHORT_URL = "https://s.example"
    path = codes(linked())[0]
    assert visitor.ask(path, host="s.example").status == 302
    assert visitor.ask(path).text == "pages"


def test_alone_it_answers_on_every_host(visitor: Caller) -> None:
    visitor.application = Doorstep(visitor.redirector, None)
    assert visitor.ask(codes(linked())[0], host="any.example").status == 302
    assert visitor.ask("/login", host="any.example").status == 404


def test_no_address_of_ours_begins_with_anything_that_could_be_a_code() -> None:
    dynamic = [word for word in first_words() if "<" in word]
    assert not dynamic
