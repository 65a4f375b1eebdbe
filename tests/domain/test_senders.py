from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.domain import senders
from carillon.domain.errors import InvalidInput


@pytest.mark.parametrize("sender", ["", "Carillon", "ABC", "abcdefghijk", "Shop24", "24h"])
def test_accepted_in_france(sender: str) -> None:
    senders.check(sender)
    assert senders.is_accepted(sender, country="fr")
    assert senders.is_accepted(sender, country="US")


@pytest.mark.parametrize(
    ("sender", "reason", "proposal"),
    [
        ("SMS_sender", "'_'", "SMSsender"),
        ("Été & Co", "'É' 'é' ' ' '&' cannot", "EteCo"),
        ("Boulangerie", "", ""),
        ("Boulangeries", "12 characters, 11 at most", "Boulangerie"),
        ("Ma Boutique", "' '", "MaBoutique"),
        ("ab", "2 characters, 3 at least", ""),
        ("36184", "digits only", ""),
        ("33612345678", "digits only", ""),
        ("+33612345", "'+'", ""),
        ("Café.fr", "'é' '.'", "Cafefr"),
        ("李", "'李'", ""),
    ],
)
def test_refused_in_france_with_a_proposal(sender: str, reason: str, proposal: str) -> None:
    verdict = senders.judge(sender)
    assert reason in verdict.reason
    assert verdict.proposal == proposal
    assert verdict.is_accepted is (reason == "")


def test_the_error_names_the_character_and_the_proposal() -> None:
    with pytest.raises(InvalidInput, match=r"'SMS_sender': '_' cannot be used.*Proposal: SMSsender") as refused:
        senders.check("SMS_sender")
    assert (refused.value.field, refused.value.code) == ("sender", "sender_invalid")
    with pytest.raises(InvalidInput, match=r"at least one letter is needed\.$"):
        senders.check("12345")


def test_blanks_are_an_option_of_the_account() -> None:
    senders.check("Ma Boutique", allows_spaces=True)
    with pytest.raises(InvalidInput):
        senders.check("Ma Boutique")
    assert not senders.is_accepted("Ma Boutique")
    assert not senders.is_accepted(" Boutique", allows_spaces=True)
    assert senders.judge(" Boutique", allows_spaces=True).proposal == "Boutique"


@pytest.mark.parametrize(
    ("country", "sender", "accepted"),
    [
        ("CH", "Café & Co", True), ("CH", "X", True), ("CH", "12345", True), ("CH", "😀😀😀", False),
        ("CH", "abcdefghijkl", False),
        ("CH", "a\nb", False), ("BE", "8810", True), ("BE", "Carillon", False), ("BE", "88", False), ("BE", "", True),
    ],
)  # fmt: skip
def test_each_country_has_its_rule(country: str, sender: str, accepted: bool) -> None:
    assert senders.is_accepted(sender, country=country) is accepted


@given(st.text(max_size=30), st.sampled_from(["FR", "CH", "BE", "XX"]), st.booleans())
def test_a_proposal_is_always_accepted(sender: str, country: str, spaces: bool) -> None:
    verdict = senders.judge(sender, country=country, allows_spaces=spaces)
    assert verdict.is_accepted or verdict.proposal != sender
    if verdict.proposal:
        assert senders.is_accepted(verdict.proposal, country=country, allows_spaces=spaces)
