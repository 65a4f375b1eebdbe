"""What an SMSC gets wrong, in the log once: the same fault again is only counted, so that a broken SMSC cannot fill the disk."""

from __future__ import annotations

import logging
import re

logger = logging.getLogger(__name__)

_AGAIN_AFTER_S = 3600.0
_MAX_KINDS = 200
_VARIABLE = re.compile(r"sequence \d+|body [0-9a-f…-]+|starts [0-9a-f]+")


class FaultLog:
    def __init__(self, name: str) -> None:
        self._name = name
        self._seen: dict[str, tuple[float, int]] = {}  # kind → when it was logged, how often since

    def note(self, faults: list[str], now: float) -> None:
        for fault in faults:
            kind = _VARIABLE.sub("", fault)
            logged_at, count = self._seen.get(kind, (now - _AGAIN_AFTER_S, 0))
            if now - logged_at < _AGAIN_AFTER_S:
                self._seen[kind] = logged_at, count + 1
                continue
            if len(self._seen) >= _MAX_KINDS:
                self._seen.clear()
            self._seen[kind] = now, 0
            logger.warning("%s: %s%s", self._name, fault, f" (and {count} like it before)" if count else "")
