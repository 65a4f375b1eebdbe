"""Messages between the gateway's hand and the wire: order, segments of one message, and who must be told what.

A message is *untouched* while the SMSC cannot have taken any segment of it: only then may it go back to the gateway.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from carillon.domain.traffic import Outbound


@dataclass(slots=True, eq=False)
class Siblings:
    """What the segments of one long message share."""

    outstanding: int = 0  # written, and not refused as "later": the SMSC has them or may have them
    is_over: bool = False  # lost or refused: the segments not written yet never will be
    is_lost: bool = False  # the gateway knows it is in doubt


@dataclass(slots=True, eq=False)
class Flight:
    """One segment: the token a session gives back with its answer."""

    message: Outbound
    segment: int
    segments: int
    body: bytes
    order: int
    siblings: Siblings | None = None
    tries: int = 0
    is_lost: bool = False  # reported in doubt; a late answer settles it

    @property
    def is_untouched(self) -> bool:
        return not self.is_lost and (self.siblings is None or self.siblings.outstanding == 0)


class Outgoing:
    """Notifications before the rest, else first come, first served; what the SMSC asked to have later keeps its place."""

    def __init__(self) -> None:
        self._urgent: deque[Outbound] = deque()
        self._ready: deque[Outbound] = deque()
        self._cut: deque[Flight] = deque()  # segments not written yet
        self._held: list[Flight] = []  # refused as "later", until the pause ends
        self._order = 0

    def __len__(self) -> int:
        return len(self._urgent) + len(self._ready) + len(self._cut) + len(self._held)

    @property
    def is_waiting(self) -> bool:
        """Something could be written now."""
        return bool(self._cut or self._ready or self._urgent)

    def add(self, batch: Sequence[Outbound]) -> None:
        for message in batch:
            (self._urgent if message.is_notification else self._ready).append(message)

    def next(self, encode: Callable[[Outbound], list[bytes]]) -> Flight | None:
        """The segment to write next, cutting its message when that has not been done.

        Raises Unencodable, the message being out of the queue, when `encode` cannot make PDUs of it.
        """
        if self._cut:
            return self._cut.popleft()
        if self._urgent:
            message = self._urgent.popleft()
        elif self._ready:
            message = self._ready.popleft()
        else:
            return None
        try:
            bodies = encode(message)
        except ValueError as error:
            raise Unencodable(message, str(error)) from error
        self._order += 1
        if len(bodies) == 1:
            return Flight(message, 1, 1, bodies[0], self._order)
        siblings, total = Siblings(), len(bodies)
        self._cut.extend(
            Flight(message, number, total, body, self._order, siblings) for number, body in enumerate(bodies, 1)
        )
        return self._cut.popleft()

    def hold(self, flight: Flight) -> None:
        if flight.siblings is not None:
            flight.siblings.outstanding -= 1
        flight.tries += 1
        self._held.append(flight)

    def resume(self) -> None:
        """The pause is over: held segments go first, in their first order, notifications before the rest."""
        if self._held:
            flights = [*self._held, *self._cut]
            flights.sort(key=lambda flight: (not flight.message.is_notification, flight.order, flight.segment))
            self._cut = deque(flights)
            self._held.clear()

    def end(self, siblings: Siblings) -> list[Flight]:
        """The message is lost or refused: takes its other unwritten segments out, and returns them."""
        siblings.is_over = True
        dropped = [flight for flight in (*self._cut, *self._held) if flight.siblings is siblings]
        if dropped:
            self._cut = deque(flight for flight in self._cut if flight.siblings is not siblings)
            self._held = [flight for flight in self._held if flight.siblings is not siblings]
        return dropped

    def take_untouched(self) -> list[Outbound]:
        """Everything that may go back to the gateway, in order. Messages the SMSC has a part of stay."""
        flights = sorted((*self._held, *self._cut), key=lambda flight: (flight.order, flight.segment))
        messages = {
            flight.message.message_id: flight.message for flight in flights if flight.is_untouched
        }  # one entry per message, whatever its segments
        self._cut = deque(flight for flight in flights if not flight.is_untouched)
        self._held.clear()
        messages |= {message.message_id: message for message in (*self._urgent, *self._ready)}
        self._urgent.clear()
        self._ready.clear()
        return list(messages.values())

    def take_begun(self) -> list[int]:
        """At the very end: ids of messages of which the SMSC has only some segments."""
        ids = {flight.message.message_id: None for flight in (*self._cut, *self._held)}
        self._cut.clear()
        self._held.clear()
        return list(ids)


class Unencodable(ValueError):
    """`message` fits in no PDU."""

    def __init__(self, message: Outbound, reason: str) -> None:
        super().__init__(reason)
        self.message = message
