"""What is read at a glance is what a careful reading gives; where the two could differ, the glance gives up."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.options import parse
from carillon.carriers.smpp.pdu import Message, PduError
from carillon.carriers.smpp.receipts import ReceiptReader
from carillon.carriers.smpp.session import Session

TEXT = b"id:0a2b sub:001 dlvrd:001 submit date:2612010951 done date:2612010952 stat:UNDELIV err:027 text:Bonjour"
ID, STATE = (pdu.TLV_RECEIPTED_MESSAGE_ID, b"0a2b\0"), (pdu.TLV_MESSAGE_STATE, b"\5")


def reader(**options: object) -> ReceiptReader:
    return ReceiptReader(parse({"host": "smsc", "system_id": "me", **options}))


def body(text: bytes = TEXT, *, tlvs: tuple[tuple[int, bytes], ...] = (ID, STATE), **changes: object) -> bytes:
    message = Message(source="33612345678", destination="ACME", esm_class=4, short_message=text, tlvs=list(tlvs))
    for name, value in changes.items():
        setattr(message, name, value)
    return pdu.encode_message(message)


def agree(octets: bytes, **options: object) -> bool:
    """Whether the glance knew it; if so it must say what the reading says."""
    seen = reader(**options).quick(octets)
    if seen is not None:
        assert seen == reader(**options).read(pdu.decode_message(octets))
    return seen is not None


@pytest.mark.parametrize("tlvs", [(ID, STATE), (ID,), (STATE,), ()])
@pytest.mark.parametrize("options", [{}, {"receipt_ids": "hex"}, {"fold_ids": True}])
def test_the_usual_form_is_known_at_a_glance(tlvs, options):
    assert agree(body(tlvs=tlvs), **options)
    assert agree(body(tlvs=tlvs, source="+33612345678"), **options)
    assert agree(body(tlvs=tlvs, source="0033612345678"), **options)


def test_the_id_of_the_tlv_wins_over_the_one_in_the_text():
    assert agree(body(tlvs=((pdu.TLV_RECEIPTED_MESSAGE_ID, b"other\0"), STATE)))


@pytest.mark.parametrize(
    "octets",
    [
        body(esm_class=0),  # a person who types it
        body(esm_class=0x44),  # a user data header before the text
        body(schedule="261201095200000+"),
        body(tlvs=(STATE, ID)),
        body(tlvs=(ID, STATE, (pdu.TLV_NETWORK_ERROR_CODE, b"\3\0\1"))),
        body(tlvs=((pdu.TLV_RECEIPTED_MESSAGE_ID, b"0a\0b\0"), STATE)),
        body(source="CARRIER"),
        body(b"", tlvs=((pdu.TLV_MESSAGE_PAYLOAD, TEXT),)),
        body(b"id:1 stat:DELIVRD"),
        body()[:-3],
        body() + b"\0",
    ],
)
def test_what_is_not_the_usual_form_is_left_to_the_careful_reading(octets):
    assert reader().quick(octets) is None


@given(at=st.integers(0, 200), octets=st.binary(max_size=3), cut=st.integers(0, 200))
@example(at=50, octets=b"\0", cut=200)
def test_damaged_bodies_never_make_them_disagree(at, octets, cut):
    whole = body()
    damaged = (whole[:at] + octets + whole[at + len(octets) :])[:cut]
    try:
        pdu.decode_message(damaged)
    except PduError:
        assert reader().quick(damaged) is None
    else:
        agree(damaged)


def test_a_session_gives_receipts_and_other_deliveries_apart():
    session = Session(pdu.Bind("me"), pdu.BIND_TRANSCEIVER, quick=reader().quick)
    session.start(0.0)
    session.receive(pdu.pack(pdu.BIND_TRANSCEIVER | pdu.RESPONSE, 1, b"\0"), 0.0)
    stop = pdu.encode_message(Message(source="33612345678", destination="36000", short_message=b"STOP"))
    chunk = session.receive(pdu.pack(pdu.DELIVER_SM, 7, body()) + pdu.pack(pdu.DELIVER_SM, 8, stop), 1.0)
    assert [(receipt.carrier_message_id, sequence) for receipt, sequence in chunk.receipts] == [("0a2b", 7)]
    assert [(sequence, message.short_message) for sequence, message in chunk.deliveries] == [(8, b"STOP")]
