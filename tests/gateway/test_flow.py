"""Between intent and result: what becomes of each message, whatever the carrier says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from carillon.carriers.base import CarrierHealth, CarrierState
from carillon.domain.traffic import Answer, Outbound
from carillon.gateway import flow as module
from carillon.gateway.flow import Flow
from carillon.services.ticks import Intent
from tests.carriers.ear import looped


class Paper:
    """A carrier that takes what it is given, up to `space`, and says nothing."""

    def __init__(self) -> None:
        self.health = CarrierHealth()
        self.space = 10
        self.taken: list[Outbound] = []

    async def start(self, sink: Any) -> None: ...

    def submit(self, batch: Sequence[Outbound]) -> None:
        self.taken += batch
        self.space -= len(batch)

    def room(self) -> int:
        return self.space

    def acknowledge(self, acks: list[object]) -> None: ...

    async def close(self, timeout_s: float = 5.0) -> None: ...


def message(number: int, **changes: Any) -> Intent:
    return Intent(number, 33600000000 + number, "x", "ACME", slice_id=1, **changes)


def started(*messages: Intent) -> tuple[Flow, Paper]:
    paper = Paper()
    flow = Flow(paper, None, lambda: None)
    flow.on_state(CarrierState.BOUND, "")
    flow.release(messages)
    flow.pump()
    return flow, paper


def accepted(number: int, segment: int = 1, segments: int = 1) -> Answer:
    return Answer(number, segment, segments, 24, f"{number}-{segment}")


@looped
async def test_no_more_is_handed_over_than_there_is_room_for() -> None:
    flow, paper = started(*(message(number) for number in range(25)))
    assert len(paper.taken) == 10
    paper.space = 5
    flow.on_answers([accepted(0)])
    assert len(paper.taken) == 15
    assert [m.message_id for m, _ in flow.answered] == [0]


@looped
async def test_a_message_is_answered_when_all_its_segments_are() -> None:
    flow, _ = started(message(1, segments=2))
    flow.on_answers([accepted(1, 1, 2)])
    assert (len(flow.answered), len(flow.outstanding)) == (0, 1)
    flow.on_answers([accepted(1, 2, 2)])
    assert (len(flow.answered), len(flow.outstanding), flow.parts) == (1, 0, {})


@looped
async def test_lost_messages_are_told_with_the_segments_that_were_answered() -> None:
    flow, _ = started(message(1, segments=2), message(2))
    flow.on_answers([accepted(1, 1, 2)])
    flow.on_lost([1, 2])
    assert [(m.message_id, len(parts)) for m, parts in flow.lost] == [(1, 1), (2, 0)]
    flow.on_answers([accepted(2)])
    assert [answer.message_id for answer in flow.late] == [2]


@looped
async def test_a_notification_is_sent_again_when_its_account_prefers_twice_to_never() -> None:
    flow, paper = started(message(1, is_notification=True, resends_in_doubt=True), message(2, resends_in_doubt=True))
    flow.on_lost([1, 2])
    assert [m.message_id for m, _ in flow.lost] == [2]
    flow.pump()
    assert [m.message_id for m in paper.taken] == [1, 2, 1]


@looped
async def test_what_was_never_written_keeps_its_place() -> None:
    flow, paper = started(*(message(number) for number in range(12)))
    flow.on_unsent(paper.taken[8:10])
    assert [m.message_id for m in flow.ready] == [8, 9, 10, 11]


@looped
async def test_notifications_overtake_what_waits_and_keep_their_own_order() -> None:
    flow, paper = started(*(message(number) for number in range(12)))
    flow.release([message(20, is_notification=True), message(12), message(21, is_notification=True)])
    paper.space = 2
    flow.pump()
    paper.space = 10
    flow.pump()
    assert [m.message_id for m in paper.taken[10:]] == [20, 21, 10, 11, 12]
    assert flow.waiting() == 0


@looped
async def test_a_slice_of_notifications_that_stops_gives_back_only_its_own() -> None:
    flow, paper = started(*(message(number) for number in range(12)))
    flow.release([message(20, is_notification=True)])
    flow.release([Intent(21, 33600000021, "x", "ACME", slice_id=2, is_notification=True)])
    flow.pull({2})
    assert [back.message.message_id for back in flow.given_back] == [21]
    paper.space = 10
    flow.pump()
    assert [m.message_id for m in paper.taken[10:]] == [20, 10, 11]


@looped
async def test_what_a_throttling_carrier_gives_back_may_go_elsewhere() -> None:
    flow, paper = started(message(1), message(2))
    flow.on_state(CarrierState.THROTTLED, "too fast")
    flow.on_unsent(list(paper.taken))
    assert [(back.message.message_id, back.is_refused) for back in flow.given_back] == [(1, True), (2, True)]
    assert flow.outstanding == {}


@looped
async def test_later_means_later_and_after_some_tries_elsewhere() -> None:
    flow, paper = started(message(1))
    before, module.FIRST_RETRY_S = module.FIRST_RETRY_S, 0.001
    try:
        for _ in range(module.TRIES):
            flow.on_answers([Answer(1, 1, 1, 12, "", 8, is_retryable=True)])
            handle = flow.delayed[1]
            flow._again(flow.outstanding[1])
            handle.cancel()
        flow.on_answers([Answer(1, 1, 1, 12, "", 8, is_retryable=True)])
    finally:
        module.FIRST_RETRY_S = before
    assert len(paper.taken) == 1 + module.TRIES
    assert [(back.message.message_id, back.is_refused) for back in flow.given_back] == [(1, True)]


@looped
async def test_a_slice_that_stops_gives_back_what_was_not_handed_over() -> None:
    flow, paper = started(*(message(number) for number in range(15)))
    flow.pull({1})
    assert [back.message.message_id for back in flow.given_back] == list(range(10, 15))
    assert set(flow.outstanding) == {m.message_id for m in paper.taken}


@looped
async def test_what_comes_back_of_a_stopped_slice_is_not_handed_over_again() -> None:
    flow, paper = started(message(1), message(2))
    flow.pull({1})
    flow.on_unsent(list(paper.taken))
    assert [back.message.message_id for back in flow.given_back] == [2, 1]
    assert (list(flow.ready), flow.outstanding) == ([], {})


@looped
async def test_at_the_end_everything_goes_back_and_the_rest_is_in_doubt() -> None:
    flow, paper = started(*(message(number) for number in range(12)))
    flow.close()
    flow.on_unsent(paper.taken[5:])
    flow.on_answers([accepted(0)])
    flow.abandon()
    assert sorted(back.message.message_id for back in flow.given_back) == list(range(5, 12))
    assert [m.message_id for m, _ in flow.lost] == [1, 2, 3, 4]
    assert flow.outstanding == {}
