"""Outbound texts as bodies of submit_sm: what does not change from one message to the next is built once.

One list per message, one body per segment. The octets are those of `pdu.encode_message`; a test compares them.
"""

from __future__ import annotations

from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.options import Alphabet, LongMessages, SmppOptions
from carillon.domain import segments, senders
from carillon.domain.segments import Encoding
from carillon.domain.traffic import Outbound

UCS2_CODING = 8
_MAX_CACHED = 2048
_MAX_VALIDITY_S = 30 * 86400
_CODECS = {Alphabet.LATIN1: "latin-1", Alphabet.ASCII: "ascii"}


class SubmitEncoder:
    """Encodes for one connector. Raises PduError for a sender or a text that fits in no PDU."""

    def __init__(self, options: SmppOptions) -> None:
        self._options = options
        self._heads: dict[str, bytes] = {}
        self._middles: dict[tuple[int, int, bool, int], bytes] = {}
        self._replacements = str.maketrans(dict(options.replacements))
        self._tail = pdu.encode_tlvs(list(options.tlvs))
        self._is_plain = options.alphabet is Alphabet.GSM and not options.replacements
        self._has_reference = options.user_message_reference
        self._is_usual = self._is_plain and not self._has_reference

    def encode(self, message: Outbound) -> list[bytes]:
        head = self._heads.get(message.sender) or self._head(message.sender)
        if self._is_usual:
            septets = segments.encode_gsm(message.text)
            if septets is not None and len(septets) <= segments.GSM_SINGLE:
                middle = self._middle(0, self._options.data_coding, message)
                return [b"%b%d%b%c%b%b" % (head, message.msisdn, middle, len(septets), septets, self._tail)]
        coding, texts = self._cut(message.text)
        address = head + b"%d" % message.msisdn
        tail = self._tail
        if self._has_reference:
            tail += pdu.encode_tlvs(
                [(pdu.TLV_USER_MESSAGE_REFERENCE, (message.message_id & 0xFFFF).to_bytes(2, "big"))]
            )
        if len(texts) == 1:
            text = texts[0]
            if len(text) < 255:
                return [address + self._middle(0, coding, message) + bytes((len(text),)) + text + tail]
            payload = pdu.encode_tlvs([(pdu.TLV_MESSAGE_PAYLOAD, text)])
            return [address + self._middle(0, coding, message) + b"\0" + payload + tail]
        return self._long(address, coding, texts, message, tail)

    def _long(self, address: bytes, coding: int, texts: list[bytes], message: Outbound, tail: bytes) -> list[bytes]:
        total = len(texts)
        if total > 255:
            raise pdu.PduError(pdu.RINVMSGLEN, f"{total} segments: at most 255 can be joined")
        reference = message.message_id
        bodies = []
        is_udh = self._options.long_messages is LongMessages.UDH
        middle = self._middle(pdu.ESM_UDHI if is_udh else 0, coding, message)
        for number, text in enumerate(texts, 1):
            if is_udh:
                joined = segments.concatenation_header(reference=reference, total=total, number=number) + text
                bodies.append(address + middle + bytes((len(joined),)) + joined + tail)
            else:
                sar = pdu.encode_tlvs([
                    (pdu.TLV_SAR_REFERENCE, (reference & 0xFFFF).to_bytes(2, "big")),
                    (pdu.TLV_SAR_TOTAL, bytes((total,))),
                    (pdu.TLV_SAR_SEQUENCE, bytes((number,))),
                ])  # fmt: skip
                bodies.append(address + middle + bytes((len(text),)) + text + sar + tail)
        return bodies

    def _cut(self, text: str) -> tuple[int, list[bytes]]:
        """data_coding and the octets of each segment, in the SMSC's alphabet if it has every character, else in UCS-2."""
        if not self._is_plain:
            text = text.translate(self._replacements)
        whole = self._options.long_messages is LongMessages.PAYLOAD
        if self._options.alphabet is not Alphabet.GSM:
            raw = self._in_other_alphabet(text, whole=whole)
            if raw is not None:
                return self._options.data_coding, raw
            wide = text.encode("utf-16-be", "replace")
            return UCS2_CODING, [wide] if whole else _cut_wide(text)
        encoding, texts = segments.cut_encoded(text)
        coding = self._options.data_coding if encoding is Encoding.GSM7 else UCS2_CODING
        return coding, [b"".join(texts)] if whole else texts

    def _in_other_alphabet(self, text: str, *, whole: bool) -> list[bytes] | None:
        """The SMSC turns these into GSM 7-bit for the handset, so they are cut where GSM 7-bit is cut."""
        codec = _CODECS[self._options.alphabet]
        if not segments.is_gsm(text):
            return None
        try:
            return [part.encode(codec) for part in ([text] if whole else segments.cut(text))]
        except UnicodeEncodeError:
            return None

    def _head(self, sender: str) -> bytes:
        options = self._options
        ton, npi = self._sender_numbering(sender)
        head = b"".join((
            pdu.encode_text(options.service_type, limit=6, name="service_type"),
            pdu.encode_address(ton, npi, sender, name="sender"),
            bytes((options.destination_ton, options.destination_npi)),
            options.destination_prefix.encode("ascii", "replace"),
        ))  # fmt: skip
        if len(self._heads) >= _MAX_CACHED:
            self._heads.clear()
        self._heads[sender] = head
        return head

    def _sender_numbering(self, sender: str) -> tuple[int, int]:
        options = self._options
        kind = senders.kind_of(sender)
        if not kind:
            return 0, 0  # the SMSC's own default sender
        if kind == "alphanumeric":
            return options.alphanumeric_ton, options.alphanumeric_npi
        if kind == "short_code":
            return options.short_code_ton, options.short_code_npi
        return options.long_number_ton, options.long_number_npi

    def _middle(self, esm_class: int, coding: int, message: Outbound) -> bytes:
        """From the NUL that closes the destination to sm_default_msg_id."""
        key = (esm_class, coding, message.is_notification, message.validity_s)
        found = self._middles.get(key)
        if found is None:
            options = self._options
            priority = options.notification_priority if message.is_notification else options.priority
            validity = relative_time(message.validity_s) if options.send_validity else ""
            found = b"".join((
                bytes((0, esm_class, options.protocol_id, priority, 0)),
                pdu.encode_text(validity, limit=17, name="validity_period"),
                bytes((options.registered_delivery, 0, coding, 0)),
            ))  # fmt: skip
            if len(self._middles) >= _MAX_CACHED:
                self._middles.clear()
            self._middles[key] = found
        return found


def relative_time(seconds: int) -> str:
    """validity_period as YYMMDDhhmmsstnnp relative to the SMSC's clock, so that ours need not agree with it. At most 30 days."""
    seconds = max(0, min(seconds, _MAX_VALIDITY_S))
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    return f"0000{days:02d}{hours:02d}{rest // 60:02d}{rest % 60:02d}000R"


def _cut_wide(text: str) -> list[bytes]:
    """UCS-2 segments of a text that GSM 7-bit could have carried, for an SMSC whose alphabet cannot."""
    raw = text.encode("utf-16-be", "replace")
    if len(raw) <= segments.UCS2_SINGLE * 2:
        return [raw]
    cuts, start = [], 0
    while start < len(raw):
        end = start + segments.UCS2_JOINED * 2
        if end < len(raw) and 0xD8 <= raw[end - 2] <= 0xDB:
            end -= 2
        cuts.append(raw[start:end])
        start = end
    return cuts
