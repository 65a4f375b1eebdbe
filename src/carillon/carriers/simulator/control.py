"""The control port: one JSON object a line in, one a line out ({"ok": true, …} or {"ok": false, "error": "…"}).

Operations are the functions of `OPERATIONS`; docs/simulator.md lists them with examples.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from carillon.carriers.simulator import outcomes
from carillon.carriers.simulator.centre import Centre, Delivery
from carillon.carriers.simulator.handsets import Power
from carillon.carriers.simulator.options import change
from carillon.carriers.smpp.pdu import Message
from carillon.domain.errors import CarillonError, InvalidInput

_MAX_LINE = 1 << 20
Request = dict[str, Any]
Drop = Callable[[Centre], int]


class ControlPort(asyncio.Protocol):
    def __init__(self, centre: Centre, drop: Drop) -> None:
        self._centre = centre
        self._drop = drop
        self._kept = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        *lines, self._kept = (self._kept + data).split(b"\n")
        for line in lines:
            if line.strip():
                answer = perform(self._centre, line, self._drop)
                self._transport.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
        if len(self._kept) > _MAX_LINE:
            self._transport.close()


def perform(centre: Centre, line: bytes, drop: Drop) -> Request:
    """Never raises: what is wrong with the request comes back as a sentence."""
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise InvalidInput("A request is a JSON object.")
        operation = request.pop("op", None)
        if operation == "drop":
            return {"ok": True, "dropped": drop(centre)}
        if operation not in OPERATIONS:
            raise InvalidInput(f"op is one of: drop, {', '.join(sorted(OPERATIONS))}.", field="op")
        return {"ok": True, **OPERATIONS[operation](centre, request)}
    except CarillonError as error:
        return {"ok": False, "error": error.message}
    except (ValueError, RecursionError) as error:
        return {"ok": False, "error": f"not understood: {error}"}


def _mo(centre: Centre, request: Request) -> Request:
    count = centre.inject_mo(
        _number(request, "from"),
        to=_text(request, "to", ""),
        text=_text(request, "text"),
        system_id=request.get("system_id"),
    )
    return {"segments": count}


def _handset(centre: Centre, request: Request) -> Request:
    msisdn = _number(request, "msisdn")
    if "off" in request:
        power = Power.OFF if request["off"] else Power.ON
    elif "power" in request:
        power = Power(request["power"])
    else:
        return {"power": str(centre.handsets.power(msisdn))}
    centre.switch(msisdn, power)
    return {"power": str(power)}


def _messages(centre: Centre, request: Request) -> Request:
    return {"messages": centre.handsets.texts(_number(request, "msisdn"), after=_count(request, "after", 0))}


def _handsets(centre: Centre, request: Request) -> Request:
    return {"handsets": centre.handsets.recent(limit=_count(request, "limit", 50))}


def _set(centre: Centre, request: Request) -> Request:
    change(centre.options, request)
    centre.pump()
    return {"options": asdict(centre.options)}


def _stats(centre: Centre, request: Request) -> Request:
    return {"stats": centre.stats()}


def _throttle(centre: Centre, request: Request) -> Request:
    centre.refuse_next[outcomes.RTHROTTLED] = _count(request, "count", 1)
    return {}


def _queue_full(centre: Centre, request: Request) -> Request:
    centre.refuse_next[outcomes.RMSGQFUL] = _count(request, "count", 1)
    return {}


def _drop_after(centre: Centre, request: Request) -> Request:
    centre.drop_after = max(1, _count(request, "count", 1))
    return {}


def _deliver(centre: Centre, request: Request) -> Request:
    """Any deliver_sm at all: receipts for ids nobody knows, receipts that are none, octets in the wrong alphabet."""
    octets = (
        bytes.fromhex(request["hex"]) if "hex" in request else _text(request, "text", "").encode("latin-1", "replace")
    )
    message = Message(
        source=_text(request, "from", ""), destination=_text(request, "to", ""),
        esm_class=_count(request, "esm_class", 0) & 0xFF, data_coding=_count(request, "data_coding", 0) & 0xFF,
        short_message=octets[:254],
    )  # fmt: skip
    for tag, value in request.get("tlvs", {}).items():
        message.tlvs.append((int(tag, 16), bytes.fromhex(value)))
    centre.queue([Delivery(_text(request, "system_id", ""), message, is_receipt=bool(message.esm_class & 0x24))])
    return {}


OPERATIONS: dict[str, Callable[[Centre, Request], Request]] = {
    "mo": _mo, "handset": _handset, "messages": _messages, "handsets": _handsets, "set": _set, "stats": _stats,
    "throttle": _throttle, "queue_full": _queue_full, "drop_after": _drop_after, "deliver": _deliver,
}  # fmt: skip


def _number(request: Request, name: str) -> str:
    digits = str(request.get(name, "")).strip().lstrip("+")
    if not digits.isdigit() or len(digits) > 20:
        raise InvalidInput(f"{name} is a number in international form, such as 33612345678.", field=name)
    return digits


def _text(request: Request, name: str, default: str | None = None) -> str:
    value = request.get(name, default)
    if not isinstance(value, str):
        raise InvalidInput(f"{name} is a text.", field=name)
    return value


def _count(request: Request, name: str, default: int) -> int:
    value = request.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidInput(f"{name} is a whole number.", field=name)
    return value
