"""Texts from people: alphabets, headers, long ones joined, and all that goes wrong with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.carriers.simulator.texts import text_messages
from carillon.carriers.smpp import inbound, pdu
from carillon.carriers.smpp.inbound import InboundReader, decode_text
from carillon.carriers.smpp.options import Alphabet, parse
from carillon.carriers.smpp.pdu import Message
from carillon.domain import segments

OPTIONS = parse({"host": "smsc", "system_id": "me", "reassembly_s": 30.0})
LONG = "Réponse très longue, avec des accents et des € : " * 8


def test_a_short_text_comes_at_once():
    ((text, acks),) = InboundReader(OPTIONS).read(
        Message(source="33612345678", destination="36184", short_message=b"STOP"), 5, 0.0
    )
    assert (text.msisdn, text.to, text.text, text.carrier_message_id, acks) == (33612345678, "36184", "STOP", "", [5])


@pytest.mark.parametrize(
    ("coding", "octets", "text"),
    [
        (0, b"\x05t\x05 \x1be", "été €"),
        (1, b"plain", "plain"),
        (3, "été".encode("latin-1"), "été"),
        (8, "Noël 🎄".encode("utf-16-be"), "Noël 🎄"),
        (8, "ab".encode("utf-16-be") + b"\0", "ab"),
        (0xF1, b"\x05", "é"),
        (0xF5, "é".encode("latin-1"), "é"),
        (0xE0, "é".encode("utf-16-be"), "é"),
        (0x18, "é".encode("utf-16-be"), "é"),
        (0x10, b"\x05", "é"),
        (0xC8, b"\x05", "é"),
        (7, b"\xe0", "א"),
    ],
)
def test_alphabets(coding, octets, text):
    assert decode_text(octets, coding=coding) == text


def test_the_smscs_own_alphabet_for_coding_0():
    assert decode_text("été".encode("latin-1"), coding=0, alphabet=Alphabet.LATIN1) == "été"


def test_nul_never_goes_up():
    assert decode_text(b"\0a\0\0\0b", coding=8) == "ab"


@given(st.binary(max_size=160), st.integers(0, 255))
def test_any_octets_become_some_text(octets, coding):
    assert "\0" not in decode_text(octets, coding=coding)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_a_long_text_is_joined_whatever_the_order(order):
    reader = InboundReader(OPTIONS)
    messages = text_messages("33612345678", to="36184", text=LONG)
    assert len(messages) == 3
    found = [item for number in order for item in reader.read(messages[number], number, 0.0)]
    ((text, acks),) = found
    assert text.text == LONG
    assert acks == list(order)


def sar(number: int, text: bytes, *, total: int = 2, reference: int = 7) -> Message:
    return Message(
        source="33612345678", destination="36184", short_message=text,
        tlvs=[(pdu.TLV_SAR_REFERENCE, reference.to_bytes(2, "big")), (pdu.TLV_SAR_TOTAL, bytes((total,))),
              (pdu.TLV_SAR_SEQUENCE, bytes((number,)))],
    )  # fmt: skip


def test_parts_told_by_tlvs():
    reader = InboundReader(OPTIONS)
    assert reader.read(sar(2, b"world"), 1, 0.0) == []
    ((text, _),) = reader.read(sar(1, b"hello "), 2, 0.0)
    assert text.text == "hello world"


def test_a_wide_reference_in_the_header():
    reader = InboundReader(OPTIONS)
    for number, text in ((1, b"hello "), (2, b"world")):
        header = segments.concatenation_header(reference=0x1234, total=2, number=number, is_wide=True)
        found = reader.read(Message(source="336", esm_class=pdu.ESM_UDHI, short_message=header + text), number, 0.0)
    assert found[0][0].text == "hello world"


def test_a_part_that_comes_twice_counts_once_and_both_are_acknowledged():
    reader = InboundReader(OPTIONS)
    reader.read(sar(1, b"hello "), "a", 0.0)
    reader.read(sar(1, b"hello "), "a again", 0.0)
    ((text, acks),) = reader.read(sar(2, b"world"), "b", 0.0)
    assert (text.text, acks) == ("hello world", ["a", "a again", "b"])


def test_a_long_payload_is_one_text():
    message = Message(source="336", tlvs=[(pdu.TLV_MESSAGE_PAYLOAD, segments.encode_gsm(LONG))])
    assert InboundReader(OPTIONS).read(message, 1, 0.0)[0][0].text == LONG


def test_two_people_with_the_same_reference_are_kept_apart():
    reader = InboundReader(OPTIONS)
    first, second = sar(1, b"A"), sar(2, b"B")
    second.source = "33700000000"
    assert reader.read(first, 1, 0.0) == [] and reader.read(second, 2, 0.0) == []


def test_what_stays_incomplete_goes_up_part_by_part():
    reader = InboundReader(OPTIONS)
    reader.read(sar(3, b" end", total=3), "ack", 100.0)
    reader.read(sar(1, b"begin", total=3), "other", 101.0)
    assert reader.expire(101.9) == []
    (last, acks), (first, others) = reader.expire(102.0)
    assert (last.text, acks, first.text, others) == (" end", ["ack"], "begin", ["other"])
    assert [(text.part.number, text.part.total, text.part.waits_s) for text in (first, last)] == [
        (1, 3, 30.0),
        (3, 3, 30.0),
    ]
    assert reader.expire(999.0) == []


def test_open_texts_are_bounded(monkeypatch):
    monkeypatch.setattr(inbound, "_MAX_OPEN", 2)
    reader = InboundReader(OPTIONS)
    assert [len(reader.read(sar(1, b"x", reference=number), number, 0.0)) for number in range(4)] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("label", "octets"),
    [
        ("header longer than the text", b"\xffabc"),
        ("empty", b""),
        ("part 0", b"\5\0\3\1\2\0text"),
        ("part beyond the total", b"\5\0\3\1\2\3text"),
        ("a total of 1", b"\5\0\3\1\1\1text"),
        ("element cut short", b"\2\0\3text"),
        ("an element of another kind", b"\4\x24\2\1\1text"),
    ],
)
def test_headers_that_join_nothing(label, octets):
    message = Message(source="336", esm_class=pdu.ESM_UDHI, short_message=octets)
    assert len(InboundReader(OPTIONS).read(message, 1, 0.0)) == 1


@given(st.lists(st.tuples(st.binary(max_size=20), st.integers(0, 255)), max_size=6))
def test_nothing_a_person_sends_makes_it_raise(parts):
    reader = InboundReader(OPTIONS)
    for octets, coding in parts:
        reader.read(Message(esm_class=pdu.ESM_UDHI, data_coding=coding, short_message=octets), 1, 0.0)
    reader.expire(1e9)
