"""What a gateway holds at the moment: slices, the messages of each still to be intended, and which may leave next.

Pure memory, one thread. Notifications leave before marketing; among campaigns of the same priority everyone has a turn of
`TURN` messages, so that a campaign of ten is not behind a campaign of a million.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from carillon.services.ticks import Claimed, Intent, Refusal

TURN = 20
_BURST_S = 1.0  # a paced campaign may save up this much


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
class Pace:
    """Messages an hour of one campaign, shared by the gateways that hold slices of it."""

    per_hour: int
    sharers: int = 1
    tokens: float = 1.0
    at: float | None = None

    def allowed(self, now: float) -> int:
        rate = self.per_hour / 3600 / max(self.sharers, 1)
        if self.at is not None:
            self.tokens = min(max(1.0, rate * _BURST_S), self.tokens + (now - self.at) * rate)
        self.at = now
        return int(self.tokens)


@dataclass(slots=True)
class Book:
    slices: dict[int, Held] = field(default_factory=dict)
    paces: dict[int, Pace] = field(default_factory=dict)
    _turn: int = 0  # the campaign that was served last

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
            pace = self.paces.setdefault(claim.campaign_id, Pace(claim.pace_per_hour))
            pace.per_hour = claim.pace_per_hour
        return held

    def waiting(self) -> int:
        """Messages that could be intended without claiming anything."""
        return sum(len(held.messages) for held in self.slices.values() if not held.is_stopping)

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
        for priority in sorted({held.claim.priority for held in self.slices.values()}):
            if room <= 0:
                break
            room -= self._choose_among(self._ready(priority, is_open), room, now, chosen)
        return chosen

    def _ready(self, priority: int, is_open: Callable[[str], bool]) -> dict[int, deque[Held]]:
        """campaign -> its slices in order, the campaign after the last one served first."""
        lanes: dict[int, deque[Held]] = {}
        for held in self.slices.values():
            if held.claim.priority == priority and held.messages and not held.is_stopping and is_open(held.calendar):
                lanes.setdefault(held.claim.campaign_id, deque()).append(held)
        order = sorted(lanes, key=lambda campaign_id: (campaign_id <= self._turn, campaign_id))
        return {campaign_id: lanes[campaign_id] for campaign_id in order}

    def _choose_among(
        self, lanes: dict[int, deque[Held]], room: int, now: float, chosen: list[tuple[Held, list[Intent]]]
    ) -> int:
        allowed = {
            campaign_id: self.paces[campaign_id].allowed(now) if campaign_id in self.paces else room
            for campaign_id in lanes
        }
        taken = 0
        turn = TURN if len(lanes) > 1 else room
        while lanes and taken < room:
            for campaign_id in list(lanes):
                count = min(turn, room - taken, allowed[campaign_id])
                held = lanes[campaign_id][0]
                count = min(count, len(held.messages))
                if count > 0:
                    chosen.append((held, [held.messages.popleft() for _ in range(count)]))
                    taken += count
                    allowed[campaign_id] -= count
                    self._turn = campaign_id
                    if campaign_id in self.paces:
                        self.paces[campaign_id].tokens -= count
                if not held.messages:
                    lanes[campaign_id].popleft()
                if not lanes[campaign_id] or allowed[campaign_id] <= 0:
                    del lanes[campaign_id]
                if taken >= room:
                    break
        return taken

    def drop(self, slice_id: int) -> None:
        held = self.slices.pop(slice_id, None)
        if held is not None and not any(h.claim.campaign_id == held.claim.campaign_id for h in self.slices.values()):
            self.paces.pop(held.claim.campaign_id, None)
