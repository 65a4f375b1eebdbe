"""What crosses the carrier border. Plain values: carriers build or read them, the gateway stores them.

Numbers are E.164 digits as int (33612345678), statuses the codes of domain.status, times aware UTC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class Outbound:
    """One text to one recipient. The carrier cuts it into segments (domain.segments)."""

    message_id: int
    msisdn: int
    text: str
    sender: str
    segments: int = 1
    is_notification: bool = False
    validity_s: int = 48 * 3600
    campaign_id: int = 0
    account_id: int = 0
    price: int = 0  # hundredths of a credit, for the whole message


@dataclass(slots=True)
class Answer:
    """What the carrier said of one segment (submit_sm_resp or its HTTP equivalent).

    `status` is 24 when accepted. A refusal carries its final status (13, 27, 32 …), unless `is_retryable`:
    then nothing was taken and the segment may be handed over again.
    `error` is the carrier's own code (command_status for SMPP), 0 when there is none.
    """

    message_id: int
    segment: int  # from 1
    segments: int
    status: int
    carrier_message_id: str = ""
    error: int = 0
    is_retryable: bool = False


@dataclass(slots=True)
class Receipt:
    """One delivery receipt. `status` by the carrier's own table; `error` its numeric err code (0 = none)."""

    carrier_message_id: str
    status: int
    error: int = 0
    msisdn: int = 0
    sender: str = ""
    done_at: datetime | None = None
    submitted_at: datetime | None = None


GAP = "[…]"  # where a part of a long text never came


@dataclass(frozen=True, slots=True)
class TextPart:
    """Which part of which long text. `printed` is what its deliver_sm consists of (16 octets)."""

    reference: int
    total: int
    number: int
    printed: bytes
    waits_s: float  # for the others


def fingerprint_of(prints: Iterable[bytes]) -> int:
    """Of a text, from those of its parts in order: 64 bits, signed."""
    return int.from_bytes(hashlib.blake2b(b"".join(prints), digest_size=8).digest(), "big", signed=True)


@dataclass(slots=True)
class Inbound:
    """One text from a person (MO). Long ones are joined before they come here, unless `part` says that this is one part of a text
    whose other parts did not come by the same gateway.

    `carrier_message_id` is what makes a repeat recognisable. Where the carrier gives none it is empty, and `fingerprint` says what
    the text consists of (64 bits, 0: not known), `session_id` by which of the carrier's sessions it came. `parts` are those of a
    joined one: each may come again alone, when only its answer was lost.
    """

    msisdn: int
    to: str  # the short code or long number it was sent to
    text: str
    carrier_message_id: str = ""
    received_at: datetime | None = None
    fingerprint: int = 0
    session_id: int = 0
    part: TextPart | None = None
    parts: tuple[TextPart, ...] = ()
