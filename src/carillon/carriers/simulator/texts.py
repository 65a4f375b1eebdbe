"""The deliver_sm the simulator sends: receipts in the usual form, and people's texts."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.inbound import decode_text, split_header
from carillon.carriers.smpp.pdu import Message
from carillon.domain import segments
from carillon.domain.segments import Encoding

_STATES = {
    "DELIVRD": 2,
    "EXPIRED": 3,
    "DELETED": 4,
    "UNDELIV": 5,
    "ACCEPTD": 6,
    "UNKNOWN": 7,
    "REJECTD": 8,
    "ENROUTE": 1,
}
_references = itertools.count(1)


def receipt_message(
    submitted: Message, *, message_id: str, stat: str, error: int, age_s: float, has_tlvs: bool
) -> Message:
    now = datetime.now(UTC)
    then = now - timedelta(seconds=age_s)
    _, octets = split_header(submitted)
    start = decode_text(octets, coding=submitted.data_coding)[:20].encode("ascii", "replace")
    text = (
        f"id:{message_id} sub:001 dlvrd:{'001' if stat == 'DELIVRD' else '000'} submit date:{then:%y%m%d%H%M} "
        f"done date:{now:%y%m%d%H%M} stat:{stat} err:{error:03d} text:"
    ).encode() + start
    tlvs = [
        (pdu.TLV_RECEIPTED_MESSAGE_ID, message_id.encode() + b"\0"),
        (pdu.TLV_MESSAGE_STATE, bytes((_STATES[stat],))),
    ]
    is_final = stat not in ("ENROUTE",)
    return Message(
        source_ton=submitted.destination_ton, source_npi=submitted.destination_npi, source=submitted.destination,
        destination_ton=submitted.source_ton, destination_npi=submitted.source_npi, destination=submitted.source,
        esm_class=pdu.ESM_RECEIPT if is_final else pdu.ESM_INTERMEDIATE, short_message=text[:254],
        tlvs=tlvs if has_tlvs else [],
    )  # fmt: skip


def text_messages(msisdn: str, *, to: str, text: str) -> list[Message]:
    """A person's text as one deliver_sm per segment."""
    encoding, parts = segments.cut_encoded(text)
    reference = next(_references)
    found = []
    for number, part in enumerate(parts, 1):
        header = b""
        if len(parts) > 1:
            header = segments.concatenation_header(reference=reference, total=len(parts), number=number)
        found.append(Message(
            source_ton=1, source_npi=1, source=msisdn, destination_ton=3 if len(to) < 9 else 1, destination_npi=1,
            destination=to, esm_class=pdu.ESM_UDHI if header else 0,
            data_coding=0 if encoding is Encoding.GSM7 else 8, short_message=header + part,
        ))  # fmt: skip
    return found
