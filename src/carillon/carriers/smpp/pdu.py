"""SMPP 3.4 PDUs: bytes to values and back. No I/O, no clock.

Layouts and limits are those of "SMPP Protocol Specification v3.4, issue 1.2", chapters 4 and 5. What a peer gets wrong is
raised as `PduError` carrying the command_status the specification answers it with; nothing here raises anything else
on bytes from outside. Unknown TLVs are kept; lengths are checked before anything is copied.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct, unpack_from
from typing import Final

HEADER: Final = Struct(">IIII")  # command_length, command_id, command_status, sequence_number
HEADER_SIZE: Final = 16
MAX_PDU: Final = 1 << 17  # a 64 KiB message_payload and room for its neighbours; longer is a lost stream
MAX_SEQUENCE: Final = 0x7FFFFFFF

RESPONSE: Final = 0x80000000
GENERIC_NACK: Final = 0x80000000
BIND_RECEIVER: Final = 0x01
BIND_TRANSMITTER: Final = 0x02
QUERY_SM: Final = 0x03
SUBMIT_SM: Final = 0x04
DELIVER_SM: Final = 0x05
UNBIND: Final = 0x06
REPLACE_SM: Final = 0x07
CANCEL_SM: Final = 0x08
BIND_TRANSCEIVER: Final = 0x09
OUTBIND: Final = 0x0B
ENQUIRE_LINK: Final = 0x15
SUBMIT_MULTI: Final = 0x21
ALERT_NOTIFICATION: Final = 0x102
DATA_SM: Final = 0x103
SUBMIT_SM_RESP: Final = SUBMIT_SM | RESPONSE
DELIVER_SM_RESP: Final = DELIVER_SM | RESPONSE
ENQUIRE_LINK_RESP: Final = ENQUIRE_LINK | RESPONSE
UNBIND_RESP: Final = UNBIND | RESPONSE
DATA_SM_RESP: Final = DATA_SM | RESPONSE
BINDS: Final = frozenset({BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER})
REQUESTS: Final = {
    BIND_RECEIVER: "bind_receiver", BIND_TRANSMITTER: "bind_transmitter", QUERY_SM: "query_sm", SUBMIT_SM: "submit_sm",
    DELIVER_SM: "deliver_sm", UNBIND: "unbind", REPLACE_SM: "replace_sm", CANCEL_SM: "cancel_sm",
    BIND_TRANSCEIVER: "bind_transceiver", OUTBIND: "outbind", ENQUIRE_LINK: "enquire_link",
    SUBMIT_MULTI: "submit_multi", ALERT_NOTIFICATION: "alert_notification", DATA_SM: "data_sm",
}  # fmt: skip
NO_RESPONSE: Final = frozenset({OUTBIND, ALERT_NOTIFICATION})  # requests the specification leaves unanswered

# command_status values the codec and the sessions themselves answer with (the whole table: statuses.py)
ROK: Final = 0x00
RINVMSGLEN: Final = 0x01
RINVCMDLEN: Final = 0x02
RINVCMDID: Final = 0x03
RINVBNDSTS: Final = 0x04
RALYBND: Final = 0x05
RSYSERR: Final = 0x08
RINVSRCADR: Final = 0x0A
RINVDSTADR: Final = 0x0B
RINVPASWD: Final = 0x0E
RINVSERTYP: Final = 0x15
RINVSCHED: Final = 0x61
RINVEXPIRY: Final = 0x62
RINVOPTPARSTREAM: Final = 0xC0
RINVPARLEN: Final = 0xC2

TLV_USER_MESSAGE_REFERENCE: Final = 0x0204
TLV_RECEIPTED_MESSAGE_ID: Final = 0x001E
TLV_SAR_REFERENCE: Final = 0x020C
TLV_SAR_TOTAL: Final = 0x020E
TLV_SAR_SEQUENCE: Final = 0x020F
TLV_SC_INTERFACE_VERSION: Final = 0x0210
TLV_NETWORK_ERROR_CODE: Final = 0x0423
TLV_MESSAGE_PAYLOAD: Final = 0x0424
TLV_MESSAGE_STATE: Final = 0x0427
_TLV_SIZES: Final = {
    TLV_USER_MESSAGE_REFERENCE: 2, TLV_SAR_REFERENCE: 2, TLV_SAR_TOTAL: 1, TLV_SAR_SEQUENCE: 1,
    TLV_SC_INTERFACE_VERSION: 1, TLV_NETWORK_ERROR_CODE: 3, TLV_MESSAGE_STATE: 1,
}  # fmt: skip

ESM_UDHI: Final = 0x40
ESM_RECEIPT: Final = 0x04
ESM_INTERMEDIATE: Final = 0x20
ESM_TYPE_MASK: Final = 0x3C

Frame = tuple[int, int, int, bytes]  # command_id, command_status, sequence_number, body


class PduError(ValueError):
    """Bytes that break the specification; `status` is the command_status to answer them with."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def pack(command: int, sequence: int, body: bytes = b"", *, status: int = 0) -> bytes:
    return HEADER.pack(HEADER_SIZE + len(body), command, status, sequence) + body


class Framer:
    """Cuts a stream into frames. Once `error` is set the stream is out of step and nothing more is read from it.

    Memory is bounded by MAX_PDU plus one chunk: an absurd command_length is refused before anything is kept for it.
    """

    __slots__ = ("_kept", "_needed", "error", "error_sequence")

    def __init__(self) -> None:
        self._kept = bytearray()
        self._needed = HEADER_SIZE
        self.error: PduError | None = None
        self.error_sequence = 0

    def feed(self, data: bytes) -> list[Frame]:
        if self._kept:
            self._kept += data
            if len(self._kept) < self._needed:
                return []
            data = bytes(self._kept)
            self._kept.clear()
        frames: list[Frame] = []
        position, end = 0, len(data)
        header = HEADER.unpack_from
        while end - position >= HEADER_SIZE and self.error is None:
            length, command, status, sequence = header(data, position)
            if length < HEADER_SIZE or length > MAX_PDU:
                self.error = PduError(RINVCMDLEN, f"command_length {length} is outside {HEADER_SIZE} to {MAX_PDU}")
                self.error_sequence = sequence
                return frames
            if end - position < length:
                self._needed = length
                break
            frames.append((command, status, sequence, data[position + HEADER_SIZE : position + length]))
            position += length
        else:
            self._needed = HEADER_SIZE
        if position < end and self.error is None:
            self._kept += data[position:] if position else data
        return frames


@dataclass(slots=True)
class Bind:
    """Body of bind_transmitter, bind_receiver and bind_transceiver."""

    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = 0x34
    ton: int = 0
    npi: int = 0
    address_range: str = ""


@dataclass(slots=True)
class Message:
    """Body of submit_sm and deliver_sm (and, mapped onto it, data_sm). Times are the specification's 16-digit strings."""

    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    destination_ton: int = 0
    destination_npi: int = 0
    destination: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority: int = 0
    schedule: str = ""
    validity: str = ""
    registered_delivery: int = 0
    replace_if_present: int = 0
    data_coding: int = 0
    default_message_id: int = 0
    short_message: bytes = b""
    tlvs: list[tuple[int, bytes]] = field(default_factory=list)

    def tlv(self, tag: int) -> bytes | None:
        for found, value in self.tlvs:
            if found == tag:
                return value
        return None

    @property
    def payload(self) -> bytes:
        """The user data, wherever it stands: message_payload replaces an empty short_message."""
        return self.short_message or self.tlv(TLV_MESSAGE_PAYLOAD) or b""


def encode_text(text: str, *, limit: int, name: str) -> bytes:
    """A C-octet string; `limit` counts the closing NUL as the specification does."""
    raw = text.encode("latin-1", "replace")
    if len(raw) >= limit or b"\0" in raw:
        raise PduError(RINVPARLEN, f"{name} must be at most {limit - 1} octets without NUL")
    return raw + b"\0"


def _text(body: bytes, start: int, limit: int, fault: int) -> tuple[str, int]:
    """The C-octet string at `start` and the position after it."""
    end = body.find(0, start, start + limit)
    if end < 0:
        raise PduError(fault, f"no NUL within {limit} octets at octet {HEADER_SIZE + start}")
    return body[start:end].decode("latin-1"), end + 1


def encode_bind(bind: Bind) -> bytes:
    return b"".join((
        encode_text(bind.system_id, limit=16, name="system_id"),
        encode_text(bind.password, limit=9, name="password"),
        encode_text(bind.system_type, limit=13, name="system_type"),
        bytes((bind.interface_version, bind.ton, bind.npi)),
        encode_text(bind.address_range, limit=41, name="address_range"),
    ))  # fmt: skip


def decode_bind(body: bytes) -> Bind:
    system_id, at = _text(body, 0, 16, 0x0F)
    password, at = _text(body, at, 9, RINVPASWD)
    system_type, at = _text(body, at, 13, 0x53)
    if len(body) < at + 3:
        raise PduError(RINVCMDLEN, "bind body is cut before addr_npi")
    version, ton, npi = body[at : at + 3]
    address_range, _ = _text(body, at + 3, 41, RINVPARLEN)
    return Bind(system_id, password, system_type, version, ton, npi, address_range)


def encode_tlvs(tlvs: list[tuple[int, bytes]]) -> bytes:
    return b"".join(tag.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value for tag, value in tlvs)


def decode_tlvs(body: bytes, start: int) -> list[tuple[int, bytes]]:
    tlvs: list[tuple[int, bytes]] = []
    end = len(body)
    while start < end:
        if end - start < 4:
            raise PduError(RINVOPTPARSTREAM, f"{end - start} stray octets after the last TLV")
        tag, length = unpack_from(">HH", body, start)
        start += 4
        if length > end - start:
            raise PduError(RINVOPTPARSTREAM, f"TLV 0x{tag:04X} says {length} octets, {end - start} are left")
        if tag in _TLV_SIZES and _TLV_SIZES[tag] != length:
            raise PduError(RINVPARLEN, f"TLV 0x{tag:04X} has {length} octets instead of {_TLV_SIZES[tag]}")
        tlvs.append((tag, body[start : start + length]))
        start += length
    return tlvs


def encode_address(ton: int, npi: int, address: str, *, limit: int = 21, name: str = "address") -> bytes:
    return bytes((ton, npi)) + encode_text(address, limit=limit, name=name)


def encode_message(message: Message) -> bytes:
    """Body of submit_sm or deliver_sm. The client's hot path builds the same octets in submit.py from precomputed pieces."""
    if len(message.short_message) > 254:
        raise PduError(RINVMSGLEN, "short_message holds at most 254 octets; use message_payload")
    return b"".join((
        encode_text(message.service_type, limit=6, name="service_type"),
        encode_address(message.source_ton, message.source_npi, message.source, name="source_addr"),
        encode_address(message.destination_ton, message.destination_npi, message.destination, name="destination_addr"),
        bytes((message.esm_class, message.protocol_id, message.priority)),
        encode_text(message.schedule, limit=17, name="schedule_delivery_time"),
        encode_text(message.validity, limit=17, name="validity_period"),
        bytes((message.registered_delivery, message.replace_if_present, message.data_coding,
               message.default_message_id, len(message.short_message))),
        message.short_message,
        encode_tlvs(message.tlvs),
    ))  # fmt: skip


def decode_message(body: bytes) -> Message:
    """Body of submit_sm or deliver_sm. Written out flat: it runs once per receipt."""
    service_type, at = _text(body, 0, 6, RINVSERTYP)
    try:
        source_ton, source_npi = body[at], body[at + 1]
        source, at = _text(body, at + 2, 21, RINVSRCADR)
        destination_ton, destination_npi = body[at], body[at + 1]
        destination, at = _text(body, at + 2, 21, RINVDSTADR)
        esm_class, protocol_id, priority = body[at], body[at + 1], body[at + 2]
        at += 3
        if body[at]:
            schedule, at = _text(body, at, 17, RINVSCHED)
        else:
            schedule, at = "", at + 1
        if body[at]:
            validity, at = _text(body, at, 17, RINVEXPIRY)
        else:
            validity, at = "", at + 1
        registered, replace, coding, default_id, length = body[at : at + 5]
    except (IndexError, ValueError) as error:
        if isinstance(error, PduError):
            raise
        raise PduError(RINVCMDLEN, f"body of {len(body)} octets ends before sm_length") from None
    at += 5
    if at + length > len(body):
        raise PduError(RINVMSGLEN, f"sm_length says {length} octets, {len(body) - at} are left")
    text = body[at : at + length]
    at += length
    return Message(
        service_type, source_ton, source_npi, source, destination_ton, destination_npi, destination, esm_class,
        protocol_id, priority, schedule, validity, registered, replace, coding, default_id, text,
        decode_tlvs(body, at) if at < len(body) else [],
    )  # fmt: skip


def decode_data(body: bytes) -> Message:
    """Body of data_sm as a Message: some SMSCs send receipts that way. Its addresses may have 64 octets."""
    message = Message()
    message.service_type, at = _text(body, 0, 6, RINVSERTYP)
    try:
        message.source_ton, message.source_npi = body[at], body[at + 1]
        message.source, at = _text(body, at + 2, 65, RINVSRCADR)
        message.destination_ton, message.destination_npi = body[at], body[at + 1]
        message.destination, at = _text(body, at + 2, 65, RINVDSTADR)
        message.esm_class, message.registered_delivery, message.data_coding = body[at], body[at + 1], body[at + 2]
    except IndexError:
        raise PduError(RINVCMDLEN, f"data_sm body of {len(body)} octets ends before data_coding") from None
    message.tlvs = decode_tlvs(body, at + 3)
    return message


def decode_message_id(body: bytes) -> str:
    """message_id of a submit_sm_resp; "" when there is none. Lenient: the closing NUL may be missing, 64 octets are kept."""
    end = body.find(0)
    return (body[:end] if end >= 0 else body)[:64].decode("latin-1")


def describe(frame: Frame) -> str:
    """One line for a log: the command's name and the first octets in hexadecimal."""
    command, status, sequence, body = frame
    name = REQUESTS.get(command & ~RESPONSE, f"0x{command:08X}") + ("_resp" if command & RESPONSE else "")
    excerpt = body[:48].hex() + ("…" if len(body) > 48 else "")
    return f"{name} status 0x{status:X} sequence {sequence} body {excerpt or '-'}"
