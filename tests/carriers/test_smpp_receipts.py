"""Receipts as SMSCs really write them. One line per form; the label says whose habit it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.options import IdFormat, parse
from carillon.carriers.smpp.pdu import Message
from carillon.carriers.smpp.receipts import ReceiptReader, normalise_id, read_number
from carillon.domain.status import Status

PLAIN = b"id:1a2b sub:001 dlvrd:001 submit date:2612010951 done date:2612010952 stat:DELIVRD err:000 text:Bonjour"
DONE = datetime(2026, 12, 1, 9, 52, tzinfo=UTC)


def read(
    text: bytes = PLAIN, *, esm_class: int = pdu.ESM_RECEIPT, tlvs: tuple = (), source: str = "33612345678", **options
):
    message = Message(source=source, destination="ACME", esm_class=esm_class, short_message=text, tlvs=list(tlvs))
    return ReceiptReader(parse({"host": "smsc", "system_id": "me", **options})).read(message)


def test_the_form_of_the_specification():
    receipt = read()
    assert (receipt.carrier_message_id, receipt.status, receipt.error) == ("1a2b", Status.DELIVERED, 0)
    assert (receipt.msisdn, receipt.sender) == (33612345678, "ACME")
    assert (receipt.submitted_at, receipt.done_at) == (datetime(2026, 12, 1, 9, 51, tzinfo=UTC), DONE)


@pytest.mark.parametrize(
    ("label", "text", "message_id", "status", "error"),
    [
        ("upper-case keys", b"ID:9 SUB:001 DLVRD:001 SUBMIT DATE:2612010951 DONE DATE:2612010952 STAT:DELIVRD ERR:000 TEXT:",
         "9", 16, 0),
        ("underscores", b"id:9 sub:001 dlvrd:001 submit_date:261201095100 done_date:261201095200 stat:DELIVRD err:0 text:x",
         "9", 16, 0),
        ("no sub and dlvrd", b"id:9 submit date:2612010951 done date:2612010952 stat:UNDELIV err:034", "9", 20, 34),
        ("only id and stat", b"id:abc-DEF_9 stat:EXPIRED", "abc-DEF_9", 22, 0),
        ("commas", b"id:9,sub:001,dlvrd:001,submit date:2612010951,done date:2612010952,stat:REJECTD,err:12,text:", "9", 27, 12),
        ("semicolons and equals", b"id=9;stat=DELETED;err=5", "9", 23, 5),
        ("one field a line", b"id:9\r\nsub:001\r\nstat:ACCEPTD\r\nerr:000\r\n", "9", 10, 0),
        ("spaces after colons", b"id: 9 stat: UNKNOWN err: 255", "9", 26, 255),
        ("status spelt out", b"id:9 status:DELIVERED error:000", "9", 16, 0),
        ("lower-case state", b"id:9 stat:delivrd err:000", "9", 16, 0),
        ("another order", b"stat:ENROUTE err:000 id:9", "9", 9, 0),
        ("a state nobody knows", b"id:9 stat:WHATEVER err:0", "9", 26, 0),
        ("unknown subscriber", b"id:9 stat:UNDELIV err:001", "9", 29, 1),
        ("absent subscriber", b"id:9 stat:UNDELIV err:027", "9", 31, 27),
        ("err does not touch what was delivered", b"id:9 stat:DELIVRD err:001", "9", 16, 1),
        ("err in hexadecimal", b"id:9 stat:UNDELIV err:0x1F", "9", 31, 31),
        ("err of letters", b"id:9 stat:UNDELIV err:0A", "9", 20, 10),
        ("err of words", b"id:9 stat:UNDELIV err:none", "9", 20, 0),
        ("err too large", b"id:9 stat:UNDELIV err:99999", "9", 20, 32767),
        ("a text that imitates fields", b"id:9 stat:UNDELIV err:034 text:id:8 stat:DELIVRD", "9", 20, 34),
    ],
)  # fmt: skip
def test_forms_in_the_wild(label, text, message_id, status, error):
    receipt = read(text)
    assert (receipt.carrier_message_id, receipt.status, receipt.error) == (message_id, status, error)


STATE, ID, NETWORK = pdu.TLV_MESSAGE_STATE, pdu.TLV_RECEIPTED_MESSAGE_ID, pdu.TLV_NETWORK_ERROR_CODE


@pytest.mark.parametrize(
    ("label", "text", "tlvs", "expected"),
    [
        ("TLVs alone", b"", ((ID, b"77\0"), (STATE, b"\2")), ("77", 16, 0)),
        ("the TLV id wins", PLAIN, ((ID, b"77\0"),), ("77", 16, 0)),
        ("the TLV state wins", PLAIN, ((STATE, b"\5"),), ("1a2b", 20, 0)),
        ("a state beyond the table", b"", ((ID, b"77\0"), (STATE, b"\x63")), ("77", 26, 0)),
        ("an id without NUL", b"", ((ID, b"77"), (STATE, b"\x08")), ("77", 27, 0)),
        ("network_error_code", b"", ((ID, b"77\0"), (STATE, b"\5"), (NETWORK, b"\3\0\1")), ("77", 29, 1)),
        ("text in message_payload", b"", ((pdu.TLV_MESSAGE_PAYLOAD, PLAIN),), ("1a2b", 16, 0)),
        ("an empty TLV id leaves the text's", PLAIN, ((ID, b"\0"),), ("1a2b", 16, 0)),
    ],
)
def test_tlvs(label, text, tlvs, expected):
    receipt = read(text, tlvs=tlvs)
    assert (receipt.carrier_message_id, receipt.status, receipt.error) == expected


@pytest.mark.parametrize(
    ("label", "text", "esm_class"),
    [
        ("a person who types a receipt", PLAIN, 0),
        ("flagged, but a text", "Merci, à demain".encode("latin-1"), pdu.ESM_RECEIPT),
        ("flagged, without id", b"sub:001 stat:DELIVRD err:000", pdu.ESM_RECEIPT),
        ("flagged, without state", b"id:9 sub:001", pdu.ESM_RECEIPT),
        ("flagged and empty", b"", pdu.ESM_RECEIPT),
        ("keys inside words", b"paid:9 constat:DELIVRD", pdu.ESM_RECEIPT),
    ],
)
def test_receipts_that_are_none(label, text, esm_class):
    assert read(text, esm_class=esm_class) is None


def test_an_intermediate_notification_is_read():
    assert read(b"id:9 stat:ENROUTE err:000", esm_class=pdu.ESM_INTERMEDIATE).status == Status.SENDING


@pytest.mark.parametrize(
    ("digits", "moment"),
    [
        (b"2612010952", DONE),
        (b"261201095230", DONE.replace(second=30)),
        (b"20261201095230", DONE.replace(second=30)),
        (b"202612010952", DONE),
        (b"2602300952", None),
        (b"0", None),
        (b"0000000000", None),
        (b"hier", None),
        (b"", None),
    ],
)
def test_dates(digits, moment):
    assert read(b"id:9 stat:DELIVRD done date:" + digits).done_at == moment


def test_dates_are_the_smscs_own_time():
    assert read(receipt_timezone="Europe/Paris").done_at == DONE.replace(hour=8)


@pytest.mark.parametrize(
    ("text", "form", "fold", "expected"),
    [
        ("00FF", IdFormat.HEX, False, "255"),
        ("ff", IdFormat.HEX, False, "255"),
        ("0255", IdFormat.DECIMAL, False, "255"),
        ("not-hex", IdFormat.HEX, False, "not-hex"),
        ("00aB", IdFormat.TEXT, False, "00aB"),
        ("00aB", IdFormat.TEXT, True, "ab"),
        ("000", IdFormat.TEXT, True, "0"),
        ("", IdFormat.TEXT, True, ""),
        (" 12 ", IdFormat.TEXT, False, "12"),
        ("1\x002\n", IdFormat.TEXT, False, "12"),
    ],
)
def test_one_spelling_for_one_id(text, form, fold, expected):
    assert normalise_id(text, form=form, fold=fold) == expected


def test_an_answer_in_hexadecimal_meets_its_receipt_in_decimal():
    assert (
        normalise_id("1A2B", form=IdFormat.HEX)
        == read(b"id:6699 stat:DELIVRD", receipt_ids="decimal").carrier_message_id
    )


def test_an_operators_own_err_codes():
    assert read(b"id:9 stat:UNDELIV err:069", errors={"069": 29}).status == Status.UNASSIGNED
    assert read(b"id:9 stat:UNDELIV err:001", err_table="none").status == Status.UNDELIVERED


@pytest.mark.parametrize(
    ("address", "number"),
    [("33612345678", 33612345678), ("+33612345678", 33612345678), ("0033612345678", 33612345678), ("ACME", 0), ("", 0),
     ("9" * 40, 0), ("٣٣", 0)],
)  # fmt: skip
def test_numbers(address, number):
    assert read_number(address) == number


@given(
    st.binary(max_size=200),
    st.lists(st.tuples(st.sampled_from([ID, STATE, NETWORK]), st.binary(max_size=5)), max_size=3),
)
def test_nothing_an_smsc_writes_makes_it_raise(text, tlvs):
    receipt = read(text, tlvs=tuple(tlvs), answer_ids="hex", receipt_ids="hex")
    assert receipt is None or (receipt.carrier_message_id and Status(receipt.status) and 0 <= receipt.error <= 32767)
