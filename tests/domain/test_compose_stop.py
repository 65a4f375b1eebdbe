"""Who puts the STOP mention into a marketing message, and when."""

from __future__ import annotations

import pytest

from carillon.domain.compose import Composer, Options, StopRule, prefilled
from carillon.domain.segments import measure
from carillon.domain.status import Status

COLUMNS = ("PORTABLE", "Civilité", "Prénom", "Prix")
ROW = ("33612345678", "Mme", "Jacqueline", "17 €")


def stop(*, marketing: bool = True, personalised: bool = True, number: str = "36184", words: str = "") -> StopRule:
    return StopRule(is_marketing=marketing, is_sender_personalised=personalised, number=number, words=words)


def warned(composer: Composer) -> list[str]:
    return [found.code for found in composer.warnings()]


@pytest.mark.parametrize(
    "renderer", ["BASIC", "HANDLEBARS", "EJS", "VELOCITY", "MEDIASFLOW", "MEDIASFLOW_B", "SMSFACTOR"]
)
def test_marketing_with_a_personalised_sender_gets_the_mention_counted(renderer: str) -> None:
    composer = Composer("a" * 149, COLUMNS, renderer=renderer, stop=stop())
    composed = composer.compose(ROW)
    assert composed.text == "a" * 149 + " STOP 36184"
    assert (composed.segments, measure(composed.text).units) == (1, 160)
    assert composer.is_stop_added
    assert warned(composer) == ["stop_added"]
    assert Composer("a" * 150, COLUMNS, renderer=renderer, stop=stop()).compose(ROW).status is Status.TOO_LONG


@pytest.mark.parametrize(
    "wording",
    [
        "STOP SMS",
        "STOP SMS au 36184",
        "Désabo STOP",
        "STOP SMS envoyez STOP",
        "STOP 36184",
        "stop au 36184",
        "STOP: 36184",
    ],
)
def test_an_accepted_wording_is_never_doubled(wording: str) -> None:
    composer = Composer(f"Soldes ! {wording}", COLUMNS, stop=stop())
    assert composer.compose(ROW).text == f"Soldes ! {wording}"
    assert not composer.is_stop_added
    assert warned(composer) == []


@pytest.mark.parametrize("text", ["Promo non-stop", "Stop aux prix hauts", "Soldes 36184"])
def test_other_words_are_no_mention(text: str) -> None:
    assert Composer(text, COLUMNS, stop=stop()).compose(ROW).text == f"{text} STOP 36184"


def test_a_short_code_needs_no_mention() -> None:
    composer = Composer("Soldes", COLUMNS, stop=stop(personalised=False))
    assert composer.compose(ROW).text == "Soldes"
    assert warned(composer) == ["stop_by_reply"]
    assert warned(Composer("Soldes STOP 36184", COLUMNS, stop=stop(personalised=False))) == []


def test_a_notification_gets_none_but_a_warning_when_nobody_can_answer() -> None:
    composer = Composer("Rappel", COLUMNS, stop=stop(marketing=False))
    assert composer.compose(ROW).text == "Rappel"
    assert warned(composer) == ["no_way_out"]
    assert warned(Composer("Rappel", COLUMNS, stop=stop(marketing=False, personalised=False))) == []
    assert warned(Composer("Rappel", COLUMNS)) == []


def test_a_wrong_number_is_announced() -> None:
    assert warned(Composer("Soldes STOP 36999", COLUMNS, stop=stop())) == ["stop_number_differs"]


def test_after_a_line_break_there_is_no_blank() -> None:
    assert Composer("Soldes\n", COLUMNS, stop=stop()).compose(ROW).text == "Soldes\nSTOP 36184"


@pytest.mark.parametrize(
    ("renderer", "template"),
    [
        ("HANDLEBARS", "Soldes{{#if Civilité}} STOP 36184{{/if}}"),
        ("EJS", "Soldes<% if (Civilité) { %> STOP 36184<% } %>"),
        ("VELOCITY", "Soldes#if($Civilité) STOP 36184#end"),
    ],
)
def test_a_mention_only_some_would_get_does_not_count(renderer: str, template: str) -> None:
    composer = Composer(template, COLUMNS, renderer=renderer, stop=stop(), options=Options(max_segments=2))
    assert composer.compose(("", "", "", "")).text == "Soldes STOP 36184"
    assert composer.is_stop_added


def test_where_replies_are_impossible_the_way_out_is_a_link() -> None:
    rule = stop(words="STOP: ${optout}")
    composer = Composer("Soldes", COLUMNS, stop=rule, links={"optout": lambda message_id: f"u.fr/{message_id:06}"})
    assert composer.compose(ROW, 7).text == "Soldes STOP: u.fr/000007"
    again = Composer("Soldes ${optout}", COLUMNS, stop=rule, links={"optout": "u.fr/000000"})
    assert again.compose(ROW).text == "Soldes u.fr/000000"


def test_the_extranet_fills_the_mention_in_once() -> None:
    assert prefilled("Soldes", "36184") == prefilled("Soldes STOP 36184", "36184") == "Soldes STOP 36184"
