"""Rates, pauses and the order of what waits: all with a clock passed in."""

from __future__ import annotations

import pytest

from carillon.carriers.flow import Pause, TokenBucket, backoff_s
from carillon.carriers.smpp.outgoing import Outgoing, Unencodable
from tests.carriers.ear import outbound


def test_the_bucket_gives_its_rate_and_a_tenth_of_a_second_at_once():
    bucket = TokenBucket(50.0)
    assert bucket.available(0.0) == 5
    bucket.spend(5)
    assert bucket.available(0.0) == 0
    assert bucket.delay_s() == pytest.approx(0.02)
    taken = 0
    for tick in range(1, 1001):  # ten seconds
        count = bucket.available(tick / 100)
        bucket.spend(count)
        taken += count
    assert 499 <= taken <= 501


def test_a_slow_bucket_holds_one():
    bucket = TokenBucket(0.5)
    assert bucket.available(0.0) == 1
    bucket.spend(1)
    assert bucket.available(1.0) == 0
    assert bucket.delay_s() == pytest.approx(1.0)
    assert bucket.available(2.0) == 1
    assert bucket.available(100.0) == 1


def test_no_rate_no_limit():
    bucket = TokenBucket(0.0)
    bucket.spend(10**6)
    assert bucket.available(0.0) > 10**6


def play(bucket: TokenBucket, *, allowed: float, seconds: int) -> tuple[int, int]:
    """A far end that takes `allowed` a second against this bucket: (taken, refused)."""
    taken = refused = 0
    credit, paused_until = 0.0, 0.0
    for tick in range(seconds * 100):
        now = 1000.0 + tick / 100
        credit = min(allowed / 10, credit + allowed / 100)
        if now < paused_until:
            continue
        if tick % 100 == 0:
            bucket.grow(now)
        count = min(bucket.available(now), 1000)
        bucket.spend(count)
        fits = min(count, int(credit))
        credit -= fits
        taken += fits
        for _ in range(fits):
            bucket.accepted(now)
        for _ in range(count - fits):
            bucket.refused(now)
        if count > fits:
            refused += 1
            paused_until = now + 0.5
    return taken, refused


@pytest.mark.parametrize("configured", [0.0, 5000.0])
def test_a_bucket_finds_what_the_far_end_allows(configured):
    taken, refused = play(TokenBucket(configured), allowed=1000.0, seconds=60)
    assert taken > 0.6 * 60 * 1000
    assert refused < 40


def test_a_slowed_bucket_returns_to_its_rate_and_never_beyond():
    bucket = TokenBucket(100.0)
    for _ in range(2):
        bucket.refused(1.0)
    bucket.accepted(1.0)  # what is refused among acceptances is chance
    for _ in range(2):
        bucket.refused(1.0)
    assert bucket.rate == 100.0
    for _ in range(50):
        bucket.refused(1.0)
    assert bucket.rate == pytest.approx(85.0)
    rates = []
    for second in range(2, 30):
        bucket.grow(float(second))
        bucket.grow(second + 0.1)  # not twice in a second
        rates.append(bucket.rate)
    assert rates == sorted(rates) and rates[-1] == 100.0
    bucket.accepted(49.0)
    for second in range(100):
        bucket.refused(50.0 + second)
    assert bucket.rate == 85.0  # nothing was accepted between: probes of one long pause
    for second in range(100):
        bucket.accepted(200.0 + second)
        for _ in range(3):
            bucket.refused(200.0 + second)
    assert bucket.rate == 1.0


def test_pauses_grow_until_something_is_accepted():
    pause = Pause(minimum_s=1.0, maximum_s=4.0)
    lengths = []
    now = 0.0
    for _ in range(4):
        until = pause.start(now)
        assert pause.start(now + 0.1) == until  # a second refusal does not lengthen it
        lengths.append(until - now)
        now = until
        pause.end()
        assert pause.is_probing
    for length, nominal in zip(lengths, [1, 2, 4, 4], strict=True):
        assert 0.75 * nominal <= length <= 1.25 * nominal
    assert pause.lasted_s(now) == now
    pause.accepted()
    assert not pause.is_probing and pause.lasted_s(now) == 0.0
    assert pause.start(now) - now <= 1.25


def test_connecting_again_waits_longer_each_time_and_is_spread():
    for attempt, nominal in [(0, 1), (1, 2), (3, 8), (10, 60), (10_000, 60)]:
        waits = {backoff_s(attempt, minimum_s=1.0, maximum_s=60.0) for _ in range(20)}
        assert all(nominal / 2 <= wait <= nominal for wait in waits)
        assert len(waits) > 1


def taken(outgoing: Outgoing, count: int) -> list:
    return [outgoing.next(lambda message: [b"x"] * message.segments) for _ in range(count)]


def names(flights: list) -> list[tuple[int, int]]:
    return [(flight.message.message_id, flight.segment) for flight in flights]


def test_held_segments_keep_their_place():
    outgoing = Outgoing()
    outgoing.add([outbound(1), outbound(2, segments=2), outbound(3)])
    first, second, third = taken(outgoing, 3)
    second.siblings.outstanding = 2
    for flight in (third, first):
        outgoing.hold(flight)
    assert names(taken(outgoing, 1)) == [(3, 1)]  # what waits is not asked again before the pause is over
    outgoing.resume()
    assert names(taken(outgoing, 2)) == [(1, 1), (2, 2)]
    assert outgoing.next(lambda message: [b""]) is None
    assert len(outgoing) == 0


def test_what_was_begun_is_never_given_back():
    outgoing = Outgoing()
    outgoing.add([outbound(1, segments=2), outbound(2), outbound(3)])
    (flight,) = taken(outgoing, 1)
    flight.siblings.outstanding = 1
    assert [message.message_id for message in outgoing.take_untouched()] == [2, 3]
    assert len(outgoing) == 1
    assert outgoing.take_begun() == [1]


def test_a_message_whose_segments_were_all_refused_as_later_is_untouched():
    outgoing = Outgoing()
    outgoing.add([outbound(1, segments=2), outbound(2)])
    for flight in taken(outgoing, 2):
        flight.siblings.outstanding += 1
        outgoing.hold(flight)
    assert [message.message_id for message in outgoing.take_untouched()] == [1, 2]


def test_ending_a_message_drops_its_other_segments():
    outgoing = Outgoing()
    outgoing.add([outbound(1, segments=3), outbound(2)])
    (flight,) = taken(outgoing, 1)
    assert names(outgoing.end(flight.siblings)) == [(1, 2), (1, 3)]
    assert names(taken(outgoing, 1)) == [(2, 1)]


def test_what_cannot_be_encoded_leaves_the_queue():
    outgoing = Outgoing()
    outgoing.add([outbound(1), outbound(2)])

    def encode(message):
        if message.message_id == 1:
            raise ValueError("too long")
        return [b"x"]

    with pytest.raises(Unencodable, match="too long") as caught:
        outgoing.next(encode)
    assert caught.value.message.message_id == 1
    assert outgoing.next(encode).message.message_id == 2
