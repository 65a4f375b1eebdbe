"""Outbound texts as submit_sm bodies: the hot path's octets are the codec's, and each option shows where it should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.options import parse
from carillon.carriers.smpp.pdu import Message, PduError
from carillon.carriers.smpp.submit import SubmitEncoder, relative_time
from carillon.domain import segments
from carillon.domain.traffic import Outbound
from tests.carriers.ear import outbound

LONG = "Vos billets d'été à 50 € : réservez déjà ! " * 10


def encoded(message: Outbound, **options: object) -> list[Message]:
    encoder = SubmitEncoder(parse({"host": "smsc", "system_id": "me", **options}))
    return [pdu.decode_message(body) for body in encoder.encode(message)]


def test_a_plain_message():
    assert encoded(outbound(text="Été à 5 €")) == [
        Message(
            source_ton=5, source="ACME", destination_ton=1, destination_npi=1, destination="33612345678",
            validity="000002000000000R", registered_delivery=1, short_message=b"\x1ft\x05 \x7f 5 \x1be",
        )
    ]  # fmt: skip


@given(st.text(max_size=700), st.sampled_from(["ACME", "36184", "33756000000", ""]), st.booleans())
def test_the_octets_are_those_of_the_codec(text, sender, is_notification):
    encoder = SubmitEncoder(parse({"host": "smsc", "system_id": "me", "tlvs": {"0x1401": "00AF"}}))
    for body in encoder.encode(outbound(text=text, sender=sender, is_notification=is_notification)):
        assert pdu.encode_message(pdu.decode_message(body)) == body


@pytest.mark.parametrize(
    ("sender", "ton", "npi"),
    [("ACME", 5, 0), ("ACME 24", 5, 0), ("36184", 3, 0), ("33612345678", 1, 1), ("+33612345678", 1, 1), ("", 0, 0)],
)
def test_numbering_of_senders(sender, ton, npi):
    (message,) = encoded(outbound(sender=sender))
    assert (message.source, message.source_ton, message.source_npi) == (sender, ton, npi)


def test_numbering_by_option():
    (message,) = encoded(
        outbound(sender="36184"),
        short_code_ton=6,
        short_code_npi=9,
        destination_ton=2,
        destination_npi=8,
        destination_prefix="+",
    )
    assert (message.source_ton, message.source_npi) == (6, 9)
    assert (message.destination_ton, message.destination_npi, message.destination) == (2, 8, "+33612345678")


def test_a_long_message_with_headers():
    messages = encoded(outbound(0x1234, text=LONG))
    assert len(messages) == segments.measure(LONG).segments == 3
    assert [message.short_message[:6].hex() for message in messages] == ["050003340301", "050003340302", "050003340303"]
    assert {message.esm_class for message in messages} == {pdu.ESM_UDHI}
    assert "".join(segments.decode_gsm(message.short_message[6:]) for message in messages) == LONG


def test_a_long_message_with_sar_tlvs():
    messages = encoded(outbound(0x1234, text=LONG), long_messages="sar")
    assert [message.tlv(pdu.TLV_SAR_SEQUENCE) for message in messages] == [b"\1", b"\2", b"\3"]
    assert {message.tlv(pdu.TLV_SAR_REFERENCE) for message in messages} == {b"\x12\x34"}
    assert {message.tlv(pdu.TLV_SAR_TOTAL) for message in messages} == {b"\3"}
    assert {message.esm_class for message in messages} == {0}
    assert "".join(segments.decode_gsm(message.short_message) for message in messages) == LONG


def test_a_long_message_in_one_payload():
    (message,) = encoded(outbound(text=LONG), long_messages="message_payload")
    assert message.short_message == b""
    assert segments.decode_gsm(message.payload) == LONG


def test_ucs2_when_a_character_asks_for_it():
    (message,) = encoded(outbound(text="Noël 🎄"))
    assert (message.data_coding, message.short_message.decode("utf-16-be")) == (8, "Noël 🎄")


def test_another_alphabet_has_its_own_coding_and_falls_back_to_ucs2():
    (message,) = encoded(outbound(text="été"), alphabet="latin-1")
    assert (message.data_coding, message.short_message) == (3, "été".encode("latin-1"))
    (message,) = encoded(outbound(text="5 €"), alphabet="latin-1")
    assert (message.data_coding, message.short_message) == (8, "5 €".encode("utf-16-be"))
    (message,) = encoded(outbound(text="5 €"), alphabet="latin-1", replacements={"€": "EUR"}, data_coding=0)
    assert (message.data_coding, message.short_message) == (0, b"5 EUR")
    messages = encoded(outbound(text="€" + "é" * 100), alphabet="ascii")
    assert [message.data_coding for message in messages] == [8, 8]


def test_a_replacement_for_what_the_smsc_garbles():
    (message,) = encoded(outbound(text="[5 €]"), replacements={"[": "(", "]": ")", "€": "EUR"})
    assert message.short_message == b"(5 EUR)"


def test_options_that_show_in_every_pdu():
    (message,) = encoded(
        outbound(0x1_0001), service_type="CMT", protocol_id=64, registered_delivery=17, data_coding=0xF1,
        user_message_reference=True, tlvs={"0x1401": "00AF"}, send_validity=False, priority=2,
    )  # fmt: skip
    assert (message.service_type, message.protocol_id, message.registered_delivery) == ("CMT", 64, 17)
    assert (message.data_coding, message.validity, message.priority) == (0xF1, "", 2)
    assert message.tlv(pdu.TLV_USER_MESSAGE_REFERENCE) == b"\0\1"
    assert message.tlv(0x1401) == b"\x00\xaf"


def test_notifications_have_their_own_priority():
    assert [encoded(outbound(is_notification=flag))[0].priority for flag in (False, True)] == [0, 1]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(48 * 3600, "000002000000000R"), (90, "000000000130000R"), (0, "000000000000000R"), (10**9, "000030000000000R")],
)
def test_validity_is_relative(seconds, text):
    assert relative_time(seconds) == text
    assert encoded(outbound(validity_s=seconds))[0].validity == text


@pytest.mark.parametrize("message", [outbound(sender="x" * 30), outbound(text="x" * 153 * 256)])
def test_what_fits_in_no_pdu(message):
    with pytest.raises(PduError):
        encoded(message)


def test_many_senders_do_not_fill_the_memory():
    encoder = SubmitEncoder(parse({"host": "smsc", "system_id": "me"}))
    for number in range(5000):
        encoder.encode(outbound(sender=f"S{number}", validity_s=number))
    assert len(encoder._heads) <= 2048 and len(encoder._middles) <= 2048
