"""What a gateway holds at the moment: slices, the messages of each still to be intended, and which may leave next.

Pure memory, one thread. Notifications leave before marketing; among campaigns of the same priority the next turn of `TURN`
messages is always of the one that has had the least for its weight: a campaign of ten is not behind a campaign of a million,
and one of weight 3 advances three times as fast as one of weight 1. Who comes back after a while begins where the others are.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from carillon.gateway.pace import Pace, SenderRates
from carillon.services.ticks import Claimed, Intent, Refusal

TURN = 20


@dataclass(slots=True)
class Held:
    """A slice of ours. `open` counts intended messages that have no result on disk yet. `refusals` are recorded once the cursor
    has passed them: a slice that goes back before that is judged again, and a refusal on disk would then be refunded twice.
    """

    claim: Claimed
    messages: deque[Intent]
    cursor_id: int
    open: int = 0
    is_stopping: bool = False  # nothing more of it is intended; it goes back once `open` is 0
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def is_spent(self) -> bool:
        return not self.messages and not self.refusals

    def stop(self) -> None:
        self.is_stopping = True
        self.messages = deque()
        self.refusals = []

    def passed(self, cursor_id: int) -> list[Refusal]:
        """The refusals up to the cursor; taken out."""
        taken = [refusal for refusal in self.refusals if refusal.message.message_id <= cursor_id]
        self.refusals = self.refusals[len(taken) :]
        return taken

    @property
    def calendar(self) -> str:
        return calendar_key(self.claim.calendar, self.claim.closes_at_hour)


def calendar_key(calendar: str, closes_at_hour: int) -> str:
    """As the claiming statement writes it; "" for slices that may leave at any hour."""
    return f"{calendar}@{closes_at_hour}" if calendar else ""


@dataclass(slots=True)
class Book:
    slices: dict[int, Held] = field(default_factory=dict)
    paces: dict[int, Pace] = field(default_factory=dict)
    rates: SenderRates = field(default_factory=lambda: SenderRates({}))
    held_back: set[int] = field(
        default_factory=set
    )  # campaigns whose pace or sender let nothing more leave, the last time
    _had: dict[int, float] = field(default_factory=dict)  # campaign -> messages chosen for each unit of its weight
    _floors: dict[int, float] = field(default_factory=dict)  # priority -> where who comes (back) begins

    def add(
        self,
        claim: Claimed,
        messages: Iterable[Intent],
        *,
        cursor_id: int | None = None,
        refusals: Iterable[Refusal] = (),
    ) -> Held:
        """`refusals` in the order of their ids, as `messages`."""
        held = Held(claim, deque(messages), claim.cursor_id if cursor_id is None else cursor_id)
        held.refusals = list(refusals)
        self.slices[claim.id] = held
        if claim.pace_per_hour:
            rate = claim.pace_per_hour / 3600
            self.paces.setdefault(claim.campaign_id, Pace(rate)).rate = rate
        return held

    def waiting(self) -> int:
        """Messages that could be intended without claiming anything, those that are held back left out."""
        held_back = self.held_back
        return sum(
            len(held.messages)
            for held in self.slices.values()
            if not held.is_stopping and held.claim.campaign_id not in held_back
        )

    def urgent(self) -> int:
        """Those of `waiting` that are notifications."""
        return sum(len(h.messages) for h in self.slices.values() if h.claim.is_notification and not h.is_stopping)

    def campaigns(self) -> dict[int, int]:
        """campaign -> messages in hand and not yet intended."""
        found: dict[int, int] = {}
        for held in self.slices.values():
            found[held.claim.campaign_id] = found.get(held.claim.campaign_id, 0) + len(held.messages)
        return found

    def choose(self, room: int, *, is_open: Callable[[str], bool], now: float) -> list[tuple[Held, list[Intent]]]:
        """Up to `room` messages, in the order in which they should leave; taken out of the book."""
        chosen: list[tuple[Held, list[Intent]]] = []
        self.held_back.clear()
        for priority in sorted({held.claim.priority for held in self.slices.values()}):
            if room <= 0:
                break
            room -= self._choose_among(priority, self._ready(priority, is_open), room, now, chosen)
        return chosen

    def _ready(self, priority: int, is_open: Callable[[str], bool]) -> dict[int, deque[Held]]:
        """campaign -> its slices in order."""
        lanes: dict[int, deque[Held]] = {}
        for held in self.slices.values():
            if held.claim.priority == priority and held.messages and not held.is_stopping and is_open(held.calendar):
                lanes.setdefault(held.claim.campaign_id, deque()).append(held)
        return lanes

    def _choose_among(
        self,
        priority: int,
        lanes: dict[int, deque[Held]],
        room: int,
        now: float,
        chosen: list[tuple[Held, list[Intent]]],
    ) -> int:
        floor, taken = self._floors.get(priority, 0.0), 0
        queue = [(max(self._had.get(campaign_id, 0.0), floor), campaign_id) for campaign_id in lanes]
        heapq.heapify(queue)
        while queue and taken < room:
            had, campaign_id = heapq.heappop(queue)
            held = lanes[campaign_id][0]
            wanted = min(TURN if queue else room, room - taken, len(held.messages))
            count = self._spend(held, wanted, now)
            if count:
                chosen.append((held, [held.messages.popleft() for _ in range(count)]))
                taken += count
                had = self._had[campaign_id] = had + count / held.claim.weight
                floor = max(floor, had)
            if count < wanted:
                self.held_back.add(campaign_id)
                continue
            if not held.messages:
                lanes[campaign_id].popleft()
            if lanes[campaign_id]:
                heapq.heappush(queue, (had, campaign_id))
        self._floors[priority] = queue[0][0] if queue else floor
        return taken

    def _spend(self, held: Held, count: int, now: float) -> int:
        """How many of `count` the campaign's pace and the senders' rates let leave now."""
        pace = self.paces.get(held.claim.campaign_id)
        if pace is not None:
            count = min(count, pace.allowed(now))
        if self.rates and count:
            count = self.rates.fitting(held.messages, count, now)
        if pace is not None:
            pace.tokens -= count
        return count

    def drop(self, slice_id: int) -> None:
        held = self.slices.pop(slice_id, None)
        if held is not None and not any(h.claim.campaign_id == held.claim.campaign_id for h in self.slices.values()):
            self.paces.pop(held.claim.campaign_id, None)
            self._had.pop(held.claim.campaign_id, None)
