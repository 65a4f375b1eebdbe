"""Texts from people (MO): alphabet, user data header, and long ones joined before they go up.

Whatever comes, a text comes out: undecodable octets show as U+FFFD, NUL (which PostgreSQL refuses) is dropped. Parts of a long text
that wait here are handed over one by one: an SMSC spreads parts over its binds, so the others may be at another gateway.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.options import Alphabet, SmppOptions
from carillon.carriers.smpp.pdu import Message
from carillon.carriers.smpp.receipts import read_number
from carillon.domain import segments
from carillon.domain.traffic import Inbound, TextPart, fingerprint_of

_MAX_OPEN = 5_000  # long texts under way at once; beyond, the oldest is handed over as it is
_SIMPLE_CODINGS = {
    1: "ascii", 2: "latin-1", 3: "latin-1", 4: "latin-1", 5: "shift_jis", 6: "iso8859-5", 7: "iso8859-8", 8: "ucs2",
}  # fmt: skip
_ALONE_S = 2.0  # the parts of a text come together, when they come by one bind


@dataclass(frozen=True, slots=True)
class Part:
    reference: int
    total: int
    number: int


@dataclass(slots=True)
class _Long:
    first_at: float
    total: int
    message: Message
    texts: dict[int, str] = field(default_factory=dict)
    prints: dict[int, bytes] = field(default_factory=dict)
    acks: dict[int, list[object]] = field(default_factory=dict)


class InboundReader:
    """`now` is monotonic seconds. An ack is whatever the caller wants back beside the finished text, one for each segment."""

    def __init__(self, options: SmppOptions) -> None:
        self._alphabet = options.alphabet
        self._waits_s = options.reassembly_s
        self._patience_s = min(_ALONE_S, options.reassembly_s)
        self._open: dict[tuple[str, str, int, int], _Long] = {}

    def read(self, message: Message, ack: object, now: float) -> list[tuple[Inbound, list[object]]]:
        """The finished texts (none while a long one is incomplete) with their acks."""
        header, octets = split_header(message)
        text = decode_text(octets, coding=message.data_coding, alphabet=self._alphabet)
        part = _part(message, header)
        if part is None:
            return [(_inbound(message, text, [_print(message)]), [ack])]
        key = (message.source, message.destination, part.reference, part.total)
        long = self._open.get(key)
        if long is None:
            long = self._open[key] = _Long(now, part.total, message)
        long.texts[part.number] = text
        long.prints[part.number] = _print(message)
        long.acks.setdefault(part.number, []).append(ack)
        if len(long.texts) == part.total:
            del self._open[key]
            return [self._joined(long, part.reference)]
        return self._parts(next(iter(self._open))) if len(self._open) > _MAX_OPEN else []

    def expire(self, now: float) -> list[tuple[Inbound, list[object]]]:
        """The parts of long texts that have waited for another one."""
        late = [key for key, long in self._open.items() if now - long.first_at >= self._patience_s]
        return [pair for key in late for pair in self._parts(key)]

    def _joined(self, long: _Long, reference: int) -> tuple[Inbound, list[object]]:
        prints = [long.prints[n] for n in range(1, long.total + 1)]
        whole = _inbound(long.message, "".join(long.texts[n] for n in range(1, long.total + 1)), prints)
        whole.parts = tuple(TextPart(reference, long.total, n, p, self._waits_s) for n, p in enumerate(prints, 1))
        return whole, [ack for acks in long.acks.values() for ack in acks]

    def _parts(self, key: tuple[str, str, int, int]) -> list[tuple[Inbound, list[object]]]:
        """Each with its acks: as many as it came."""
        long = self._open.pop(key)
        found = []
        for number, text in long.texts.items():
            inbound = _inbound(long.message, text, [long.prints[number]])
            inbound.carrier_message_id = ""
            inbound.part = TextPart(key[2], long.total, number, long.prints[number], self._waits_s)
            found.append((inbound, long.acks[number]))
        return found


def split_header(message: Message) -> tuple[bytes, bytes]:
    """(user data header without its length octet, the rest). A header longer than the text is no header."""
    payload = message.payload
    if not message.esm_class & pdu.ESM_UDHI or not payload or payload[0] + 1 > len(payload):
        return b"", payload
    end = payload[0] + 1
    return payload[1:end], payload[end:]


def _part(message: Message, header: bytes) -> Part | None:
    found = _part_in_header(header) or _part_in_tlvs(message)
    return found if found is not None and 1 <= found.number <= found.total and found.total > 1 else None


def _part_in_header(header: bytes) -> Part | None:
    at = 0
    while at + 2 <= len(header):
        kind, length = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + length]
        if kind == 0x00 and len(value) == 3:
            return Part(value[0], value[1], value[2])
        if kind == 0x08 and len(value) == 4:
            return Part(int.from_bytes(value[:2], "big"), value[2], value[3])
        at += 2 + length
    return None


def _part_in_tlvs(message: Message) -> Part | None:
    reference, total, number = (
        message.tlv(tag) for tag in (pdu.TLV_SAR_REFERENCE, pdu.TLV_SAR_TOTAL, pdu.TLV_SAR_SEQUENCE)
    )
    if reference is None or total is None or number is None:
        return None
    return Part(int.from_bytes(reference, "big"), total[0], number[0])


def decode_text(octets: bytes, *, coding: int, alphabet: Alphabet = Alphabet.GSM) -> str:
    """The text of `octets` under SMPP's data_coding (5.2.19) or a GSM 03.38 class or waiting indication."""
    kind = _kind(coding)
    if kind == "ucs2":
        text = octets[: len(octets) & ~1].decode("utf-16-be", "replace")
    elif kind == "gsm":
        text = segments.decode_gsm(octets)
    elif kind == "default":
        text = segments.decode_gsm(octets) if alphabet is Alphabet.GSM else octets.decode("latin-1")
    else:
        text = octets.decode(kind, "replace")
    return text.replace("\0", "")


def _kind(coding: int) -> str:
    if coding == 0:
        return "default"
    if coding in _SIMPLE_CODINGS:
        return _SIMPLE_CODINGS[coding]
    if coding & 0xF0 == 0xF0:  # message class, one bit of alphabet
        return "latin-1" if coding & 0x04 else "gsm"
    if coding & 0xF0 == 0xE0:  # waiting indication in UCS-2
        return "ucs2"
    if coding & 0x80 == 0:  # general data coding: two bits of alphabet
        return {0x00: "gsm", 0x04: "latin-1", 0x08: "ucs2"}.get(coding & 0x0C, "gsm")
    return "gsm"


def _print(message: Message) -> bytes:
    """What one deliver_sm consists of, and between whom: a repeat has it again, header and part number included."""
    digest = hashlib.blake2b(digest_size=16)
    sar = b"/".join(message.tlv(tag) or b"" for tag in (pdu.TLV_SAR_REFERENCE, pdu.TLV_SAR_TOTAL, pdu.TLV_SAR_SEQUENCE))
    head = f"{message.source}\0{message.destination}\0{message.esm_class}\0{message.data_coding}\0"
    digest.update(head.encode() + sar + b"\0" + message.payload)
    return digest.digest()


def _inbound(message: Message, text: str, prints: list[bytes]) -> Inbound:
    """SMPP gives an MO neither id nor time; the few SMSCs that number them use receipted_message_id."""
    given = message.tlv(pdu.TLV_RECEIPTED_MESSAGE_ID)
    message_id = given.partition(b"\0")[0].decode("latin-1") if given else ""
    number = read_number(message.source)
    return Inbound(number, message.destination, text, message_id, fingerprint=fingerprint_of(prints))
