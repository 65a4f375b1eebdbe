"""How fast: a token bucket in segments a second, and the pause an SMSC asks for. Clocks are passed in."""

from __future__ import annotations

import random


class TokenBucket:
    """`rate` segments a second, in bursts of at most a tenth of a second's worth; 0 means no limit."""

    __slots__ = ("_at", "_depth", "_rate", "_tokens")

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._depth = max(1.0, rate / 10)
        self._tokens = self._depth
        self._at: float | None = None

    def available(self, now: float) -> int:
        if not self._rate:
            return 1 << 30
        if self._at is not None:
            self._tokens = min(self._depth, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return int(self._tokens + 1e-9)

    def spend(self, count: int) -> None:
        if self._rate:
            self._tokens -= count

    def delay_s(self) -> float:
        """Until the next token, after `available` said 0."""
        return max(0.001, (1.0 - self._tokens) / self._rate) if self._rate else 0.0


class Pause:
    """Grows while the SMSC goes on refusing, starts small again after it accepted something.

    After a pause one segment alone goes out as a probe, so that a refusal costs one answer and the order stays.
    """

    __slots__ = ("_length_s", "_maximum_s", "_minimum_s", "_since", "until")

    def __init__(self, *, minimum_s: float, maximum_s: float) -> None:
        self._minimum_s = minimum_s
        self._maximum_s = maximum_s
        self._length_s = 0.0
        self._since: float | None = None
        self.until: float | None = None

    @property
    def is_on(self) -> bool:
        return self.until is not None

    @property
    def is_probing(self) -> bool:
        return self.until is None and self._since is not None

    def start(self, now: float) -> float:
        """Begins a pause, or stays in the one that is on; returns when it ends."""
        if self.until is None:
            self._length_s = min(self._maximum_s, self._length_s * 2 or self._minimum_s)
            self.until = now + self._length_s * random.uniform(0.75, 1.25)  # noqa: S311 no secret
            self._since = now if self._since is None else self._since
        return self.until

    def end(self) -> None:
        self.until = None

    def accepted(self) -> None:
        """The SMSC takes messages again."""
        if self.until is None:
            self._length_s = 0.0
            self._since = None

    def lasted_s(self, now: float) -> float:
        """Since the first refusal after the last acceptance."""
        return 0.0 if self._since is None else now - self._since


def backoff_s(attempt: int, *, minimum_s: float, maximum_s: float) -> float:
    """Wait before connecting again: doubles with each failed attempt (from 0), spread so that binds do not march in step."""
    return min(maximum_s, minimum_s * 2.0 ** min(attempt, 30)) * random.uniform(0.5, 1.0)  # noqa: S311 no secret
