"""What a message costs: its segments times the tariff of the recipient's country.

A tariff maps ISO country codes to hundredths of a credit for one segment (voice: for one drop). Only what the
table holds can be sent: an absent country is status 19 ("Tarif manquant"), never free.
"""

from __future__ import annotations

from collections.abc import Mapping

from carillon.domain.errors import Refused
from carillon.domain.status import Status

CREDIT = 100  # hundredths
DEFAULT_TARIFF: Mapping[str, int] = {"FR": CREDIT}  # one credit a segment in mainland France (N1)


def price(*, segments: int, country: str, tariff: Mapping[str, int]) -> int:
    """Hundredths of a credit. Refused(19) when the country has no rate."""
    rate = tariff.get(country)
    if rate is None:
        raise Refused(Status.NO_TARIFF, f"There is no rate for {country or 'this destination'}.")
    return segments * rate


def price_or_none(*, segments: int, country: str, tariff: Mapping[str, int]) -> int | None:
    """As `price`, for loops over many recipients: None means status 19."""
    rate = tariff.get(country)
    return None if rate is None else segments * rate


def as_credits(hundredths: int) -> float:
    """150 → 1.5, the form of `creditCount` (API guide §2.1.3.1)."""
    return hundredths / CREDIT
