"""Bytes to PDU and back, against octets written out by hand from the specification."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.pdu import Bind, Framer, Message

SUBMIT = bytes.fromhex(
    "00"  # service_type
    "0500" + b"ACME".hex() + "00"  # source: alphanumeric
    "0101" + b"33612345678".hex() + "00"  # destination: international, E.164
    "400001"  # esm_class (UDH), protocol_id, priority_flag
    "00" + b"000002000000000R".hex() + "00"  # schedule, validity
    "01000800"  # registered_delivery, replace, data_coding, sm_default_msg_id
    "08" + "0500030a0201" + "0041"  # sm_length, UDH, "A" in UCS-2
    "02040002beef"  # user_message_reference
    "14010003" + b"own".hex()  # a TLV of the SMSC's own
)
MESSAGE = Message(
    source_ton=5, source="ACME", destination_ton=1, destination_npi=1, destination="33612345678", esm_class=0x40,
    priority=1, validity="000002000000000R", registered_delivery=1, data_coding=8,
    short_message=bytes.fromhex("0500030a02010041"), tlvs=[(0x0204, b"\xbe\xef"), (0x1401, b"own")],
)  # fmt: skip
BIND = b"user\0secret\0VMA\0" + bytes((0x34, 1, 1)) + b"^36\0"


def test_a_message_reads_from_the_octets_of_the_specification():
    assert pdu.decode_message(SUBMIT) == MESSAGE


def test_a_message_writes_the_octets_of_the_specification():
    assert pdu.encode_message(MESSAGE) == SUBMIT


def test_a_bind_both_ways():
    bind = Bind("user", "secret", "VMA", 0x34, 1, 1, "^36")
    assert pdu.encode_bind(bind) == BIND
    assert pdu.decode_bind(BIND) == bind


def test_the_header_carries_length_command_status_and_sequence():
    assert pdu.pack(pdu.ENQUIRE_LINK, 7).hex() == "00000010000000150000000000000007"
    assert pdu.pack(pdu.SUBMIT_SM_RESP, 9, b"id\0", status=0x58).hex() == "000000138000000400000058000000096964" + "00"


def test_message_payload_stands_for_an_empty_short_message():
    message = Message(tlvs=[(pdu.TLV_MESSAGE_PAYLOAD, b"long")])
    assert message.payload == b"long"
    message.short_message = b"short"
    assert message.payload == b"short"


def test_data_sm_reads_as_a_message():
    body = b"\0\1\x01336\0\5\0ACME\0\x04\1\0" + bytes.fromhex("001e0003") + b"a1\0" + bytes.fromhex("0427000102")
    message = pdu.decode_data(body)
    assert (message.source, message.destination, message.esm_class) == ("336", "ACME", 4)
    assert message.tlv(pdu.TLV_RECEIPTED_MESSAGE_ID) == b"a1\0"


@pytest.mark.parametrize(
    ("body", "message_id"), [(b"abc\0", "abc"), (b"abc", "abc"), (b"", ""), (b"\0", ""), (b"x" * 99 + b"\0", "x" * 64)]
)
def test_message_ids_of_answers_are_read_leniently(body, message_id):
    assert pdu.decode_message_id(body) == message_id


octet = st.integers(0, 255)
word = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20)
messages = st.builds(
    Message, service_type=word.map(lambda text: text[:5]), source_ton=octet, source_npi=octet, source=word,
    destination_ton=octet, destination_npi=octet, destination=word, esm_class=octet, protocol_id=octet, priority=octet,
    schedule=word.map(lambda text: text[:16]), validity=word.map(lambda text: text[:16]), registered_delivery=octet,
    replace_if_present=octet, data_coding=octet, default_message_id=octet, short_message=st.binary(max_size=254),
    tlvs=st.lists(st.tuples(st.integers(0x1400, 0x3FFF), st.binary(max_size=40)), max_size=4),
)  # fmt: skip


@given(messages)
def test_every_message_survives_the_way_there_and_back(message):
    assert pdu.decode_message(pdu.encode_message(message)) == message


@given(
    st.lists(st.tuples(st.sampled_from([4, 5, 0x15]), st.integers(0, 1000), st.binary(max_size=60)), max_size=8),
    st.data(),
)
def test_frames_are_the_same_however_the_stream_is_cut(frames, data):
    stream = b"".join(pdu.pack(command, sequence, body) for command, sequence, body in frames)
    framer, found, at = Framer(), [], 0
    while at < len(stream):
        step = data.draw(st.integers(1, 50))
        found += framer.feed(stream[at : at + step])
        at += step
    assert found == [(command, 0, sequence, body) for command, sequence, body in frames]
    assert framer.error is None


def test_one_octet_at_a_time():
    framer, found = Framer(), []
    for octet_ in pdu.pack(4, 1, b"hello") + pdu.pack(5, 2):
        found += framer.feed(bytes((octet_,)))
    assert found == [(4, 0, 1, b"hello"), (5, 0, 2, b"")]
