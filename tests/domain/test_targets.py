"""Where a link may lead, and the address of each person."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.domain import targets
from carillon.domain.errors import InvalidInput
from carillon.domain.fields import Columns
from carillon.domain.targets import Target

COLUMNS = Columns(["SMS", "ID", "Prénom"])


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example", "HTTP://Shop.Example:8080/a?b=c#d", "https://www.hôtel.fr/é", "http://127.0.0.1:8000/x",
        "http://[::1]:80/", "https://почта.рф/", "http://localhost/x", "https://shop.example/${ID}?n=${Prénom}",
        "https://shop.example/<%= ID %>", "https://shop.example/{{ID}}",
    ],
)  # fmt: skip
def test_addresses_that_are_fine(url: str) -> None:
    targets.check(url)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "url_scheme"),
        ("shop.example", "url_scheme"),
        ("ftp://shop.example", "url_scheme"),
        ("JaVaScRiPt:alert(1)", "url_scheme"),
        ("vbscript:x", "url_scheme"),
        ("java\tscript:alert(1)", "url_invalid"),
        ("https:///path", "url_invalid"),
        ("https://shop", "url_invalid"),
        ("https://-shop.example", "url_invalid"),
        ("https://${HOST}/", "url_host_is_field"),
        ("https://{{host}}/", "url_host_is_field"),
        ("https://<%= h %>/", "url_host_is_field"),
        ("https://#info1#.example/", "url_invalid"),
        ("https://user:secret@shop.example/", "url_credentials"),
        ("https://gооgle.com", "url_homograph"),  # two Cyrillic о
        ("https://xn--ggle-55da.com", "url_homograph"),  # the same, as machines write it
        ("https://shop.example/\x00", "url_invalid"),
        ("https://shop.example/" + "a" * 2000, "url_too_long"),
    ],
)
def test_addresses_nobody_should_be_sent_to(url: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        targets.check(url)
    assert caught.value.code == code


def test_a_foreign_host_is_worth_a_look() -> None:
    assert targets.foreign_host("https://www.hôtel.fr/x") == "www.xn--htel-vqa.fr"
    assert targets.foreign_host("https://xn--htel-vqa.fr/x") == "xn--htel-vqa.fr"
    assert targets.foreign_host("https://shop.example/é") == ""


@given(value=st.text(max_size=60))
def test_no_value_leaves_its_place(value: str) -> None:
    """Whatever a list holds: the host stays, no parameter is added, the answer's header holds one line of ASCII."""
    address = Target("https://shop.example/p/${ID}/x?n=${ID}", columns=COLUMNS).address(["33612345678", value, ""])
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "shop.example", "")
    assert parts.query.count("=") == 1 and parts.path.count("/") == 3
    assert address.isascii() and address.isprintable() and " " not in address


@pytest.mark.parametrize(
    ("url", "parameters", "expected"),
    [
        ("https://s.example/?nom=${Prénom}", ["nom=${Prénom}"], "https://s.example/?nom=Zo%C3%A9"),
        ("https://s.example/?NOM=${Prénom}", ["nom=${Prénom}"], "https://s.example/?NOM=Zo%C3%A9"),
        ("https://s.example/", ["id=${id}", "x=1", ""], "https://s.example/?id=17&x=1"),
        ("https://s.example/?a=1#top", ["id=${ID}"], "https://s.example/?a=1&id=17#top"),
    ],
)
def test_parameters_are_never_put_twice(url: str, parameters: list[str], expected: str) -> None:
    assert Target(url, parameters=parameters, columns=COLUMNS).address(["1", "17", "Zoé"]) == expected


def test_defaults_unknown_fields_and_other_syntaxes() -> None:
    target = Target("https://s.example/${PRENOM}/${Ville}", columns=COLUMNS, defaults={"prénom": "vous"})
    assert target.address(["1", "17", " "]) == "https://s.example/vous/"
    assert target.unknown_fields == ("Ville",)
    other = Target("https://s.example/{{#if ID}}{{ID}}{{else}}0{{/if}}", renderer="HANDLEBARS", columns=COLUMNS)
    assert [other.address(["1", value, ""]) for value in ("17", "")] == ["https://s.example/17", "https://s.example/0"]


def test_titles_are_personal_and_never_break() -> None:
    row = ["1", "17", "Zoé"]

    def written(text: str, renderer: str = "BASIC") -> str:
        return targets.rendered(text, renderer=renderer, columns=COLUMNS, row=row, defaults={})

    assert written("Pour ${prenom}") == "Pour Zoé"
    assert written("{{#if", "HANDLEBARS") == "{{#if"
