from __future__ import annotations

import pytest

from carillon.domain import pricing
from carillon.domain.errors import Refused

TARIFF = {"FR": 100, "BE": 175, "XX": 0}


def test_price_is_segments_times_the_rate_of_the_country() -> None:
    assert pricing.price(segments=3, country="BE", tariff=TARIFF) == 525
    assert pricing.price_or_none(segments=2, country="FR", tariff=TARIFF) == 200
    assert pricing.price(segments=2, country="XX", tariff=TARIFF) == 0  # a rate of zero is a rate


@pytest.mark.parametrize("country", ["CH", ""])
def test_a_country_without_rate_is_refused_with_status_19(country: str) -> None:
    with pytest.raises(Refused) as refused:
        pricing.price(segments=1, country=country, tariff=TARIFF)
    assert refused.value.status == 19
    assert pricing.price_or_none(segments=1, country=country, tariff=TARIFF) is None


def test_credits_are_hundredths() -> None:
    assert pricing.as_credits(150) == 1.5
