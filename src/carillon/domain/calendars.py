"""Which calendar a person lives by: time zone and public holidays. The data of domain.hours, in one place.

Codes (text, stored with each slice of messages):

    ""                    no constraint: notifications, and test accounts that ignore legal hours
    "FR"                  mainland France
    "FR-6AE"              Moselle, Bas-Rhin, Haut-Rhin: Good Friday and 26 December besides (local law of 1892)
    "GP" "MQ" "GF" "RE" "YT" "PM" "BL" "MF" "NC" "PF" "WF"   French territories
    "BE" "US" …           any other country: its own national holidays and its own zones
    … + "~"               without the holidays that are custom rather than law (see CUSTOM)

Sources: holidays 0.109 (code du travail L3133-1, L3422-2, and the local laws it quotes), read 2026-11;
zones: zone.tab of the IANA database, from the `tzdata` package. INSEE/La Poste: first three digits of overseas postcodes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import holidays

from carillon.domain.msisdn import FRENCH_TERRITORIES, country_of

ALSACE_MOSELLE = "FR-6AE"
LEGAL_ONLY = "~"

# Subdivision of holidays.France for each calendar. holidays 0.109 wants ISO 3166-2 codes: "GF" or "67" raise.
FRENCH_SUBDIVISIONS: dict[str, str | None] = {
    "FR": None, ALSACE_MOSELLE: "6AE", "GP": "971", "MQ": "972", "GF": "973", "RE": "974", "YT": "976",
    "PM": "PM", "BL": "BL", "MF": "MF", "NC": "NC", "PF": "PF", "WF": "WF",
}  # fmt: skip

# Days off by local custom, not by law (English names of the library). Kept closed unless the code ends in "~".
CUSTOM: dict[str, frozenset[str]] = {"GP": frozenset({"Mi-Careme", "Good Friday"})}

# Overseas postcodes. 97133 and 97150 keep Guadeloupe's prefix.
_BY_POSTCODE = {"97133": "BL", "97150": "MF"}
_BY_PREFIX = {
    "971": "GP", "972": "MQ", "973": "GF", "974": "RE", "975": "PM", "976": "YT", "977": "BL", "978": "MF",
    "986": "WF", "987": "PF", "988": "NC",
}  # fmt: skip
_ALSACE_MOSELLE_DEPARTMENTS = ("57", "67", "68")
_FRENCH = frozenset({"FR", *FRENCH_TERRITORIES})


def calendar_for(
    country: str, msisdn: int | None = None, postcode: str | None = None, *, is_legal_only: bool = False
) -> str:
    """The calendar of one recipient of marketing. Where the person lives (French postcode) wins over the number's territory.

    A postcode that is not a French one is ignored, and so is one beside a number of another country.
    """
    code = country or (country_of(msisdn) if msisdn is not None else "") or "FR"
    if code in _FRENCH:
        code = _calendar_of_postcode(postcode or "") or code
    return code + LEGAL_ONLY if is_legal_only and code in CUSTOM else code


@lru_cache(maxsize=65536)
def _calendar_of_postcode(postcode: str) -> str:
    digits = re.sub(r"[\s.-]", "", postcode).removeprefix("F")
    if len(digits) == 4:  # 01000 typed in a spreadsheet
        digits = "0" + digits
    if not re.fullmatch(r"[0-9]{5}", digits) or digits.startswith("00"):
        return ""
    if digits in _BY_POSTCODE:
        return _BY_POSTCODE[digits]
    if digits[:3] in _BY_PREFIX:
        return _BY_PREFIX[digits[:3]]
    return ALSACE_MOSELLE if digits[:2] in _ALSACE_MOSELLE_DEPARTMENTS else "FR"


@lru_cache(maxsize=512)
def zones_of(calendar: str) -> tuple[ZoneInfo, ...]:
    """Every zone the person may be in. A country of several zones is open only when it is open in ALL of them:

    a mobile number does not say where its owner stands, and a message refused for an hour harms nobody.
    Unknown countries count as Europe/Paris, the zone of the senders.
    """
    country = calendar.removesuffix(LEGAL_ONLY).split("-")[0]
    return tuple(ZoneInfo(name) for name in _zones_by_country().get(country, ["Europe/Paris"]))


@lru_cache(maxsize=1)
def _zones_by_country() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    text = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            country, _coordinates, zone, *_comment = line.split("\t")
            found[country].append(zone)
    return found


def holiday(calendar: str, day: date) -> tuple[str, str] | None:
    """(French name, English name) of the public holiday on that local day, None on others."""
    return _year(calendar, day.year).get(day)


@lru_cache(maxsize=2048)
def _year(calendar: str, year: int) -> dict[date, tuple[str, str]]:
    country = calendar.removesuffix(LEGAL_ONLY)
    left_out = CUSTOM.get(country, frozenset()) if calendar.endswith(LEGAL_ONLY) else frozenset()
    names_en = _names(country, year, "en_US")
    names_fr = _names(country, year, "fr")
    days = {day: (names_fr.get(day, name), name) for day, name in names_en.items()}
    return {day: names for day, names in days.items() if names[1] not in left_out}


def _names(country: str, year: int, language: str) -> dict[date, str]:
    """Empty for countries the library does not know: Sundays and nights still hold there."""
    try:
        if country in FRENCH_SUBDIVISIONS:
            found = holidays.country_holidays("FR", subdiv=FRENCH_SUBDIVISIONS[country], years=year, language=language)
        else:
            found = holidays.country_holidays(country, years=year, language=language)
    except NotImplementedError:
        return {}
    return dict(found.items())
