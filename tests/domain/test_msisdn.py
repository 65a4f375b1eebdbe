"""Every way a number is written, and the fast path against phonenumbers alone."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.domain import msisdn
from carillon.domain.msisdn import NOTHING, Parsed


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("0612345678", Parsed(33612345678, "FR", True, "national")),
        ("06 12 34 56 78", Parsed(33612345678, "FR", True, "national")),
        ("06.12.34.56.78", Parsed(33612345678, "FR", True, "national")),
        ("06-12-34-56-78", Parsed(33612345678, "FR", True, "national")),
        ("06/12/34/56/78", Parsed(33612345678, "FR", True, "national")),
        ("06\u00a012\u202f34 56 78", Parsed(33612345678, "FR", True, "national")),
        ("'0612345678", Parsed(33612345678, "FR", True, "national")),
        ('="0612345678"', Parsed(33612345678, "FR", True, "national")),
        ("tel:0624170068", Parsed(33624170068, "FR", True, "national")),
        ("TEL: 06 24 17 00 68", Parsed(33624170068, "FR", True, "national")),
        ("Tél. : 06 24 17 00 68", Parsed(33624170068, "FR", True, "national")),
        ("tel:+33624170068", Parsed(33624170068, "FR", True, "")),
        ("612345678", Parsed(33612345678, "FR", True, "zero")),
        ("612345678.0", Parsed(33612345678, "FR", True, "zero")),
        ("+33612345678", Parsed(33612345678, "FR", True, "")),
        ("+33 6 12 34 56 78", Parsed(33612345678, "FR", True, "")),
        ("+33 (0)6 12 34 56 78", Parsed(33612345678, "FR", True, "")),
        ("0033612345678", Parsed(33612345678, "FR", True, "")),
        ("00 33 (0) 6 12 34 56 78", Parsed(33612345678, "FR", True, "")),
        ("33612345678", Parsed(33612345678, "FR", True, "international")),
        ("33612345678.0", Parsed(33612345678, "FR", True, "international")),
        ("\u202a+33612345678\u202c", Parsed(33612345678, "FR", True, "")),
        ("\uff10\uff16\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18", Parsed(33612345678, "FR", True, "national")),
        ("٠٦١٢٣٤٥٦٧٨", Parsed(33612345678, "FR", True, "national")),
        ("0142345678", Parsed(33142345678, "FR", False, "national")),  # a landline is a number, not a mobile
        ("0937123456", Parsed(33937123456, "FR", False, "national")),  # platforms' range (ARCEP 2022-1583)
        ("+32470123456", Parsed(32470123456, "BE", True, "")),
        ("0032 470 12 34 56", Parsed(32470123456, "BE", True, "")),
        ("32470123456", Parsed(32470123456, "BE", True, "international")),
        ("41791234567", Parsed(41791234567, "CH", True, "international")),
        ("+44 (0)7400 123456", Parsed(447400123456, "GB", True, "")),
        ("+12025550123", Parsed(12025550123, "US", True, "")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_accepted_forms(raw: str, expected: Parsed) -> None:
    assert msisdn.parse(raw) == expected


@pytest.mark.parametrize(
    ("raw", "number", "country"),
    [
        ("0692123456", 262692123456, "RE"),
        ("0639012345", 262639012345, "YT"),
        ("0690001234", 590690001234, "GP"),
        ("0694001234", 594694001234, "GF"),
        ("0696001234", 596696001234, "MQ"),
        ("0697001234", 596697001234, "MQ"),
        ("0709001234", 590709001234, "GP"),
        ("0709101234", 596709101234, "MQ"),
        ("0709201234", 262709201234, "RE"),
        ("0709301234", 594709301234, "GF"),
        ("0709351234", 262709351234, "YT"),
        ("0708401234", 508708401234, "PM"),
        ("+33692123456", 262692123456, "RE"),
        ("0033 (0)6 92 12 34 56", 262692123456, "RE"),
        ("33692123456", 262692123456, "RE"),
        ("692123456", 262692123456, "RE"),
        ("+262692123456", 262692123456, "RE"),
        ("+687751234", 687751234, "NC"),
    ],
)
def test_overseas_mobiles(raw: str, number: int, country: str) -> None:
    parsed = msisdn.parse(raw)
    assert (parsed.msisdn, parsed.country, parsed.is_mobile) == (number, country, True)
    assert msisdn.territory(number) == country


def test_every_overseas_block_goes_to_the_territory_phonenumbers_finds() -> None:
    """All blocks of 10,000 of 06 and 07 that are no mainland mobile, tried in every territory: at most one takes them."""
    territories = ("GP", "RE", "YT", "MQ", "GF", "PM")
    found = 0
    for block in [*range(63800, 64000), *range(69000, 70000), *range(70700, 71000)]:
        raw = f"0{block}1234"
        number = phonenumbers.parse(raw, "FR")
        if phonenumbers.is_valid_number(number):
            continue
        read = [phonenumbers.parse(raw, territory) for territory in territories]
        taken = [n for n in read if phonenumbers.is_valid_number(n) and phonenumbers.number_type(n) == 1]
        wanted = {int(phonenumbers.format_number(n, phonenumbers.PhoneNumberFormat.E164)[1:]) for n in taken}
        assert len(wanted) <= 1, raw
        assert {msisdn.parse(raw).msisdn} == (wanted or {None}), raw
        found += bool(wanted)
    assert found > 500


@pytest.mark.parametrize("raw", ["0695123456", "0698123456", "0699123456"])
def test_mainland_ranges_next_to_the_overseas_ones(raw: str) -> None:
    assert msisdn.parse(raw).country == "FR"


@pytest.mark.parametrize(
    "raw",
    [
        "", " ", "abc", "36184", "0", "06123456", "06123456789", "6123456789", "4512345678", "+0612345678",
        "0700123456", "00612345678", "+3361234567", "0612345678 / 0698765432", "06 12 34 56 7O", "0800FLEURS", "3,36123E+10",
        "6.12345678E+08", "0612345678 ext 5", "+33612345678+", "\x00", "+870773111632", "9" * 5000,
    ],
)  # fmt: skip
def test_malformed(raw: str) -> None:
    assert msisdn.parse(raw) == NOTHING


@pytest.mark.parametrize("raw", ["687751234", "681821234", "688901234", "672381234"])
def test_nine_digits_with_two_readings_are_french_and_said_ambiguous(raw: str) -> None:
    assert msisdn.parse("+" + raw).is_mobile
    assert msisdn.parse(raw) == Parsed(33000000000 + int(raw), "FR", True, "zero", True)
    assert not msisdn.parse("687101234").is_ambiguous


@pytest.mark.parametrize(
    ("raw", "country", "number"),
    [
        ("0470123456", "BE", 32470123456),
        ("079 123 45 67", "CH", 41791234567),
        ("33612345678", "BE", 33612345678),
        ("0692123456", "RE", 262692123456),
        ("0612345678", "RE", 33612345678),
        ("751234", "NC", 687751234),
    ],
)
def test_numbers_of_accounts_elsewhere(raw: str, country: str, number: int) -> None:
    parsed = msisdn.parse(raw, country)
    assert (parsed.msisdn, parsed.is_mobile) == (number, True)


def test_fast_path_equals_phonenumbers_on_a_large_random_sample() -> None:
    """Every block of 1,000,000 of 06 and 07 in every written form: 3,400 numbers a form, over all ranges."""
    rng = random.Random(20261201)
    forms = ("0{}", "{}", "33{}", "+33{}", "0033{}", "+330{}", "tel:0{}", "33 0{}", "00330{}")
    for form in forms:
        for block in range(600, 800):
            for _ in range(17):
                raw = form.format(f"{block}{rng.randrange(10**6):06d}")
                assert msisdn.parse(raw) == msisdn.parse_slowly(raw), raw


@given(st.text(alphabet="0123456789+ .-()tel:/٠é\u00a0", max_size=20))
def test_fast_path_equals_phonenumbers_on_any_text(raw: str) -> None:
    assert msisdn.parse(raw) == msisdn.parse_slowly(raw)


@given(st.text(max_size=40), st.sampled_from(["FR", "BE", "RE", "US"]))
def test_no_text_breaks_the_parser(raw: str, country: str) -> None:
    assert isinstance(msisdn.parse(raw, country), Parsed)


def test_example_mobile_of_every_country() -> None:
    """phonenumbers' own examples come back with their number and a country of the same calling code."""
    checked = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if example is None or not phonenumbers.is_valid_number(example):
            continue
        e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        parsed = msisdn.parse(e164)
        assert (parsed.msisdn, parsed.is_mobile) == (int(e164[1:]), True), region
        assert phonenumbers.country_code_for_region(parsed.country) == example.country_code
        checked += 1
    assert checked > 230


def test_country_territory_and_display() -> None:
    assert msisdn.country_of(33612345678) == "FR"
    assert msisdn.country_of(32470123456) == "BE"
    assert msisdn.country_of(33) == ""
    assert msisdn.territory(32470123456) == ""
    assert msisdn.format_international(33612345678) == "+33 6 12 34 56 78"
    assert msisdn.format_international(12) == "+12"
