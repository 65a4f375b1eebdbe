"""The control port: one JSON object a line, as the handset page and the chaos suite use it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from carillon.domain.status import Status
from tests.carriers.ear import FRENCHMAN, PATIENCE_S, carrier_to, looped, outbound, simulator


async def control(port: int, *requests: Any) -> list[dict[str, Any]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        writer.write((request if isinstance(request, bytes) else json.dumps(request).encode()) + b"\n")
    async with asyncio.timeout(PATIENCE_S):
        answers = [json.loads(await reader.readline()) for _ in requests]
    writer.close()
    return answers


@looped
async def test_a_text_to_a_phone_and_the_reply_from_it():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(text="Répondez STOP", sender="36184")])
        await ear.until(lambda: ear.receipts)
        shown, replied = await control(
            smsc.control_port,
            {"op": "messages", "msisdn": "+33612345678"},
            {"op": "mo", "from": str(FRENCHMAN), "text": "STOP"},
        )
        assert [line["text"] for line in shown["messages"]] == ["Répondez STOP"]
        assert replied == {"ok": True, "segments": 1}
        await ear.until(lambda: ear.inbounds)
        assert ear.inbounds[0].to == "36184"  # the last sender
        last = shown["messages"][-1]["id"]
        newer, phones = await control(
            smsc.control_port, {"op": "messages", "msisdn": str(FRENCHMAN), "after": last}, {"op": "handsets"}
        )
        assert [(line["direction"], line["text"]) for line in newer["messages"]] == [("out", "STOP")]
        assert phones["handsets"][0]["msisdn"] == str(FRENCHMAN)


@looped
async def test_switching_phones():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        off, absent, unknown = await control(
            smsc.control_port,
            {"op": "handset", "msisdn": "33600000001", "off": True},
            {"op": "handset", "msisdn": "33600000002", "power": "absent"},
            {"op": "handset", "msisdn": "33600000003", "power": "unknown"},
        )
        assert (off["power"], absent["power"], unknown["power"]) == ("off", "absent", "unknown")
        carrier.submit([outbound(number, to=33600000000 + number) for number in (1, 2, 3)])
        await ear.until(lambda: len(ear.receipts) == 2)
        assert {receipt.msisdn: receipt.status for receipt in ear.receipts} == {
            33600000002: Status.UNAVAILABLE,
            33600000003: Status.UNASSIGNED,
        }
        await control(smsc.control_port, {"op": "handset", "msisdn": "33600000001", "off": False})
        await ear.until(lambda: len(ear.receipts) == 3)
        (asked,) = await control(smsc.control_port, {"op": "handset", "msisdn": "33600000001"})
        assert asked["power"] == "on"


@looped
async def test_faults_on_request():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        await control(smsc.control_port, {"op": "throttle", "count": 2}, {"op": "queue_full", "count": 1})
        carrier.submit([outbound(number) for number in range(5)])
        await ear.until(lambda: len(ear.answers) == 5)
        assert carrier.health.throttled == 3
        changed, stats = await control(
            smsc.control_port, {"op": "set", "answer_delay_s": 0.01, "mix": {"rejected": 1}}, {"op": "stats"}
        )
        assert changed["options"]["answer_delay_s"] == 0.01
        assert stats["stats"]["accepted"] == 5 and stats["stats"]["throttled"] == 3
        await control(smsc.control_port, {"op": "drop_after", "count": 1})
        carrier.submit([outbound(9)])
        await ear.until(lambda: ear.lost == [9])
        await ear.until(lambda: len({receipt.carrier_message_id for receipt in ear.receipts}) == 6)
        assert ear.receipts[-1].status == Status.OPERATOR_REJECTED
        await ear.bound()
        (dropped,) = await control(smsc.control_port, {"op": "drop"})
        assert dropped == {"ok": True, "dropped": 1}


@looped
async def test_any_delivery_at_all():
    async with simulator() as smsc, carrier_to(smsc.port) as (_, ear):
        await ear.bound()
        await control(
            smsc.control_port,
            {"op": "deliver", "from": "336", "to": "36184", "esm_class": 4, "text": "id:unknown stat:DELIVRD err:000"},
            {"op": "deliver", "from": "336", "to": "36184", "hex": "00e90074", "data_coding": 8},
            {"op": "deliver", "from": "336", "to": "36184", "esm_class": 4, "text": "no receipt at all"},
            {"op": "deliver", "from": "336", "esm_class": 4, "tlvs": {"0x001E": "613100", "0x0427": "02"}},
        )
        await ear.until(lambda: len(ear.inbounds) == 2 and len(ear.receipts) == 2)
        assert [receipt.carrier_message_id for receipt in ear.receipts] == ["unknown", "a1"]
        assert [text.text for text in ear.inbounds] == ["ét", "no receipt at all"]


@pytest.mark.parametrize(
    "request_",
    [
        b"not json",
        b"[]",
        b"[" * 5000,
        b"\xff\xfe",
        {"op": "dance"},
        {},
        {"op": "mo", "from": "+33 6", "text": "x"},
        {"op": "mo", "from": "336"},
        {"op": "mo", "from": "336", "text": 5},
        {"op": "handset", "msisdn": "336", "power": "broken"},
        {"op": "messages", "msisdn": "336", "after": -1},
        {"op": "set", "speed": 9},
        {"op": "deliver", "hex": "zz"},
        {"op": "throttle", "count": "many"},
    ],
)
@looped
async def test_what_is_not_understood_is_said_so(request_):
    async with simulator() as smsc:
        wrong, right = await control(smsc.control_port, request_, {"op": "stats"})
        assert wrong["ok"] is False and wrong["error"]
        assert right["ok"] is True
