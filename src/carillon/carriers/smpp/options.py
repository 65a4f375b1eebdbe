"""One SMPP connector's settings: read from its configuration, checked once, with sentences that say what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from carillon.carriers.config import written
from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.statuses import ERR_TABLES
from carillon.domain.errors import InvalidInput
from carillon.domain.status import Status


class BindMode(StrEnum):
    TRANSCEIVER = "transceiver"
    PAIR = "pair"  # one transmitter and one receiver, for each of `binds`
    TRANSMITTER = "transmitter"  # no receipts and no replies over this connector
    RECEIVER = "receiver"


class Alphabet(StrEnum):
    """What the SMSC takes for data_coding 0 (and what it sends with it)."""

    GSM = "gsm"  # GSM 03.38, one septet per octet
    LATIN1 = "latin-1"
    ASCII = "ascii"


class LongMessages(StrEnum):
    UDH = "udh"  # concatenation header in the user data
    SAR = "sar"  # sar_msg_ref_num, sar_total_segments, sar_segment_seqnum
    PAYLOAD = "message_payload"  # one PDU: the SMSC cuts


class IdFormat(StrEnum):
    TEXT = "text"
    HEX = "hex"
    DECIMAL = "decimal"


class Tls(StrEnum):
    OFF = "off"
    VERIFY = "verify"
    UNVERIFIED = "unverified"  # encrypted, but anybody may pose as the SMSC: for tests of a certificate only


@dataclass(frozen=True, slots=True)
class SmppOptions:
    """Defaults suit most SMSCs. Durations in seconds; `rate` in segments a second (0: no limit of ours)."""

    host: str
    system_id: str
    port: int = 2775
    system_type: str = ""
    interface_version: int = 0x34
    address_ton: int = 0
    address_npi: int = 0
    address_range: str = ""
    bind: BindMode = BindMode.TRANSCEIVER
    binds: int = 1
    window: int = 100
    rate: float = 0.0
    alphanumeric_ton: int = 5
    alphanumeric_npi: int = 0
    short_code_ton: int = 3
    short_code_npi: int = 0
    long_number_ton: int = 1
    long_number_npi: int = 1
    destination_ton: int = 1
    destination_npi: int = 1
    destination_prefix: str = ""  # "+" or "00" for the few SMSCs that want it
    service_type: str = ""
    protocol_id: int = 0
    alphabet: Alphabet = Alphabet.GSM
    data_coding: int = 0  # of texts in `alphabet` (3 for Latin-1, 1 for ASCII unless given); UCS-2 always goes as 8
    replacements: Mapping[str, str] = field(default_factory=dict)
    long_messages: LongMessages = LongMessages.UDH
    registered_delivery: int = 1
    send_validity: bool = True
    priority: int = 0
    notification_priority: int = 1
    user_message_reference: bool = False
    tlvs: tuple[tuple[int, bytes], ...] = ()
    answer_ids: IdFormat = IdFormat.TEXT
    receipt_ids: IdFormat = IdFormat.TEXT
    fold_ids: bool = False  # ignore case and leading zeros of ids
    receipt_timezone: str = "UTC"
    err_table: str = "map"
    errors: Mapping[int, Status] = field(default_factory=dict)  # `err` codes of this operator
    command_statuses: Mapping[int, Status] = field(default_factory=dict)  # vendor command_status codes
    enquire_link_s: float = 30.0
    response_timeout_s: float = 60.0
    connect_timeout_s: float = 10.0
    reconnect_min_s: float = 1.0
    reconnect_max_s: float = 60.0
    pause_min_s: float = 0.1
    pause_max_s: float = 8.0
    give_back_s: float = 60.0  # throttled this long: what was never taken goes back to the gateway
    reassembly_s: float = 60.0
    tls: Tls = Tls.OFF
    tls_ca_file: str = ""
    tls_server_name: str = ""


_ENUMS: dict[str, type[StrEnum]] = {
    "bind": BindMode, "alphabet": Alphabet, "long_messages": LongMessages, "answer_ids": IdFormat,
    "receipt_ids": IdFormat, "tls": Tls,
}  # fmt: skip
_RANGES: dict[str, tuple[float, float]] = {
    "port": (1, 65535), "binds": (1, 64), "window": (1, 10_000), "rate": (0, 1_000_000), "interface_version": (0, 255),
    "protocol_id": (0, 255), "data_coding": (0, 255), "registered_delivery": (0, 31), "priority": (0, 3),
    "notification_priority": (0, 3), "enquire_link_s": (0.01, 3600), "response_timeout_s": (0.01, 3600),
    "connect_timeout_s": (0.01, 300), "reconnect_min_s": (0.001, 3600), "reconnect_max_s": (0.001, 3600),
    "pause_min_s": (0.001, 60), "pause_max_s": (0.001, 600), "give_back_s": (0.001, 3600), "reassembly_s": (0.01, 3600),
}  # fmt: skip
_CODINGS = {Alphabet.GSM: 0, Alphabet.LATIN1: 3, Alphabet.ASCII: 1}
_LIMITS = {"system_id": 15, "system_type": 12, "address_range": 40, "service_type": 5}


def parse(config: Mapping[str, Any]) -> SmppOptions:
    """Raises InvalidInput naming the option at fault."""
    known = {item.name: item for item in fields(SmppOptions)}
    for name in config:
        if name not in known:
            raise _fault(name, f"is no option of an SMPP connector. Known: {', '.join(sorted(known))}.")
    for name in ("host", "system_id"):
        if not config.get(name):
            raise _fault(name, "is required.")
    values = {
        name: _value(name, written(value, str(known[name].type)), known[name].type) for name, value in config.items()
    }
    values.setdefault("data_coding", _CODINGS[values.get("alphabet", Alphabet.GSM)])
    options = SmppOptions(**values)
    if options.err_table not in ERR_TABLES:
        raise _fault("err_table", f"is one of {', '.join(sorted(ERR_TABLES))}.")
    if options.reconnect_max_s < options.reconnect_min_s or options.pause_max_s < options.pause_min_s:
        raise _fault("reconnect_max_s", "and pause_max_s must not be below their minima.")
    return options


def check_password(password: str) -> str:
    """The connector's secret. SMPP 3.4 allows 8 octets."""
    if len(password.encode()) > 8:
        raise _fault("secret", "is longer than the 8 octets of an SMPP 3.4 password.")
    return password


def _fault(name: str, sentence: str) -> InvalidInput:
    return InvalidInput(f"{name} {sentence}", field=name)


def _value(name: str, value: Any, kind: Any) -> Any:
    if name in _ENUMS:
        return _choice(name, value, _ENUMS[name])
    if name in _SPECIAL:
        return _SPECIAL[name](name, value)
    if kind == "bool":
        if not isinstance(value, bool):
            raise _fault(name, "is true or false.")
        return value
    if kind in ("int", "float"):
        return _number(name, value, kind)
    if not isinstance(value, str):
        raise _fault(name, "is a text.")
    if len(value) > _LIMITS.get(name, 255):
        raise _fault(name, f"has at most {_LIMITS.get(name, 255)} characters.")
    return value


def _choice(name: str, value: Any, kind: type[StrEnum]) -> StrEnum:
    if name == "tls" and isinstance(value, bool):
        return Tls.VERIFY if value else Tls.OFF
    try:
        return kind(value)
    except ValueError:
        raise _fault(name, f"is one of {', '.join(kind)}, not {value!r}.") from None


def _number(name: str, value: Any, kind: str) -> int | float:
    low, high = _RANGES.get(name, (0, 255))
    if isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F]{1,4}", value):
        value = int(value, 16)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise _fault(name, f"is a number from {low:g} to {high:g}.")
    if kind == "int" and value != int(value):
        raise _fault(name, "is a whole number.")
    return int(value) if kind == "int" else float(value)


def _code(name: str, text: object) -> int:
    """A code written as a number, "069" or "0x45"."""
    found = str(text).strip()
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}", found):
        return int(found, 16)
    if re.fullmatch(r"[0-9]{1,10}", found):
        return int(found)
    raise _fault(name, f"has {text!r} where a code such as 69 or 0x45 is expected.")


def _statuses(name: str, value: Any) -> dict[int, Status]:
    if not isinstance(value, Mapping):
        raise _fault(name, 'is a table from codes to our statuses, such as {"069": 29}.')
    table: dict[int, Status] = {}
    for code, status in value.items():
        try:
            table[_code(name, code)] = Status(status)
        except ValueError:
            raise _fault(name, f"gives {status!r}, which is no status of ours.") from None
    return table


def _replacements(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or any(
        len(str(key)) != 1 or not isinstance(to, str) for key, to in value.items()
    ):
        raise _fault(name, 'is a table from one character to its replacement, such as {"€": "EUR"}.')
    return dict(value)


def _tlvs(name: str, value: Any) -> tuple[tuple[int, bytes], ...]:
    """{"0x1401": "00AF"}: tag → value in hexadecimal."""
    if not isinstance(value, Mapping):
        raise _fault(name, 'is a table from tags to hexadecimal values, such as {"0x1401": "00AF"}.')
    found = []
    for tag, text in value.items():
        number = _code(name, tag)
        try:
            raw = bytes.fromhex(text)
        except (TypeError, ValueError):
            raise _fault(name, f"{tag}: {text!r} is not hexadecimal.") from None
        if not 0 < number <= 0xFFFF or len(raw) > 0xFFFF or number in (pdu.TLV_MESSAGE_PAYLOAD, pdu.TLV_SAR_TOTAL):
            raise _fault(name, f"{tag} cannot be set by hand.")
        found.append((number, raw))
    return tuple(found)


def _timezone(name: str, value: Any) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, TypeError, OSError):
        raise _fault(name, f"{value!r} is no time zone such as Europe/Paris.") from None
    return str(value)


_SPECIAL: dict[str, Callable[[str, Any], Any]] = {
    "errors": _statuses, "command_statuses": _statuses, "replacements": _replacements, "tlvs": _tlvs,
    "receipt_timezone": _timezone,
}  # fmt: skip
