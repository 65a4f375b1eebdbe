"""From a connector's row to a carrier: the one place that knows every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from carillon.carriers.base import Carrier
from carillon.carriers.smpp import options as smpp_options
from carillon.carriers.smpp.client import SmppCarrier
from carillon.domain.errors import InvalidInput

_SIMULATOR_DEFAULTS: Mapping[str, Any] = {"host": "127.0.0.1", "port": 2775, "system_id": "carillon", "window": 500}


def _smpp(options: Mapping[str, Any], secret: str) -> Carrier:
    return SmppCarrier(smpp_options.parse(options), password=secret)


def _simulator(options: Mapping[str, Any], secret: str) -> Carrier:
    """Our own simulator, over SMPP like any SMSC; only what differs from its defaults need be given."""
    return _smpp({**_SIMULATOR_DEFAULTS, **options}, secret)


KINDS: dict[str, Callable[[Mapping[str, Any], str], Carrier]] = {"smpp": _smpp, "simulator": _simulator}


def build(kind: str, options: Mapping[str, Any], secret: str = "") -> Carrier:
    """The carrier for a connector, not started: calling it is also how options are checked. Raises InvalidInput naming the
    option at fault."""
    if kind not in KINDS:
        raise InvalidInput(f"{kind} is no kind of connector. Known: {', '.join(sorted(KINDS))}.", field="kind")
    return KINDS[kind](options, secret)
