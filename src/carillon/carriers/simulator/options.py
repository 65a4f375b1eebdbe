"""How the simulator behaves; every field may be changed while it runs (`set` on the control port)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from carillon.domain.errors import InvalidInput

DEFAULT_MIX: Mapping[str, float] = {
    "delivered": 95.0, "undelivered": 1.5, "unassigned": 1.0, "unavailable": 1.0, "expired": 0.5, "rejected": 0.5,
    "silent": 0.5,
}  # fmt: skip


@dataclass(slots=True)
class SimulatorOptions:
    """Durations in seconds, shares in per cent."""

    system_id: str = ""  # "" accepts any
    password: str | None = None  # None accepts any
    seed: int = 1
    mix: dict[str, float] = field(default_factory=lambda: dict(DEFAULT_MIX))
    answer_delay_s: float = 0.0
    receipt_delay_s: float = 0.5
    receipt_spread_s: float = 0.0  # each receipt waits up to this much longer, by its number
    receipt_window: int = 1000  # deliver_sm unanswered per bind
    receipt_tlvs: bool = True
    answer_ids: str = "hex"  # hex, HEX (padded) or decimal
    receipt_ids: str = "hex"
    rate: float = 0.0  # segments a second accepted over all binds; more is throttled. 0: no limit
    is_mute: bool = False  # keeps the connections and says nothing
    record: str = ""  # JSON lines of what was accepted, flushed at once
    kept_per_handset: int = 200
    kept_handsets: int = 20_000


_FORMATS = ("hex", "HEX", "decimal")


def change(options: SimulatorOptions, changes: Mapping[str, Any]) -> None:
    """Raises InvalidInput and changes nothing when a name or a value is wrong."""
    known = {item.name: getattr(options, item.name) for item in fields(options)}
    for name, value in changes.items():
        if name not in known or name in ("record",):
            raise InvalidInput(f"{name} cannot be set. Settable: {', '.join(sorted(known))}.", field=name)
        _check(name, value, known[name])
    for name, value in changes.items():
        setattr(options, name, float(value) if isinstance(known[name], float) else value)


def _check(name: str, value: Any, old: Any) -> None:
    if name == "mix":
        is_fine = isinstance(value, dict) and all(
            key in DEFAULT_MIX and isinstance(share, int | float) and share >= 0 for key, share in value.items()
        )
        is_fine = is_fine and sum(value.values()) > 0
    elif name in ("answer_ids", "receipt_ids"):
        is_fine = value in _FORMATS
    elif name == "password":
        is_fine = value is None or isinstance(value, str)
    elif isinstance(old, bool):
        is_fine = isinstance(value, bool)
    elif isinstance(old, int | float):
        is_fine = not isinstance(value, bool) and isinstance(value, int | float) and value >= 0
    else:
        is_fine = isinstance(value, str)
    if not is_fine:
        raise InvalidInput(f"{name} cannot be {value!r}.", field=name)
