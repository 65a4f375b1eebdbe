"""What breaks the specification is refused with the command_status the specification gives, and keeps nothing in memory."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.pdu import Framer, Message, PduError

GOOD = pdu.encode_message(Message(source="36000", destination="33612345678", short_message=b"hello"))
HEAD = b"\0" + b"\1\x01336\0" + b"\1\x01337\0" + b"\0\0\0\0\0"


@pytest.mark.parametrize(
    ("label", "body", "status"),
    [
        ("nothing at all", b"", pdu.RINVSERTYP),
        ("service_type without its NUL", b"CMTCMTCMT", pdu.RINVSERTYP),
        ("ends after service_type", b"\0", pdu.RINVCMDLEN),
        ("source address too long", b"\0\1\x01" + b"3" * 30 + b"\0", pdu.RINVSRCADR),
        ("source address without its NUL", b"\0\1\x01336", pdu.RINVSRCADR),
        ("destination too long", b"\0\1\x01336\0\1\x01" + b"3" * 30 + b"\0", pdu.RINVDSTADR),
        ("ends after the destination", b"\0\1\x01336\0\1\x01337\0", pdu.RINVCMDLEN),
        ("schedule of the wrong length", b"\0\1\x01336\0\1\x01337\0\0\0\0" + b"9" * 30, pdu.RINVSCHED),
        ("validity of the wrong length", b"\0\1\x01336\0\1\x01337\0\0\0\0\0" + b"9" * 30, pdu.RINVEXPIRY),
        ("ends before sm_length", HEAD + b"\1\0\0\0", pdu.RINVCMDLEN),
        ("sm_length beyond the end", HEAD + b"\1\0\0\0\x63hello", pdu.RINVMSGLEN),
        ("stray octets after the text", GOOD + b"\x04", pdu.RINVOPTPARSTREAM),
        ("TLV cut in its head", GOOD + b"\x04\x24\x00", pdu.RINVOPTPARSTREAM),
        ("TLV longer than the rest", GOOD + b"\x04\x24\xff\xffabc", pdu.RINVOPTPARSTREAM),
        ("message_state of two octets", GOOD + b"\x04\x27\x00\x02ab", pdu.RINVPARLEN),
    ],
)
def test_a_broken_message(label, body, status):
    with pytest.raises(PduError) as caught:
        pdu.decode_message(body)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("label", "body"),
    [
        ("nothing", b""),
        ("no NUL", b"user"),
        ("system_id too long", b"u" * 20 + b"\0"),
        ("password too long", b"user\0" + b"p" * 20 + b"\0"),
        ("ends after system_type", b"user\0pass\0\0"),
        ("address_range without its NUL", b"user\0pass\0\0\x34\0\0^36"),
    ],
)
def test_a_broken_bind(label, body):
    with pytest.raises(PduError):
        pdu.decode_bind(body)


def test_a_broken_data_sm():
    for cut in range(len(b"\0\1\x01336\0\5\0ACME\0\x04\1\0")):
        with pytest.raises(PduError):
            pdu.decode_data(b"\0\1\x01336\0\5\0ACME\0\x04\1\0"[:cut])


@pytest.mark.parametrize("length", [0, 15, pdu.MAX_PDU + 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_an_absurd_command_length_ends_the_stream(length):
    framer = Framer()
    good = pdu.pack(pdu.ENQUIRE_LINK, 1)
    frames = framer.feed(good + length.to_bytes(4, "big") + pdu.pack(4, 99)[4:] + b"rest")
    assert [frame[2] for frame in frames] == [1]
    assert framer.error is not None and framer.error.status == pdu.RINVCMDLEN
    assert framer.error_sequence == 99
    assert framer.feed(good) == []


def test_memory_stays_small_while_a_giant_pdu_dribbles_in():
    framer = Framer()
    framer.feed(pdu.MAX_PDU.to_bytes(4, "big") + b"\0" * 12)
    tracemalloc.start()
    for _ in range(pdu.MAX_PDU // 64 - 2):
        framer.feed(b"x" * 64)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * pdu.MAX_PDU


@pytest.mark.parametrize(
    "message",
    [
        Message(service_type="TOOLONG"),
        Message(source="x" * 21),
        Message(destination="33\0"),
        Message(short_message=b"x" * 255),
        Message(validity="x" * 17),
    ],
)
def test_what_fits_in_no_pdu_is_not_written(message):
    with pytest.raises(PduError):
        pdu.encode_message(message)


@given(st.binary(max_size=400))
def test_no_body_does_more_than_raise_a_pdu_error(body):
    for decode in (pdu.decode_message, pdu.decode_bind, pdu.decode_data, lambda raw: pdu.decode_tlvs(raw, 0)):
        try:
            decode(body)
        except PduError as error:
            assert error.status
    pdu.decode_message_id(body)


@given(st.integers(0, len(GOOD)), st.binary(min_size=1, max_size=6))
def test_a_good_body_with_octets_overwritten(at, octets):
    try:
        pdu.decode_message(GOOD[:at] + octets + GOOD[at + len(octets) :])
    except PduError:
        pass


@given(st.lists(st.binary(max_size=100), max_size=10))
def test_any_stream_is_cut_or_refused(chunks):
    framer = Framer()
    for chunk in chunks:
        for frame in framer.feed(chunk):
            assert pdu.describe(frame)
