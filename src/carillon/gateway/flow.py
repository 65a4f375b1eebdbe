"""Between the intent on disk and the result on disk: what may be written, what was, and what came back.

Implements carriers.base.Sink. Runs in the event loop; nothing here waits or touches the database.

    release ──> ready ──pump──> carrier ──> answered, lost, ready again, or returned
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from carillon.carriers.base import Carrier, CarrierState
from carillon.domain.traffic import Answer, Inbound, Outbound, Receipt
from carillon.gateway.recorder import Recorder
from carillon.services.ticks import Intent

logger = logging.getLogger(__name__)

TRIES = 3  # of a message the carrier answers "later" to, before another connector may have it
FIRST_RETRY_S = 2.0


@dataclass(slots=True)
class GivenBack:
    """Intended and never taken. `is_refused`: this carrier does not want it now."""

    message: Intent
    is_refused: bool


class Flow:
    """Of one run. `wake` is called when there is something for the next tick."""

    def __init__(
        self, carrier: Carrier, recorder: Recorder | None, wake: Callable[[], None], *, name: str = "carrier"
    ) -> None:
        self.name = name
        self.carrier = carrier
        self.recorder = recorder
        self.wake = wake
        self.outstanding: dict[int, Intent] = {}  # intended, no result given to a tick yet
        self.urgent: deque[Intent] = deque()  # notifications: handed over before those in `ready`
        self.ready: deque[Intent] = deque()
        self.parts: dict[int, list[Answer]] = {}  # answers of messages whose other segments are unanswered
        self.tries: dict[int, int] = {}
        self.delayed: dict[int, asyncio.TimerHandle] = {}
        self.stopped: set[int] = set()  # slices of which nothing more may be handed over, until they are given back
        self.answered: list[tuple[Intent, list[Answer]]] = []
        self.late: list[Answer] = []
        self.lost: list[tuple[Intent, list[Answer]]] = []
        self.given_back: list[GivenBack] = []
        self.receipts: list[tuple[Receipt, object]] = []
        self.inbounds: list[tuple[Inbound, object]] = []
        self.inbound_arrived = asyncio.Event()
        self.is_closing = False
        self.down_since: float | None = None
        self.state, self.reason = CarrierState.CONNECTING, ""
        self.heard_at: float | None = None  # when the last receipt came
        self.untold = 0  # segments accepted since
        self.untold_since: float | None = None
        self._loop = asyncio.get_running_loop()

    # ------------------------------------------------------------------ towards the carrier

    def release(self, messages: Iterable[Intent]) -> None:
        """Their intent is on disk."""
        outstanding, urgent, ready = self.outstanding, self.urgent, self.ready
        for message in messages:
            outstanding[message.message_id] = message
            (urgent if message.is_notification else ready).append(message)

    def _queue_of(self, message: Intent) -> deque[Intent]:
        return self.urgent if message.is_notification else self.ready

    def waiting(self) -> int:
        """Messages that may be handed over and that the carrier has no room for yet."""
        return len(self.urgent) + len(self.ready)

    def pump(self) -> None:
        """Hands over as many as it is useful to, notifications first; within the carrier they overtake too."""
        while self.waiting() and not self.is_closing:
            room = self.carrier.room()
            if room <= 0:
                return
            taken: list[Outbound] = [self.urgent.popleft() for _ in range(min(room, len(self.urgent)))]
            taken += [self.ready.popleft() for _ in range(min(room - len(taken), len(self.ready)))]
            self.carrier.submit(taken)

    def heard(self) -> None:
        """A receipt came, here or (HTTP) where the carrier calls."""
        self.heard_at = self._loop.time()
        self.untold, self.untold_since = 0, None

    def heard_s(self) -> float | None:
        return None if self.heard_at is None else self._loop.time() - self.heard_at

    def untold_s(self) -> float:
        """How long segments have been accepted without any receipt."""
        return 0.0 if self.untold_since is None else self._loop.time() - self.untold_since

    def is_down(self) -> bool:
        return self.state not in (CarrierState.BOUND, CarrierState.THROTTLED)

    def pull(self, slice_ids: set[int]) -> None:
        """These slices stop: whatever of them has not been given to the carrier goes back."""
        self.stopped |= slice_ids
        for queue in (self.urgent, self.ready):
            messages = list(queue)
            queue.clear()
            for message in messages:
                if message.slice_id in slice_ids:
                    self._give_back(message, is_refused=False)
                else:
                    queue.append(message)
        for message_id in [m for m in self.delayed if self.outstanding[m].slice_id in slice_ids]:
            self.delayed.pop(message_id).cancel()
            self._give_back(self.outstanding[message_id], is_refused=False)

    def _give_back(self, message: Intent, *, is_refused: bool) -> None:
        self.outstanding.pop(message.message_id, None)
        self.tries.pop(message.message_id, None)
        self.given_back.append(GivenBack(message, is_refused))

    # ------------------------------------------------------------------ carriers.base.Sink

    def on_answers(self, answers: list[Answer]) -> None:
        outstanding, answered = self.outstanding, self.answered
        for answer in answers:
            message = outstanding.get(answer.message_id)
            if message is None:
                self.late.append(answer)
            elif answer.is_retryable and answer.segments == 1:
                self._later(message)
            elif answer.segments == 1:
                del outstanding[answer.message_id]
                answered.append((message, [answer]))
            else:
                self._gather(message, answer)
        self.untold += len(answers)
        if self.untold_since is None:
            self.untold_since = self._loop.time()
        if self.tries:
            for message, _ in self.answered:
                self.tries.pop(message.message_id, None)
        self.pump()
        self.wake()

    def _gather(self, message: Intent, answer: Answer) -> None:
        parts = self.parts.setdefault(message.message_id, [])
        parts.append(answer)
        if len(parts) >= answer.segments:
            del self.parts[message.message_id], self.outstanding[message.message_id]
            self.answered.append((message, parts))

    def _later(self, message: Intent) -> None:
        tries = self.tries[message.message_id] = self.tries.get(message.message_id, 0) + 1
        if tries > TRIES or self.is_closing:
            self._give_back(message, is_refused=not self.is_closing)
            return
        delay = FIRST_RETRY_S * 2 ** (tries - 1)
        self.delayed[message.message_id] = self._loop.call_later(delay, self._again, message)

    def _again(self, message: Intent) -> None:
        self.delayed.pop(message.message_id, None)
        self._ready_again([message])
        self.pump()

    def _ready_again(self, messages: list[Intent]) -> None:
        """In front of the others, in this order; those of slices that were stopped meanwhile go back instead."""
        for message in reversed(messages):
            if message.slice_id in self.stopped:
                self._give_back(message, is_refused=False)
            else:
                self._queue_of(message).appendleft(message)

    def on_receipts(self, receipts: list[tuple[Receipt, object]]) -> None:
        self.receipts += receipts
        self.heard()
        self.wake()

    def on_inbounds(self, inbounds: list[tuple[Inbound, object]]) -> None:
        self.inbounds += inbounds
        self.inbound_arrived.set()

    def on_written(self, message_ids: list[int]) -> None:
        if self.recorder is not None:
            self.recorder.note(message_ids, self.outstanding)

    def on_lost(self, message_ids: list[int]) -> None:
        for message_id in message_ids:
            message = self.outstanding.get(message_id)
            if message is None:
                continue
            parts = self.parts.pop(message_id, [])
            if message.is_notification and message.resends_in_doubt and not parts and not self.is_closing:
                self._ready_again([message])  # the account prefers twice to never
                continue
            del self.outstanding[message_id]
            self.lost.append((message, parts))
        self.wake()

    def on_unsent(self, messages: list[Outbound]) -> None:
        mine = [self.outstanding[m.message_id] for m in messages if m.message_id in self.outstanding]
        is_refused = self.state is CarrierState.THROTTLED and not self.is_closing
        if is_refused or self.is_closing:
            for message in mine:
                self._give_back(message, is_refused=is_refused)
            self.wake()
        else:
            self._ready_again(mine)

    def on_state(self, state: CarrierState, reason: str) -> None:
        if state is not self.state:
            is_passing = CarrierState.THROTTLED in (state, self.state)  # comes and goes several times a second
            logger.log(logging.DEBUG if is_passing else logging.INFO, "%s: %s %s", self.name, state, reason)
        self.state, self.reason = state, reason
        if not self.is_down():
            self.down_since = None
            self._loop.call_soon(self.pump)
        elif self.down_since is None:
            self.down_since = self._loop.time()
        self.wake()

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """Nothing more is handed over: what waits here goes back."""
        self.is_closing = True
        self.pull({message.slice_id for message in self.outstanding.values()})

    def drop_waiting(self) -> None:
        """The seat is lost: what waits here is the successor's."""
        self.urgent.clear()
        self.ready.clear()

    def abandon(self) -> None:
        """At the very end: what the carrier still had and never told of is in doubt."""
        self.on_lost(list(self.outstanding))
