"""How many messages may be intended and without a result: what may be in doubt after the loss of the machine."""

from __future__ import annotations

import pytest

from carillon.carriers.base import CarrierHealth
from carillon.domain.segments import MAX_SEGMENTS
from carillon.gateway.recorder import RING
from carillon.gateway.ticker import AHEAD, MOST_AHEAD, most_ahead


@pytest.mark.parametrize(
    ("latency_s", "window", "most"),
    [
        (0.0, 4000, AHEAD),
        (0.04, 4000, AHEAD),
        (0.2, 0, AHEAD),
        (0.2, 500, AHEAD),
        (0.2, 2000, 4000),
        (5.0, 100_000, MOST_AHEAD),
    ],
)
def test_further_ahead_only_of_a_carrier_that_answers_slowly_and_has_windows_for_it(
    latency_s: float, window: int, most: int
) -> None:
    assert most_ahead(CarrierHealth(answer_latency_s=latency_s, window=window)) == most


def test_the_flight_recorder_has_room_for_the_longest_messages() -> None:
    assert MOST_AHEAD * MAX_SEGMENTS < RING
