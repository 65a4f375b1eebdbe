"""A deliver_sm that is a delivery receipt, as a `Receipt`; anything else is None and goes to inbound.py.

The text of receipts is a convention (SMPP 3.4 appendix B) that every SMSC writes its own way: keys in any case, `submit_date`
or `submit date`, commas or newlines between fields, dates with or without seconds and century, long or short `stat`.
The TLVs receipted_message_id and message_state win where they stand. Only PDUs flagged as receipts (esm_class) or carrying
receipted_message_id are read so: a person may type "id:1 stat:DELIVRD".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.options import IdFormat, SmppOptions
from carillon.carriers.smpp.pdu import Message
from carillon.carriers.smpp.statuses import ERR_TABLES, MESSAGE_STATES, STATS, refine
from carillon.domain.status import Status
from carillon.domain.traffic import Receipt

_FIELD = re.compile(
    rb"(?i)(?:^|[\s,;|])(id|stat(?:us)?|err(?:or)?|submit[ _-]?date|done[ _-]?date)\s*[:=]\s*([^\s,;|]*)",
)
_ALIASES = {b"status": b"stat", b"error": b"err"}
_PLAIN = re.compile(  # the specification's own form, at once: most receipts are written so
    rb"id:(\S+) sub:\S* dlvrd:\S* submit date:(\d+) done date:(\d+) stat:(\w+) err:(\w*)"
)
_MAX_ID = 64
# The whole body of a deliver_sm that carries such a receipt, up to `err`; then the two usual TLVs, or nothing.
_BODY = re.compile(
    rb"[^\0]{0,5}\0..(\+?[0-9]{1,18})\0..([^\0]{0,20})\0\x04..\0\0....(.)"
    rb"id:([!-~]{1,64}) sub:\S* dlvrd:\S* submit date:(\d+) done date:(\d+) stat:(\w+) err:(\w*)", re.DOTALL
)  # fmt: skip
_TAIL = re.compile(rb"(?:\0\x1e\0(.)([!-~]{1,64})\0)?(?:\x04\x27\0\x01(.))?", re.DOTALL)


def is_flagged(message: Message) -> bool:
    kind = message.esm_class & pdu.ESM_TYPE_MASK
    return kind == pdu.ESM_RECEIPT or bool(kind & pdu.ESM_INTERMEDIATE)


class ReceiptReader:
    """Reads receipts as one connector's options say: id forms, time zone, `err` table."""

    def __init__(self, options: SmppOptions) -> None:
        self._format = options.receipt_ids
        self._fold = options.fold_ids
        self._zone = ZoneInfo(options.receipt_timezone)
        self._errors = {**ERR_TABLES[options.err_table], **options.errors}
        self._is_plain = self._format is IdFormat.TEXT and not self._fold
        self._moment = lru_cache(maxsize=4096)(self._read_moment)  # all receipts of a minute carry the same octets
        self._status = lru_cache(maxsize=4096)(self._read_status)
        self._facts = lru_cache(maxsize=4096)(self._read_facts)

    def quick(self, body: bytes) -> Receipt | None:
        """What `read` gives for the body of a deliver_sm in the form nearly all SMSCs use; None says "read it with care"."""
        usual = _BODY.match(body)
        if usual is None:
            return None
        source, destination, length, text_id, submitted, done, stat, error = usual.groups()
        start = usual.start(4) - 3  # of "id:"
        end = start + length[0]
        tail = _TAIL.fullmatch(body, end) if usual.end() <= end <= len(body) else None
        if tail is None:
            return None
        id_length, message_id, state = tail.groups()
        if message_id is None:
            message_id = text_id
        elif id_length[0] != len(message_id) + 1:
            return None
        status, code, done_at, submitted_at = self._facts(stat, state, error, done, submitted)
        if status is None:
            return None
        carrier_id = message_id.decode("ascii")
        if not self._is_plain:
            carrier_id = normalise_id(carrier_id, form=self._format, fold=self._fold)
        number = int(source) if source[0] != 0x30 and source[0] != 0x2B else read_number(source.decode("ascii"))
        return Receipt(carrier_id, status, code, number, destination.decode("latin-1"), done_at, submitted_at)

    def read(self, message: Message) -> Receipt | None:
        """None when it is no receipt, or is flagged as one and says neither an id nor a state."""
        raw_id = message.tlv(pdu.TLV_RECEIPTED_MESSAGE_ID)
        if raw_id is None and not is_flagged(message):
            return None
        text = message.payload
        plain = _PLAIN.match(text)
        if plain is not None:
            text_id, submitted, done, stat, error = plain.groups()
        else:
            found = _fields(text)
            text_id, stat, error = found.get(b"id", b""), found.get(b"stat", b""), found.get(b"err", b"")
            submitted, done = found.get(b"submit date", b""), found.get(b"done date", b"")
        message_id = (raw_id.partition(b"\0")[0] if raw_id else b"") or text_id
        state, network_error = message.tlv(pdu.TLV_MESSAGE_STATE), message.tlv(pdu.TLV_NETWORK_ERROR_CODE)
        status, code = self._status(stat, state, error, network_error)
        carrier_id = normalise_id(message_id[:_MAX_ID].decode("latin-1"), form=self._format, fold=self._fold)
        if not carrier_id or status is None:
            return None
        return Receipt(
            carrier_id,
            status, code, read_number(message.source), message.destination, self._moment(done), self._moment(submitted),
        )  # fmt: skip

    def _read_facts(
        self, stat: bytes, state: bytes | None, error: bytes, done: bytes, submitted: bytes
    ) -> tuple[Status | None, int, datetime | None, datetime | None]:
        return *self._status(stat, state, error, None), self._moment(done), self._moment(submitted)

    def _read_status(
        self, stat: bytes, state: bytes | None, error: bytes, network_error: bytes | None
    ) -> tuple[Status | None, int]:
        code = _read_error(error)
        if not code and network_error is not None:
            code = int.from_bytes(network_error[1:3], "big")
        status: Status | None = None
        if state:
            status = MESSAGE_STATES.get(state[0], Status.UNKNOWN)
        elif stat:
            status = STATS.get(stat.decode("latin-1").upper(), Status.UNKNOWN)
        return (None if status is None else refine(status, code, errors=self._errors)), code

    def _read_moment(self, digits: bytes) -> datetime | None:
        """YYMMDDhhmm, YYMMDDhhmmss, or either with the century; anything else is no date."""
        text = digits[:14].decode("latin-1")
        if not text.isascii() or not text.isdigit() or len(text) not in (10, 12, 14):
            return None
        if len(text) == 14 or (len(text) == 12 and text[:2] == "20" and text[4:6] <= "12" and text[2:4] > "12"):
            year, rest = int(text[:4]), text[4:]
        else:
            year, rest = 2000 + int(text[:2]), text[2:]
        parts = [int(rest[at : at + 2]) for at in range(0, len(rest), 2)]
        try:
            return datetime(year, *parts, tzinfo=self._zone).astimezone(UTC)  # type: ignore[misc, arg-type]
        except (ValueError, OverflowError):
            return None


def _fields(text: bytes) -> dict[bytes, bytes]:
    """First value of each key. What follows `text:` belongs to the message and is not read."""
    head = re.split(rb"(?i)[\s,;|]text\s*[:=]", text[:1024], maxsplit=1)[0]
    found: dict[bytes, bytes] = {}
    for key, value in _FIELD.findall(head):
        name = re.sub(rb"[ _-]?date", b" date", key.lower())
        found.setdefault(_ALIASES.get(name, name), value)
    return found


def _read_error(text: bytes) -> int:
    """`err` is three characters of the operator's choice: decimal where it can be, else hexadecimal, else 0. Fits a smallint."""
    for base in (10, 16):
        try:
            return min(int(text, base), 32767) if text.isalnum() else 0
        except ValueError:
            continue
    return 0


def normalise_id(text: str, *, form: IdFormat, fold: bool = False) -> str:
    """One spelling for one message id, whichever way the SMSC wrote it in its answer or its receipt.

    hex and decimal become decimal without leading zeros; what does not fit the form stays a text.
    `fold` ignores case and leading zeros of texts.
    """
    text = text.strip()
    if not text.isprintable():  # NUL above all: PostgreSQL refuses it
        text = "".join(character for character in text if character.isprintable())
    if form is not IdFormat.TEXT:
        try:
            return str(int(text, 16 if form is IdFormat.HEX else 10))
        except ValueError:
            pass
    return (text.lower().lstrip("0") or "0") if fold and text else text


def read_number(address: str) -> int:
    """E.164 digits of an SMPP address, 0 when it is none (an alphanumeric one, say). "+33…" and "0033…" are understood."""
    digits = address.lstrip("+")
    if digits.startswith("00"):
        digits = digits[2:]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else 0
