"""How fast: messages an hour of one campaign, segments a second of one sender. Both are shared by the gateways that send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from carillon.domain.senders import kind_of
from carillon.services.ticks import Intent

_BURST_S = 1.0  # a paced campaign may save up this much
_SENDER_BURST_S = 0.15  # a sender less: carriers count each second
_MOST_SENDERS = 10_000


@dataclass(slots=True)
class Pace:
    """Tokens for `rate` a second, of which at least one, and at most `burst_s` seconds' worth, may be saved up."""

    rate: float
    burst_s: float = _BURST_S
    sharers: int = 1
    tokens: float = 1.0
    at: float | None = None

    def allowed(self, now: float) -> int:
        rate = self.rate / max(self.sharers, 1)
        if self.at is not None:
            self.tokens = min(max(1.0, rate * self.burst_s), self.tokens + (now - self.at) * rate)
        self.at = now
        return int(self.tokens + 1e-9)


class SenderRates:
    """`limits`: a sender, or a kind of domain.senders, to segments a second; the sender's own line wins.

    `sharers` gateways each take an equal part. A message of several segments leaves once there is a token for its first, and the
    sender then waits for the others.
    """

    def __init__(self, limits: Mapping[str, float]) -> None:
        self._limits = limits
        self._paces: dict[str, Pace | None] = {}
        self.sharers = 1

    def __bool__(self) -> bool:
        return bool(self._limits)

    def fitting(self, messages: Iterable[Intent], most: int, now: float) -> int:
        """How many of the first `most` messages may leave; their tokens are spent."""
        for number, message in enumerate(islice(messages, most)):
            pace = self._pace_of(message.sender)
            if pace is None:
                continue
            pace.sharers = self.sharers
            if pace.allowed(now) < 1:
                return number
            pace.tokens -= message.segments
        return most

    def _pace_of(self, sender: str) -> Pace | None:
        if sender not in self._paces:
            if len(self._paces) >= _MOST_SENDERS:
                self._paces.clear()
            limit = self._limits.get(sender.removeprefix("+")) or self._limits.get(kind_of(sender), 0.0)
            self._paces[sender] = Pace(limit, _SENDER_BURST_S) if limit else None
        return self._paces[sender]
