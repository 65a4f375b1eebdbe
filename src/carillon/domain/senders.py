"""Sender names: what each country accepts, and a proposal when a name is refused. Nothing is ever changed silently.

    FR and unknown countries   3 to 11 of A-Z a-z 0-9 (blanks by account option), not digits only
    CH                         1 to 11 characters, any of GSM 7-bit's visible ones
    BE                         digits only (where nothing is chosen, operators show a 4-digit number starting with 88)

A blank name means the short code. A recipient whose country refuses the campaign's name gets that country's number instead.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

from carillon.domain.errors import InvalidInput
from carillon.domain.segments import is_gsm, to_gsm

MIN_LENGTH, MAX_LENGTH = 3, 11
MAX_SHORT_CODE = 8  # digits; longer ones are numbers
KINDS = ("alphanumeric", "short_code", "long_number")


class Verdict(NamedTuple):
    """`reason` is a sentence, empty when accepted; `proposal` the nearest accepted name, empty when there is none."""

    reason: str = ""
    proposal: str = ""

    @property
    def is_accepted(self) -> bool:
        return not self.reason


@dataclass(frozen=True, slots=True)
class Rule:
    """`allowed`: pattern of one accepted character, described by `described`."""

    allowed: re.Pattern[str]
    described: str
    min_length: int = MIN_LENGTH
    must_have_letter: bool = False
    must_be_digits: bool = False


_PLAIN = Rule(re.compile("[A-Za-z0-9]"), "letters without accents and digits", must_have_letter=True)
_SPACED = Rule(re.compile("[A-Za-z0-9 ]"), "letters without accents, digits and blanks", must_have_letter=True)
RULES = {
    "CH": Rule(re.compile(r"[^\x00-\x1f\x7f]"), "visible characters", min_length=1),
    "BE": Rule(re.compile("[0-9]"), "digits", must_be_digits=True),
}


def rule_for(country: str = "FR", *, allows_spaces: bool = False) -> Rule:
    return RULES.get(country.upper(), _SPACED if allows_spaces else _PLAIN)


def kind_of(sender: str) -> str:
    """One of KINDS; "" for the blank name, for which the carrier puts its own."""
    digits = sender.removeprefix("+")
    if not digits:
        return ""
    if not (digits.isascii() and digits.isdigit()):
        return "alphanumeric"
    return "short_code" if len(digits) <= MAX_SHORT_CODE else "long_number"


def judge(sender: str, *, country: str = "FR", allows_spaces: bool = False) -> Verdict:
    """Whether this name may be used towards that country, and what to use instead. Blank is accepted: the short code."""
    if not sender:
        return Verdict()
    rule = rule_for(country, allows_spaces=allows_spaces)
    reason = _reason(sender, rule)
    return Verdict(reason, _proposal(sender, rule)) if reason else Verdict()


def is_accepted(sender: str, *, country: str = "FR", allows_spaces: bool = False) -> bool:
    return judge(sender, country=country, allows_spaces=allows_spaces).is_accepted


def check(sender: str, *, country: str = "FR", allows_spaces: bool = False) -> None:
    """InvalidInput(sender_invalid) naming what is wrong, with a proposal."""
    verdict = judge(sender, country=country, allows_spaces=allows_spaces)
    if not verdict.is_accepted:
        advice = f" Proposal: {verdict.proposal}" if verdict.proposal else ""
        raise InvalidInput(f"Sender {sender[:30]!r}: {verdict.reason}.{advice}", field="sender", code="sender_invalid")


def _reason(sender: str, rule: Rule) -> str:
    refused = list(dict.fromkeys(character for character in sender if not rule.allowed.fullmatch(character)))
    if rule.must_be_digits and refused:
        return "only digits are accepted in this country"
    if not refused and not is_gsm(sender):
        refused = [character for character in dict.fromkeys(sender) if not is_gsm(character)]
    if refused:
        named = " ".join(map(repr, refused[:5]))
        return f"{named} cannot be used, only {rule.described}"
    if len(sender) > MAX_LENGTH:
        return f"{len(sender)} characters, {MAX_LENGTH} at most"
    if len(sender) < rule.min_length:
        return f"{len(sender)} characters, {rule.min_length} at least"
    if sender != sender.strip():
        return "a blank at the start or the end"
    if rule.must_have_letter and not any(character.isalpha() for character in sender):
        return "digits only: at least one letter is needed"
    return ""


def _proposal(sender: str, rule: Rule) -> str:
    plain = unicodedata.normalize("NFD", to_gsm(sender))
    found = "".join(character for character in plain if rule.allowed.fullmatch(character) and is_gsm(character))
    found = found.strip()[:MAX_LENGTH].strip()
    return found if found != sender and not _reason(found, rule) else ""
