"""What becomes of a message: magic numbers first, else a share drawn from the number and the seed, the same every time.

Magic numbers end in 99 00 00 NN (+33 6 99 00 00 NN): the message ends in our status NN, or the centre misbehaves (90 to 99).
docs/simulator.md has the same table for people; a test compares them.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from carillon.carriers.smpp import pdu


@dataclass(frozen=True, slots=True)
class Outcome:
    """`stat` is "" when no receipt ever comes. `refusal` is a command_status; with `refuses_once` every other attempt passes."""

    stat: str = "DELIVRD"
    error: int = 0
    refusal: int = pdu.ROK
    refuses_once: bool = False
    replies: str = ""  # a text the person sends back
    is_early: bool = False  # the receipt overtakes the answer
    receipts: tuple[str, ...] = ()  # further receipts after the first, by their stat
    delay_factor: float = 1.0
    drops: str = ""  # "taken" or "untaken": hangs up, the answer unsent
    is_unanswered: bool = False


RMSGQFUL, RTHROTTLED = 0x14, 0x58

SHARES: Mapping[str, Outcome] = {
    "delivered": Outcome(),
    "undelivered": Outcome("UNDELIV", 34),
    "unassigned": Outcome("UNDELIV", 1),
    "unavailable": Outcome("UNDELIV", 27),
    "expired": Outcome("EXPIRED"),
    "rejected": Outcome("REJECTD"),
    "silent": Outcome(""),
}
UNASSIGNED = SHARES["unassigned"]
ABSENT = SHARES["unavailable"]
EXPIRED = SHARES["expired"]

MAGIC: Mapping[int, Outcome] = {
    0: Outcome(),
    9: Outcome("ENROUTE"),
    10: Outcome("ACCEPTD"),
    12: Outcome(refusal=pdu.RINVCMDLEN),
    13: Outcome(refusal=pdu.RINVDSTADR),
    16: Outcome(),
    17: Outcome(replies="STOP"),
    20: Outcome("UNDELIV", 34),
    21: Outcome(),
    22: Outcome("EXPIRED"),
    23: Outcome("DELETED"),
    24: Outcome(""),
    25: Outcome("UNDELIV", 34),
    26: Outcome("UNKNOWN"),
    27: Outcome("REJECTD"),
    28: Outcome("ACCEPTD"),
    29: Outcome("UNDELIV", 1),
    30: Outcome("UNDELIV", 1),
    31: Outcome("UNDELIV", 27),
    32: Outcome(refusal=pdu.RINVSRCADR),
    90: Outcome(refusal=RTHROTTLED, refuses_once=True),
    91: Outcome(refusal=RMSGQFUL, refuses_once=True),
    92: Outcome(refusal=pdu.RSYSERR, refuses_once=True),
    93: Outcome(is_early=True),
    94: Outcome(receipts=("DELIVRD",)),
    95: Outcome(delay_factor=10.0),
    96: Outcome(drops="taken"),
    97: Outcome(drops="untaken"),
    98: Outcome(is_unanswered=True),
    99: Outcome(receipts=("UNDELIV",)),
}


def decide(destination: str, *, seed: int, mix: Mapping[str, float]) -> Outcome:
    digits = destination.lstrip("+")
    if len(digits) > 8 and digits[-8:-2] == "990000" and digits[-2:].isdigit():
        found = MAGIC.get(int(digits[-2:]))
        if found is not None:
            return found
    draw = zlib.crc32(f"{seed}:{digits}".encode()) / 2**32 * sum(mix.values())
    for name, share in mix.items():
        draw -= share
        if draw < 0:
            return SHARES[name]
    return SHARES["delivered"]


def accepted(outcome: Outcome) -> Outcome:
    """The outcome of the attempt after the one that was refused."""
    return replace(outcome, refusal=pdu.ROK, refuses_once=False)
