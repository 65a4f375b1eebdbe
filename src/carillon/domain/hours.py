"""When marketing may be sent: Monday to Saturday, 08:00 to 20:00 where the recipient is, never on a public holiday.

An account may extend the evening to 22:00, never beyond, and may shorten it. Sources: the operators' guides (08–20), the AF2M
business-messaging charter applicable since 1 September 2024 (working days, 08–22). Notifications have no window: their
calendar is "". Calendar codes: domain.calendars. Every time is aware and passed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from carillon.domain.calendars import calendar_for, holiday, zones_of

__all__ = [
    "CEILING_HOUR", "CLOSES_AT_HOUR", "OPENS_AT_HOUR", "Closure", "calendar_for", "closes_at", "explain", "is_open",
    "next_open",
]  # fmt: skip

OPENS_AT_HOUR = 8
CLOSES_AT_HOUR = 20
CEILING_HOUR = 22
_SUNDAY = 6
_SEARCH_DAYS = 60


@dataclass(frozen=True, slots=True)
class Closure:
    """Why nothing may be sent at that moment. `local` is the recipient's time; names are set for holidays only."""

    reason: str  # "night" | "sunday" | "holiday"
    local: datetime
    name_fr: str = ""
    name_en: str = ""

    def sentence(self, language: str = "fr") -> str:
        """A few words for a person: "jour férié (Lundi de Pâques)", "Sunday"."""
        is_english = language.startswith("en")
        if self.reason == "holiday":
            return f"public holiday ({self.name_en})" if is_english else f"jour férié ({self.name_fr})"
        if self.reason == "sunday":
            return "Sunday" if is_english else "dimanche"
        clock = f"{self.local:%H:%M}"
        return f"outside legal hours ({clock} there)" if is_english else f"hors des heures légales ({clock} sur place)"


def is_open(calendar: str, at: datetime, closes_at_hour: int = CLOSES_AT_HOUR) -> bool:
    """Whether marketing may go out at `at`. With several zones: in all of them."""
    return explain(calendar, at, closes_at_hour) is None


def explain(calendar: str, at: datetime, closes_at_hour: int = CLOSES_AT_HOUR) -> Closure | None:
    """Why it is closed; None when it is open. A holiday or Sunday is named before the hour."""
    if not calendar:
        return None
    _check_aware(at)
    closures = [
        _closure(calendar, at.astimezone(zone), _evening(calendar, closes_at_hour)) for zone in zones_of(calendar)
    ]
    found = [closure for closure in closures if closure is not None]
    return next((closure for closure in found if closure.reason != "night"), found[0] if found else None)


def next_open(calendar: str, at: datetime, closes_at_hour: int = CLOSES_AT_HOUR) -> datetime:
    """The first legal moment from `at` on (`at` itself when open), in `at`'s zone."""
    if not calendar:
        return at
    _check_aware(at)
    evening = _evening(calendar, closes_at_hour)
    zones = zones_of(calendar)
    moment = at
    limit = at + timedelta(days=_SEARCH_DAYS)
    while moment < limit:
        later = max(_next_open_in(calendar, moment, zone, evening) for zone in zones)
        if later == moment:
            return moment.astimezone(at.tzinfo)
        moment = later
    raise ValueError(f"no legal moment in {_SEARCH_DAYS} days for calendar {calendar!r}")


def closes_at(calendar: str, at: datetime, closes_at_hour: int = CLOSES_AT_HOUR) -> datetime | None:
    """When the window open at `at` ends (first moment no longer legal), in `at`'s zone. None: closed now, or never closes."""
    if not calendar or not is_open(calendar, at, closes_at_hour):
        return None
    evening = _evening(calendar, closes_at_hour)
    ends = (_moment(at.astimezone(zone).date(), evening, zone) for zone in zones_of(calendar))
    return min(ends).astimezone(at.tzinfo)


def _closure(calendar: str, local: datetime, evening: int) -> Closure | None:
    names = holiday(calendar, local.date())
    if names is not None:
        return Closure("holiday", local, *names)
    if local.weekday() == _SUNDAY:
        return Closure("sunday", local)
    return None if OPENS_AT_HOUR <= local.hour < evening else Closure("night", local)


def _next_open_in(calendar: str, at: datetime, zone: ZoneInfo, evening: int) -> datetime:
    local = at.astimezone(zone)
    if _closure(calendar, local, evening) is None:
        return at
    day = local.date()
    if local.hour >= OPENS_AT_HOUR or not _is_working(calendar, day):
        day += timedelta(days=1)
    while not _is_working(calendar, day):
        day += timedelta(days=1)
    return _moment(day, OPENS_AT_HOUR, zone)


def _is_working(calendar: str, day: date) -> bool:
    return day.weekday() != _SUNDAY and holiday(calendar, day) is None


def _moment(day: date, hour: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=zone)


def _evening(calendar: str, closes_at_hour: int) -> int:
    """Never beyond the ceiling, whatever was stored. Where several zones must all be open an evening shortened below 20:00

    could leave no common hour (Russia spans ten), so it does not apply there.
    """
    shortest = CLOSES_AT_HOUR if len(zones_of(calendar)) > 1 else 0
    return min(max(closes_at_hour, shortest), CEILING_HOUR)


def _check_aware(at: datetime) -> None:
    if at.tzinfo is None:
        raise ValueError("times must be aware")
