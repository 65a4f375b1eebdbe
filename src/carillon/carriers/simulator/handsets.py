"""The phones of the simulator: what each received and sent, and whether it is on. Memory is bounded."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Power(StrEnum):
    ON = "on"
    OFF = "off"  # messages wait in the centre until it is on, or expire
    ABSENT = "absent"  # messages fail at once: absent subscriber
    UNKNOWN = "unknown"  # the number is not assigned


@dataclass(slots=True)
class Text:
    """One line of a conversation. `direction` is "in" for what the phone received, "out" for what its owner sent."""

    id: int
    direction: str
    msisdn: str
    peer: str  # sender of an "in", destination of an "out"
    text: str
    at: float  # Unix time
    segments: int = 1
    carrier_message_ids: list[str] = field(default_factory=list)


class Handsets:
    def __init__(self, *, kept_per_handset: int, kept_handsets: int, clock: Callable[[], float] = time.time) -> None:
        self._kept = kept_per_handset
        self._most = kept_handsets
        self._clock = clock
        self._texts: OrderedDict[str, deque[Text]] = OrderedDict()  # the one touched last stands last
        self._power: dict[str, Power] = {}
        self._last_id = 0

    def power(self, msisdn: str) -> Power:
        return self._power.get(msisdn, Power.ON)

    def set_power(self, msisdn: str, power: Power) -> None:
        if power is Power.ON:
            self._power.pop(msisdn, None)
        else:
            self._power[msisdn] = power

    def add(
        self, msisdn: str, *, peer: str, text: str, direction: str, segments: int = 1, ids: list[str] | None = None
    ) -> Text:
        self._last_id += 1
        line = Text(self._last_id, direction, msisdn, peer, text, self._clock(), segments, ids or [])
        texts = self._texts.get(msisdn)
        if texts is None:
            texts = self._texts[msisdn] = deque(maxlen=self._kept)
            if len(self._texts) > self._most:
                self._texts.popitem(last=False)
        else:
            self._texts.move_to_end(msisdn)
        texts.append(line)
        return line

    def texts(self, msisdn: str, *, after: int = 0) -> list[dict[str, Any]]:
        """Oldest first; `after` is the id of the last one already seen."""
        return [asdict(line) for line in self._texts.get(msisdn, ()) if line.id > after]

    def recent(self, *, limit: int = 50) -> list[dict[str, Any]]:
        """The phones touched last, newest first, each with its last text."""
        found = []
        for msisdn in reversed(self._texts):
            last = self._texts[msisdn][-1]
            count = len(self._texts[msisdn])
            found.append({"msisdn": msisdn, "power": str(self.power(msisdn)), "count": count, "last": asdict(last)})
            if len(found) >= limit:
                break
        return found

    def latest_peer(self, msisdn: str) -> str:
        """The sender of the last text received, for a reply; "" when there is none."""
        for line in reversed(self._texts.get(msisdn, ())):
            if line.direction == "in":
                return line.peer
        return ""
