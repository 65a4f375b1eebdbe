"""How many messages may be intended and without a result: what may be in doubt after the loss of the machine."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from carillon.carriers.base import CarrierHealth
from carillon.domain.segments import MAX_SEGMENTS
from carillon.gateway.recorder import RING
from carillon.gateway.ticker import AHEAD, MOST_AHEAD, URGENT_AHEAD, Ticker, most_ahead
from tests.carriers.ear import looped
from tests.gateway.test_book import hold
from tests.gateway.test_flow import message, started


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


@looped
async def test_notifications_need_not_wait_until_others_are_answered() -> None:
    flow, _ = started(*(message(number) for number in range(200)))
    nothing: Any = None
    ticker = Ticker(flow, nothing, nothing, asyncio.Event(), lambda: datetime.now(UTC))
    ticker._target = 200
    hold(ticker.book, 1, 100, n=50)
    assert ticker._room() == 0
    hold(ticker.book, 2, 200, n=5, priority=0)
    assert ticker._room() == 5
    hold(ticker.book, 3, 200, n=500, priority=0)
    assert ticker._room() == URGENT_AHEAD
    ticker._target = 32  # the carrier turned out slow: far more is unanswered than is wanted now
    assert ticker._room() == URGENT_AHEAD
    flow.release(message(number, is_notification=True) for number in range(1000, 1000 + URGENT_AHEAD))
    assert ticker._room() <= 0
