"""Telephone numbers: what people type, as E.164 digits (33612345678), with the country and whether it is a mobile.

Rules, for an account whose numbers are French (the default):

    +… or 00…                       international, nothing assumed
    10 digits starting with 0       national                       assumed "national"
    9 digits starting with 6 or 7   the leading 0 was lost         assumed "zero"
    11 digits or more, valid as +N  international without + or 00  assumed "international"
    anything else                   malformed (status 2)

French numbers of the overseas ranges written nationally (0692 …) or with +33 belong to their territory (+262 692 …, RE).
Separators, `tel:`, `(0)` and what spreadsheets add are ignored. Short codes (36184) must never come here: they are senders.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

FRENCH_TERRITORIES = ("GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "NC", "PF", "WF")
# Mobiles French people write 06 or 07 that belong to a territory (ARCEP's numbering plan): first digits -> territory.
_OVERSEAS = {
    "690": "GP", "691": "GP", "692": "RE", "693": "RE", "639": "YT", "694": "GF", "696": "MQ", "697": "MQ", "708": "PM",
    "7090": "GP", "7091": "MQ", "7092": "RE", "70930": "GF", "70931": "GF", "70932": "GF", "70933": "GF",
    "70935": "YT", "70936": "YT", "70937": "YT",
}  # fmt: skip

_MOBILES = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)

# Mainland mobiles as phonenumbers 9.0.43 knows them; tests/domain/test_msisdn.py compares the two on random samples.
_COMMON = re.compile(
    r"(?:[Tt][Ee][Ll]:)?(\+330?|00330?|330?|0|)((?:6(?:[0-24-8][0-9]|3[0-8]|9[589])|7[3-9][0-9])[0-9]{6})"
).fullmatch
_ASSUMED = {
    "+33": "", "+330": "", "0033": "", "00330": "", "33": "international", "330": "international", "0": "national",
    "": "zero",
}  # fmt: skip
# Nine digits that could also be a number of Norfolk Island, Wallis and Futuna, New Caledonia or Tuvalu without its +.
_TWO_READINGS = ("672", "681", "687", "688")

_SEPARATORS = " \t\r\n\f\v\xa0\u2007\u2009\u202f.-\u2010\u2011\u2012\u2013\u2014_/()[]'\u2019\"`,\\|\xb7\u2022="
_DROP = {ord(char): None for char in _SEPARATORS}
_WORD = re.compile(r"t[eé]l(?:[eé]phone)?[\s.:]*", re.IGNORECASE)
_FLOAT = re.compile(r"[0-9]{9,15}\.0")
_DIGITS = re.compile(r"\+?[0-9]{5,17}")


class Parsed(NamedTuple):
    """`msisdn` is None when the text is no number at all. A landline has one, with `is_mobile` False.

    `country` is the ISO code of the numbering ("" when unknown; BL and MF share GP's ranges and come out as GP).
    `assumed` is one of "", "national", "zero", "international" (see the module). `is_ambiguous`: another reading was valid.
    """

    msisdn: int | None
    country: str = ""
    is_mobile: bool = False
    assumed: str = ""
    is_ambiguous: bool = False


NOTHING = Parsed(None)


def parse(raw: str, default_country: str = "FR") -> Parsed:
    """Never raises, whatever the text."""
    text = raw if raw.isdigit() else raw.translate(_DROP)
    if default_country == "FR":
        match = _COMMON(text)
        if match is not None:
            prefix, national = match.groups()
            if prefix or not national.startswith(_TWO_READINGS):
                return Parsed(33000000000 + int(national), "FR", True, _ASSUMED[prefix], False)
    return parse_slowly(raw, default_country)


def parse_slowly(raw: str, default_country: str = "FR") -> Parsed:
    """`parse` without its fast path, by phonenumbers alone: the reference the fast path is tested against."""
    digits = _clean(raw)
    if not digits:
        return NOTHING
    if digits.startswith("+"):
        return _described(_international(digits[1:]), "")
    if digits.startswith("00"):
        return _described(_international(digits[2:]), "")
    if default_country == "FR" or default_country in FRENCH_TERRITORIES:
        return _french(digits, default_country)
    national = _valid(digits, default_country)
    if national is not None:
        return _described(national, "national")
    return _described(_international(digits), "international") if len(digits) >= 11 else NOTHING


def _french(digits: str, default_country: str) -> Parsed:
    if len(digits) == 10 and digits[0] == "0":
        return _described(_overseas(digits[1:]) or _valid(digits, default_country) or _valid(digits, "FR"), "national")
    if len(digits) == 9 and digits[0] in "67":
        found = _overseas(digits) or _valid("0" + digits, "FR")
        other = _international(digits)
        is_ambiguous = other is not None and phonenumbers.number_type(other) in _MOBILES
        return _described(found, "zero")._replace(is_ambiguous=is_ambiguous and found is not None)
    if len(digits) >= 11:
        return _described(_international(digits), "international")
    if default_country != "FR" and len(digits) == 6:  # PM, NC, WF: six digits, no trunk 0
        return _described(_valid(digits, default_country), "national")
    return NOTHING


def _clean(raw: str) -> str:
    """Digits, perhaps after one +; "" when anything else is left."""
    text = unicodedata.normalize("NFKC", raw) if not raw.isascii() else raw
    text = "".join(_plain(char) for char in text).strip()
    word = _WORD.match(text)
    if word is not None:
        text = text[word.end() :].strip()
    if _FLOAT.fullmatch(text):  # a spreadsheet read as numbers: 612345678.0
        text = text[:-2]
    text = text.translate(_DROP)
    return text if _DIGITS.fullmatch(text) else ""


def _plain(char: str) -> str:
    if char.isascii():
        return char
    if unicodedata.category(char) == "Cf":  # marks of writing direction, copied from contact lists
        return ""
    return str(unicodedata.decimal(char, char))


def _valid(digits: str, country: str | None) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def _international(digits: str) -> PhoneNumber | None:
    number = _valid("+" + digits, None)
    if number is None and digits.startswith("33"):
        return _overseas(digits[2:].removeprefix("0"))
    return number


def _overseas(national: str) -> PhoneNumber | None:
    """The French mobile `national` (9 digits, no 0) read in its territory."""
    if len(national) != 9:
        return None
    country = _OVERSEAS.get(national[:3]) or _OVERSEAS.get(national[:4]) or _OVERSEAS.get(national[:5])
    number = _valid("0" + national, country) if country else None
    return number if number is not None and phonenumbers.number_type(number) in _MOBILES else None


def _described(number: PhoneNumber | None, assumed: str) -> Parsed:
    if number is None:
        return NOTHING
    country = phonenumbers.region_code_for_number(number) or ""
    if not country.isalpha():  # satellites and the like ("001"): no country, no tariff
        return NOTHING
    return Parsed(_as_int(number), country, phonenumbers.number_type(number) in _MOBILES, assumed, False)


def _as_int(number: PhoneNumber) -> int:
    return int(phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:])


@lru_cache(maxsize=4096)
def _known(msisdn: int) -> PhoneNumber | None:
    return _valid(f"+{msisdn}", None)


def country_of(msisdn: int) -> str:
    """ISO code of the numbering, "" when it is no valid number."""
    text = str(msisdn)
    if text.startswith("33") and _COMMON(text) is not None:
        return "FR"
    number = _known(msisdn)
    return (phonenumbers.region_code_for_number(number) or "") if number is not None else ""


def territory(msisdn: int) -> str:
    """The part of France a number belongs to: "FR" (mainland), one of FRENCH_TERRITORIES, or "" (not French)."""
    country = country_of(msisdn)
    return country if country == "FR" or country in FRENCH_TERRITORIES else ""


def format_international(msisdn: int) -> str:
    """+33 6 12 34 56 78"""
    number = _known(msisdn)
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL) if number is not None else f"+{msisdn}"
