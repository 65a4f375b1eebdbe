"""How fast: a token bucket in segments a second, and the pause an SMSC asks for. Clocks are passed in."""

from __future__ import annotations

import random


class TokenBucket:
    """`rate` segments a second, in bursts of at most a tenth of a second's worth; 0 means no limit.

    The far end may allow less than it was configured with: three refusals in a row take the bucket down by a sixth (the first
    time, when there was no limit, to what had been accepted); while nothing is refused it goes up again, fast up to where
    it was refused last, slowly from there. A refusal among acceptances is chance, and only pauses.
    """

    __slots__ = (
        "_at", "_ceiling", "_count", "_depth", "_grown_at", "_last_count", "_rate", "_refused_rate", "_second", "_started_at",
        "_streak", "_tokens",
    )  # fmt: skip

    def __init__(self, rate: float) -> None:
        self._ceiling = rate
        self._refused_rate = 0.0
        self._streak = 0  # refusals since the last acceptance
        self._second = self._count = self._last_count = 0  # accepted in this second of the clock, and in the one before
        self._started_at = 0.0
        self._grown_at = 0.0
        self._at: float | None = None
        self._set(rate)
        self._tokens = self._depth

    @property
    def rate(self) -> float:
        return self._rate

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

    def accepted(self, now: float, n: int = 1) -> None:
        if not n:
            return
        self._streak = 0
        second = int(now)
        if second != self._second:
            self._last_count = self._count if second == self._second + 1 else 0
            self._second, self._count = second, 0
            self._started_at = self._started_at or now
        self._count += n

    def refused(self, now: float) -> None:
        """The far end said "too fast". All such answers until it accepts something again count once: probes refused during a
        long pause say nothing new, and would bring the rate down to nothing."""
        self._streak += 1
        if self._streak != 3 or now - self._grown_at < 0.05:
            return
        rate = self._rate or self._measured(now)
        if rate < 1.0:  # nothing was accepted lately: there is no rate to go down from, the pauses must do
            return
        self._refused_rate = rate
        self._grown_at = now
        self._set(max(1.0, self._refused_rate * 0.85))
        self._tokens = min(self._tokens, self._depth)

    def _measured(self, now: float) -> float:
        """Accepted a second, over the last second or since the first was."""
        share = 1.0 - (now - int(now))  # of the second before, so that a whole second is looked at
        count = self._count + self._last_count * share if int(now) == self._second else self._count * share
        return count / min(1.0, max(now - self._started_at, 0.02))

    def grow(self, now: float) -> None:
        """Call about every second: a slowed bucket goes up again."""
        if self._rate == self._ceiling or now - self._grown_at < 1.0:
            return
        self._grown_at = now
        rate = self._rate * (1.5 if self._rate * 1.5 <= self._refused_rate else 1.03)
        self._set(min(rate, self._ceiling) if self._ceiling else rate)

    def _set(self, rate: float) -> None:
        self._rate = rate
        self._depth = max(1.0, rate / 10)


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
