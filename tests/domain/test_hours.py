"""Legal windows, with the days and places where a simpler rule would be wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.domain import calendars, hours

PARIS = ZoneInfo("Europe/Paris")
CALENDARS = ["FR", "FR-6AE", "GP", "GP~", "RE", "PM", "NC", "BE", "US", "RU", "AC"]


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


@pytest.mark.parametrize(
    ("calendar", "at", "expected"),
    [
        ("FR", "2026-12-01 08:00", True),  # Tuesday
        ("FR", "2026-12-01 07:59:59", False),
        ("FR", "2026-12-01 19:59:59", True),
        ("FR", "2026-12-01 20:00", False),
        ("FR", "2026-12-05 12:00", True),  # Saturday
        ("FR", "2026-12-06 12:00", False),  # Sunday
        ("FR", "2026-07-14 12:00", False),
        ("FR", "2026-04-03 12:00", True),  # Good Friday
        ("FR-6AE", "2026-04-03 12:00", False),
        ("FR-6AE", "2026-12-26 12:00", False),
        ("GP", "2026-04-03 18:00", False),
        ("GP~", "2026-04-03 18:00", True),
        ("MQ", "2026-05-22 18:00", False),
        ("GF", "2026-06-10 18:00", False),
        ("YT", "2026-04-27 12:00", False),
        ("MF", "2026-05-28 18:00", False),
        ("BL", "2026-10-09 18:00", False),
        ("BE", "2026-07-21 12:00", False),
        ("BE", "2026-07-14 12:00", True),
        ("", "2026-12-06 03:00", True),
    ],
)
def test_open_or_closed(calendar: str, at: str, expected: bool) -> None:
    assert hours.is_open(calendar, paris(at)) is expected


def test_abolition_day_in_reunion_when_it_is_no_sunday() -> None:
    assert not hours.is_open("RE", paris("2027-12-20 09:00"))  # Monday
    assert hours.is_open("FR", paris("2027-12-20 09:00"))


def test_the_hour_is_the_recipients() -> None:
    at = paris("2026-12-01 18:00")
    assert hours.is_open("FR", at)
    assert not hours.is_open("RE", at)  # 21:00 there
    assert not hours.is_open("GP", paris("2026-12-01 12:30"))  # 07:30 there
    assert hours.is_open("GP", paris("2026-12-01 13:00"))


def test_an_account_may_extend_to_22_and_never_beyond() -> None:
    assert hours.is_open("FR", paris("2026-12-01 21:59"), 22)
    assert not hours.is_open("FR", paris("2026-12-01 22:00"), 23)
    assert not hours.is_open("FR", paris("2026-12-01 18:00"), 18)


@pytest.mark.parametrize(
    ("calendar", "at", "expected"),
    [
        ("FR", "2026-12-01 10:00", "2026-12-01 10:00"),
        ("FR", "2026-12-01 03:00", "2026-12-01 08:00"),
        ("FR", "2026-12-01 20:00", "2026-12-02 08:00"),
        ("FR", "2026-12-05 20:00", "2026-12-07 08:00"),  # Saturday evening to Monday
        ("FR", "2026-12-24 21:00", "2026-12-26 08:00"),
        ("FR-6AE", "2026-12-24 21:00", "2026-12-28 08:00"),  # 25, 26 and Sunday
        ("FR", "2027-03-27 21:00", "2027-03-30 08:00"),  # Easter Sunday and Monday; clocks change on the 28th
        ("RE", "2026-12-01 18:00", "2026-12-02 05:00"),
        ("", "2026-12-06 03:00", "2026-12-06 03:00"),
    ],
)
def test_next_open(calendar: str, at: str, expected: str) -> None:
    assert hours.next_open(calendar, paris(at)) == paris(expected)


def test_closes_at() -> None:
    assert hours.closes_at("FR", paris("2026-12-01 10:00")) == paris("2026-12-01 20:00")
    assert hours.closes_at("FR", paris("2026-12-01 10:00"), 22) == paris("2026-12-01 22:00")
    assert hours.closes_at("FR", paris("2026-12-01 21:00")) is None
    assert hours.closes_at("", paris("2026-12-01 21:00")) is None


def test_a_country_of_several_zones_is_open_only_when_all_its_zones_are() -> None:
    new_york, honolulu = ZoneInfo("America/New_York"), ZoneInfo("Pacific/Honolulu")
    assert not hours.is_open("US", datetime(2026, 12, 1, 9, tzinfo=new_york))
    opening = hours.next_open("US", datetime(2026, 12, 1, 9, tzinfo=new_york))
    assert hours.is_open("US", opening)
    assert opening.astimezone(honolulu).hour >= 8
    closing = hours.closes_at("US", opening)
    assert closing is not None
    assert closing.astimezone(new_york).hour <= 20


def test_a_closure_says_why_in_both_languages() -> None:
    at = paris("2026-04-06 12:00")
    closure = hours.explain("FR", at)
    assert closure is not None
    assert closure.reason == "holiday"
    assert closure.sentence("fr") == "jour férié (Lundi de Pâques)"
    assert closure.sentence("en") == "public holiday (Easter Monday)"
    sunday = hours.explain("FR", paris("2026-12-06 23:00"))
    assert sunday is not None
    assert (sunday.sentence("fr"), sunday.sentence("en-GB")) == ("dimanche", "Sunday")
    night = hours.explain("RE", paris("2026-12-01 18:30"))
    assert night is not None
    assert "21:30" in night.sentence("fr")
    assert "21:30" in night.sentence("en")
    assert hours.explain("FR", paris("2026-12-01 12:00")) is None


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        hours.is_open("FR", datetime(2026, 12, 1, 12))
    with pytest.raises(ValueError, match="aware"):
        hours.next_open("FR", datetime(2026, 12, 1, 12))


def test_a_calendar_without_any_legal_moment_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hours, "holiday", lambda _calendar, _day: ("Fête", "Feast"))
    monkeypatch.setattr(hours, "_next_open_in", lambda _calendar, at, _zone, _evening: at + timedelta(days=1))
    with pytest.raises(ValueError, match="no legal moment"):
        hours.next_open("FR", paris("2026-12-01 12:00"))


@given(st.sampled_from(CALENDARS), st.integers(0, 3 * 365 * 24 * 12), st.sampled_from([18, 20, 22]))
def test_next_open_is_open_and_nothing_before_it_is(calendar: str, five_minutes: int, evening: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=5 * five_minutes)
    opening = hours.next_open(calendar, at, evening)
    assert hours.is_open(calendar, opening, evening)
    assert opening >= at
    if opening > at:
        assert not hours.is_open(calendar, opening - timedelta(seconds=1), evening)
        assert not hours.is_open(calendar, at + (opening - at) / 2, evening)
    closing = hours.closes_at(calendar, opening, evening)
    assert closing is not None
    assert hours.is_open(calendar, closing - timedelta(seconds=1), evening)
    assert not hours.is_open(calendar, closing, evening)


@pytest.mark.parametrize(
    ("country", "msisdn", "postcode", "expected"),
    [
        ("FR", None, None, "FR"),
        ("FR", None, "75017", "FR"),
        ("FR", None, "67000", "FR-6AE"),
        ("FR", None, "57 000", "FR-6AE"),
        ("FR", None, "F-68100", "FR-6AE"),
        ("FR", None, "1000", "FR"),
        ("FR", None, "20000", "FR"),
        ("FR", None, "97400", "RE"),
        ("FR", None, "97133", "BL"),
        ("FR", None, "97150", "MF"),
        ("FR", None, "97500", "PM"),
        ("FR", None, "97700", "BL"),
        ("FR", None, "97801", "MF"),
        ("FR", None, "98600", "WF"),
        ("FR", None, "98713", "PF"),
        ("FR", None, "98800", "NC"),
        ("FR", None, "SW1A 1AA", "FR"),
        ("RE", 262692123456, None, "RE"),
        ("RE", 262692123456, "75017", "FR"),  # a Réunion number, home in Paris
        ("", 262639012345, "", "YT"),
        ("BE", 32470123456, "57000", "BE"),
        ("", None, None, "FR"),
    ],
)
def test_calendar_of_a_recipient(country: str, msisdn: int | None, postcode: str | None, expected: str) -> None:
    assert hours.calendar_for(country, msisdn, postcode) == expected


def test_local_custom_can_be_left_out() -> None:
    assert hours.calendar_for("GP", is_legal_only=True) == "GP~"
    assert hours.calendar_for("FR", is_legal_only=True) == "FR"


def test_every_french_calendar_exists_in_the_library() -> None:
    for code in calendars.FRENCH_SUBDIVISIONS:
        assert calendars.holiday(code, date(2026, 7, 14)) == ("Fête nationale", "National Day"), code
        assert str(calendars.zones_of(code)[0]) != "Europe/Paris" or code.startswith("FR")


def test_moselle_has_the_days_of_alsace() -> None:
    """Why one calendar serves the three departments."""
    days = [
        set(holidays.country_holidays("FR", subdiv=subdivision, years=range(2026, 2036)))
        for subdivision in ("57", "6AE")
    ]
    assert days[0] == days[1]


def test_every_country_of_the_numbering_plan_has_a_legal_moment() -> None:
    for country in phonenumbers.SUPPORTED_REGIONS:
        for at in (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 7, 6, tzinfo=UTC)):
            assert hours.next_open(country, at, 18) < at + timedelta(days=10), country
