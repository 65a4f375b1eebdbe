"""The simulator as an SMSC: what it promises in docs/simulator.md."""

from __future__ import annotations

import asyncio
import collections
import json
import re
import socket
from pathlib import Path

import pytest

from carillon.carriers.simulator import outcomes
from carillon.carriers.simulator.main import run
from carillon.carriers.simulator.options import DEFAULT_MIX, SimulatorOptions, change
from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.pdu import Bind, Framer, Message
from carillon.domain.errors import InvalidInput
from tests.carriers.ear import PATIENCE_S, carrier_to, looped, outbound, simulator

ROOT = Path(__file__).parents[2]


class Wire:
    """An ESME without manners."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.framer = reader, writer, Framer()
        self.frames: list[pdu.Frame] = []

    async def ask(self, octets: bytes) -> pdu.Frame:
        self.writer.write(octets)
        return await self.hear()

    async def hear(self) -> pdu.Frame:
        async with asyncio.timeout(PATIENCE_S):
            while not self.frames:
                data = await self.reader.read(65536)
                assert data, "the connection was closed"
                self.frames += self.framer.feed(data)
        return self.frames.pop(0)

    async def bind(self, command: int = pdu.BIND_TRANSCEIVER, system_id: str = "wire") -> int:
        return (await self.ask(pdu.pack(command, 1, pdu.encode_bind(Bind(system_id, "pw")))))[1]


async def wire(port: int) -> Wire:
    return Wire(*await asyncio.open_connection("127.0.0.1", port))


def submit(to: str = "33612345678", **more: object) -> bytes:
    return pdu.pack(
        pdu.SUBMIT_SM, 2, pdu.encode_message(Message(source="ACME", destination=to, short_message=b"hi", **more))
    )


def test_the_same_number_always_ends_the_same_and_shares_are_kept():
    stats = collections.Counter(
        outcomes.decide(str(number), seed=1, mix=DEFAULT_MIX).stat for number in range(33612000000, 33612020000)
    )
    assert 0.94 < stats["DELIVRD"] / 20_000 < 0.96
    assert set(stats) == {"DELIVRD", "UNDELIV", "EXPIRED", "REJECTD", ""}
    drawn = [outcomes.decide("33612345678", seed=seed, mix=DEFAULT_MIX) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1]
    assert outcomes.decide("33612345678", seed=5, mix={"rejected": 1.0}).stat == "REJECTD"


@pytest.mark.parametrize("number", ["33699000020", "+33699000020", "352699000020"])
def test_magic_numbers_of_any_country(number):
    assert outcomes.decide(number, seed=1, mix={"delivered": 1.0}).stat == "UNDELIV"


def test_the_page_lists_every_magic_number():
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    listed = {int(found) for line in re.findall(r"^\| ([0-9, ]+) \|", page, re.MULTILINE) for found in line.split(",")}
    assert listed == set(outcomes.MAGIC)


@looped
async def test_a_receipt_waits_for_a_bind_of_the_same_client():
    async with simulator() as smsc:
        sender = await wire(smsc.port)
        await sender.bind(pdu.BIND_TRANSMITTER, "mine")
        message_id = pdu.decode_message_id((await sender.ask(submit(registered_delivery=1)))[3])
        stranger = await wire(smsc.port)
        await stranger.bind(pdu.BIND_RECEIVER, "other")
        mine = await wire(smsc.port)
        await mine.bind(pdu.BIND_RECEIVER, "mine")
        frame = await mine.hear()
        assert frame[0] == pdu.DELIVER_SM
        assert pdu.decode_message(frame[3]).tlv(pdu.TLV_RECEIPTED_MESSAGE_ID) == message_id.encode() + b"\0"
        assert stranger.frames == []
        mine.writer.close()  # not acknowledged: it comes again
        again = await wire(smsc.port)
        await again.bind(pdu.BIND_TRANSCEIVER, "mine")
        assert (await again.hear())[3] == frame[3]
        for one in (sender, stranger, again):
            one.writer.close()


@pytest.mark.parametrize(("asked", "number", "comes"), [(0, 16, 0), (2, 16, 0), (2, 20, 1), (1, 16, 1), (1, 94, 2)])
@looped
async def test_receipts_only_for_those_who_ask(asked, number, comes):
    async with simulator() as smsc:
        client = await wire(smsc.port)
        await client.bind()
        await client.ask(submit(f"336990000{number}", registered_delivery=asked))
        for _ in range(comes):
            assert (await client.hear())[0] == pdu.DELIVER_SM
        assert (await client.ask(pdu.pack(pdu.ENQUIRE_LINK, 9)))[0] == pdu.ENQUIRE_LINK_RESP
        client.writer.close()


@pytest.mark.parametrize(
    ("label", "octets", "command", "status"),
    [
        ("submit before bind", submit(), pdu.SUBMIT_SM_RESP, pdu.RINVBNDSTS),
        ("an unknown command", pdu.pack(0x0BAD, 2), pdu.GENERIC_NACK, pdu.RINVCMDID),
        ("query_sm is not offered", pdu.pack(pdu.QUERY_SM, 2, b"\0"), pdu.GENERIC_NACK, pdu.RINVCMDID),
        ("a bind cut short", pdu.pack(pdu.BIND_TRANSCEIVER, 2, b"user\0"), 0x80000009, pdu.RINVPASWD),
        ("a giant", b"\x7f\xff\xff\xff" + pdu.pack(4, 2)[4:], pdu.GENERIC_NACK, pdu.RINVCMDLEN),
        ("not SMPP", b"GET / HTTP/1.1\r\n\r\n", pdu.GENERIC_NACK, pdu.RINVCMDLEN),
    ],
)
@looped
async def test_bad_clients_are_answered_as_specified(label, octets, command, status):
    async with simulator() as smsc:
        client = await wire(smsc.port)
        assert (await client.ask(octets))[:2] == (command, status)
        client.writer.close()


@looped
async def test_binds_are_checked():
    async with simulator(system_id="wire", password="other") as smsc:
        client = await wire(smsc.port)
        assert await client.bind(system_id="nobody") == 0x0F
        assert await client.bind() == pdu.RINVPASWD
        smsc.centre.options.password = "pw"
        assert await client.bind() == pdu.ROK
        assert await client.bind() == pdu.RALYBND
        broken = pdu.pack(pdu.SUBMIT_SM, 3, b"\0\1\1")
        assert (await client.ask(broken))[1] == pdu.RINVSRCADR
        assert (await client.ask(pdu.pack(pdu.UNBIND, 4)))[0] == pdu.UNBIND_RESP
        client.writer.close()


@looped
async def test_it_writes_down_what_it_accepts(tmp_path):
    record = tmp_path / "accepted.jsonl"
    async with simulator(record=str(record)) as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(1, text="Été à 5 €"), outbound(2, to=33699000013)])
        await ear.until(lambda: len(ear.answers) == 2)
        (line,) = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
        assert (line["from"], line["to"], line["text"]) == ("ACME", "33612345678", "Été à 5 €")
        assert line["id"] == next(answer.carrier_message_id for answer in ear.answers if answer.message_id == 1)


@looped
async def test_a_stop_comes_back_once_for_a_long_message():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(to=33699000017, text="très long " * 40, sender="36184")])
        await ear.until(lambda: ear.inbounds and len(ear.receipts) == 3)
        assert [(text.msisdn, text.to, text.text) for text in ear.inbounds] == [(33699000017, "36184", "STOP")]


@looped
async def test_it_throttles_over_its_rate():
    async with simulator(rate=50.0) as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(number) for number in range(20)])
        await ear.until(lambda: len(ear.answers) == 20)
        assert smsc.centre.counts.throttled > 0
        assert smsc.centre.counts.accepted == 20


@looped
async def test_it_drops_after_a_count():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        smsc.centre.drop_after = 3
        carrier.submit([outbound(number) for number in range(5)])
        await ear.until(lambda: len(ear.lost) == 5)
        assert smsc.centre.counts.accepted == 3


def test_memory_for_phones_is_bounded():
    from carillon.carriers.simulator.handsets import Handsets

    handsets = Handsets(kept_per_handset=3, kept_handsets=2)
    for number in range(5):
        handsets.add("336", peer="ACME", text=str(number), direction="in")
    assert [line["text"] for line in handsets.texts("336")] == ["2", "3", "4"]
    handsets.add("337", peer="ACME", text="x", direction="in")
    handsets.add("338", peer="ACME", text="x", direction="out")
    assert [phone["msisdn"] for phone in handsets.recent()] == ["338", "337"]
    assert handsets.latest_peer("337") == "ACME" and handsets.latest_peer("338") == ""


@pytest.mark.parametrize(
    "wrong", [{"mix": {"maybe": 1}}, {"mix": {"delivered": 0}}, {"rate": -1}, {"rate": "x"}, {"is_mute": 1}, {"speed": 1},
              {"record": "x"}, {"answer_ids": "octal"}, {"password": 1}, {"system_id": 1}],
)  # fmt: skip
def test_wrong_options_change_nothing(wrong):
    options = SimulatorOptions()
    with pytest.raises(InvalidInput):
        change(options, {"answer_delay_s": 1, **wrong})
    assert options == SimulatorOptions()


def test_it_says_when_its_port_is_taken(capsys):
    from carillon.carriers.simulator.main import main

    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", str(taken.getsockname()[1])]) == 1
    assert "carillon simulator:" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--set", "speed=1"])
    with pytest.raises(InvalidInput):
        run(changes={"speed": 1})
