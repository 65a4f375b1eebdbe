"""What an SMSC's codes mean to us: command_status, the `stat` of receipts, their `err`. Tables first, then three look-ups.

Sources: SMPP 3.4 issue 1.2, 5.1.3 (command_status) and 5.2.28 (message_state), appendix B (receipt text); 3GPP TS 29.002
17.6.6 for the MAP errors most operators hand through in `err`. A connector adds its operator's own codes by option.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from carillon.domain.status import Status


class Reaction(StrEnum):
    FINAL = "final"  # the message ends with the status beside it
    RETRY = "retry"  # nothing was taken; the gateway may hand it over again
    PAUSE = "pause"  # the SMSC wants fewer; the connector pauses and sends it again itself, in order


class CommandStatus(NamedTuple):
    name: str
    status: Status
    reaction: Reaction
    meaning: str


_FINAL, _RETRY, _PAUSE = Reaction.FINAL, Reaction.RETRY, Reaction.PAUSE
_C, _S = CommandStatus, Status
# fmt: off
COMMAND_STATUSES: Final[dict[int, CommandStatus]] = {
    0x00: _C("ESME_ROK", _S.SENT, _FINAL, "accepted"),
    0x01: _C("ESME_RINVMSGLEN", _S.REJECTED, _FINAL, "message length is invalid"),
    0x02: _C("ESME_RINVCMDLEN", _S.PROCESSING, _FINAL, "command length is invalid"),
    0x03: _C("ESME_RINVCMDID", _S.PROCESSING, _FINAL, "command is unknown to the SMSC"),
    0x04: _C("ESME_RINVBNDSTS", _S.PROCESSING, _RETRY, "command not allowed in this bind state"),
    0x05: _C("ESME_RALYBND", _S.PROCESSING, _RETRY, "already bound: another process or machine uses this system_id"),
    0x06: _C("ESME_RINVPRTFLG", _S.REJECTED, _FINAL, "priority flag is invalid"),
    0x07: _C("ESME_RINVREGDLVFLG", _S.REJECTED, _FINAL, "registered_delivery flag is invalid"),
    0x08: _C("ESME_RSYSERR", _S.PROCESSING, _RETRY, "system error at the SMSC"),
    0x0A: _C("ESME_RINVSRCADR", _S.REJECTED, _FINAL, "sender is not allowed or malformed"),
    0x0B: _C("ESME_RINVDSTADR", _S.OPERATOR_REFUSED, _FINAL, "destination number is refused"),
    0x0C: _C("ESME_RINVMSGID", _S.PROCESSING, _FINAL, "message id is invalid"),
    0x0D: _C("ESME_RBINDFAIL", _S.PROCESSING, _RETRY, "bind failed"),
    0x0E: _C("ESME_RINVPASWD", _S.PROCESSING, _RETRY, "password is wrong"),
    0x0F: _C("ESME_RINVSYSID", _S.PROCESSING, _RETRY, "system_id is unknown"),
    0x11: _C("ESME_RCANCELFAIL", _S.PROCESSING, _FINAL, "cancel_sm failed"),
    0x13: _C("ESME_RREPLACEFAIL", _S.PROCESSING, _FINAL, "replace_sm failed"),
    0x14: _C("ESME_RMSGQFUL", _S.PROCESSING, _PAUSE, "message queue at the SMSC is full"),
    0x15: _C("ESME_RINVSERTYP", _S.REJECTED, _FINAL, "service_type is invalid"),
    0x33: _C("ESME_RINVNUMDESTS", _S.REJECTED, _FINAL, "number of destinations is invalid"),
    0x34: _C("ESME_RINVDLNAME", _S.REJECTED, _FINAL, "distribution list is invalid"),
    0x40: _C("ESME_RINVDESTFLAG", _S.REJECTED, _FINAL, "destination flag is invalid"),
    0x42: _C("ESME_RINVSUBREP", _S.REJECTED, _FINAL, "submit with replace is invalid"),
    0x43: _C("ESME_RINVESMCLASS", _S.REJECTED, _FINAL, "esm_class is invalid"),
    0x44: _C("ESME_RCNTSUBDL", _S.REJECTED, _FINAL, "cannot submit to the distribution list"),
    0x45: _C("ESME_RSUBMITFAIL", _S.OPERATOR_REJECTED, _FINAL, "submit failed"),
    0x48: _C("ESME_RINVSRCTON", _S.REJECTED, _FINAL, "TON of the sender is invalid"),
    0x49: _C("ESME_RINVSRCNPI", _S.REJECTED, _FINAL, "NPI of the sender is invalid"),
    0x50: _C("ESME_RINVDSTTON", _S.REJECTED, _FINAL, "TON of the destination is invalid"),
    0x51: _C("ESME_RINVDSTNPI", _S.REJECTED, _FINAL, "NPI of the destination is invalid"),
    0x53: _C("ESME_RINVSYSTYP", _S.PROCESSING, _RETRY, "system_type is invalid"),
    0x54: _C("ESME_RINVREPFLAG", _S.REJECTED, _FINAL, "replace_if_present flag is invalid"),
    0x55: _C("ESME_RINVNUMMSGS", _S.REJECTED, _FINAL, "number of messages is invalid"),
    0x58: _C("ESME_RTHROTTLED", _S.PROCESSING, _PAUSE, "over the rate the SMSC allows"),
    0x61: _C("ESME_RINVSCHED", _S.REJECTED, _FINAL, "schedule_delivery_time is invalid"),
    0x62: _C("ESME_RINVEXPIRY", _S.REJECTED, _FINAL, "validity_period is invalid"),
    0x63: _C("ESME_RINVDFTMSGID", _S.REJECTED, _FINAL, "predefined message is invalid"),
    0x64: _C("ESME_RX_T_APPN", _S.PROCESSING, _RETRY, "temporary error of the receiving application"),
    0x65: _C("ESME_RX_P_APPN", _S.OPERATOR_REJECTED, _FINAL, "permanent error of the receiving application"),
    0x66: _C("ESME_RX_R_APPN", _S.OPERATOR_REJECTED, _FINAL, "rejected by the receiving application"),
    0x67: _C("ESME_RQUERYFAIL", _S.PROCESSING, _FINAL, "query_sm failed"),
    0xC0: _C("ESME_RINVOPTPARSTREAM", _S.REJECTED, _FINAL, "error in the optional parameters"),
    0xC1: _C("ESME_ROPTPARNOTALLWD", _S.REJECTED, _FINAL, "optional parameter is not allowed"),
    0xC2: _C("ESME_RINVPARLEN", _S.REJECTED, _FINAL, "parameter length is invalid"),
    0xC3: _C("ESME_RMISSINGOPTPARAM", _S.REJECTED, _FINAL, "an optional parameter is missing"),
    0xC4: _C("ESME_RINVOPTPARAMVAL", _S.REJECTED, _FINAL, "value of an optional parameter is invalid"),
    0xFE: _C("ESME_RDELIVERYFAILURE", _S.UNDELIVERED, _FINAL, "delivery failed"),
    0xFF: _C("ESME_RUNKNOWNERR", _S.UNKNOWN, _FINAL, "unknown error"),
}

STATS: Final[dict[str, Status]] = {  # `stat:` of a receipt, upper case; long spellings seen in the wild beside the short
    "DELIVRD": _S.DELIVERED, "DELIVERED": _S.DELIVERED, "DELIVERD": _S.DELIVERED,
    "EXPIRED": _S.EXPIRED,
    "DELETED": _S.DELETED,
    "UNDELIV": _S.UNDELIVERED, "UNDELIVERABLE": _S.UNDELIVERED, "UNDELIVERED": _S.UNDELIVERED, "FAILED": _S.UNDELIVERED,
    "ACCEPTD": _S.POSTED, "ACCEPTED": _S.POSTED,
    "UNKNOWN": _S.UNKNOWN, "UNKNOWNN": _S.UNKNOWN,
    "REJECTD": _S.OPERATOR_REJECTED, "REJECTED": _S.OPERATOR_REJECTED, "SKIPPED": _S.OPERATOR_REJECTED,
    "ENROUTE": _S.SENDING, "BUFFERED": _S.SENDING, "BUFFRED": _S.SENDING, "SCHEDULED": _S.SENDING,
}

MESSAGE_STATES: Final[dict[int, Status]] = {  # TLV message_state
    0: _S.SENDING,  # SCHEDULED
    1: _S.SENDING,  # ENROUTE
    2: _S.DELIVERED,
    3: _S.EXPIRED,
    4: _S.DELETED,
    5: _S.UNDELIVERED,
    6: _S.POSTED,  # ACCEPTED
    7: _S.UNKNOWN,
    8: _S.OPERATOR_REJECTED,
    9: _S.OPERATOR_REJECTED,  # SKIPPED (SMPP 5, sent by some 3.4 centres)
}

ERR_TABLES: Final[dict[str, dict[int, Status]]] = {  # what `err` adds to a receipt that says "undeliverable"
    "map": {
        1: _S.UNASSIGNED,  # unknownSubscriber
        5: _S.UNASSIGNED,  # unidentifiedSubscriber
        6: _S.UNAVAILABLE,  # absentSubscriberSM
        8: _S.UNDELIVERED,  # roamingNotAllowed
        9: _S.OPERATOR_REFUSED,  # illegalSubscriber
        11: _S.OPERATOR_REFUSED,  # teleserviceNotProvisioned
        12: _S.UNDELIVERED,  # illegalEquipment
        13: _S.OPERATOR_REFUSED,  # callBarred
        21: _S.OPERATOR_REFUSED,  # facilityNotSupported
        27: _S.UNAVAILABLE,  # absentSubscriber
        31: _S.UNAVAILABLE,  # subscriberBusyForMT-SMS
        32: _S.UNDELIVERED,  # sm-DeliveryFailure
        33: _S.UNDELIVERED,  # messageWaitingListFull
        34: _S.UNDELIVERED,  # systemFailure
    },
    "none": {},
}
# fmt: on
_VENDOR = CommandStatus("vendor specific", Status.UNKNOWN, Reaction.FINAL, "a code of this SMSC's own")
_REFINED = frozenset({Status.UNDELIVERED})


def command_status(code: int, *, own: Mapping[int, Status] | None = None) -> CommandStatus:
    """`own` is the connector's table: it wins over the specification's."""
    row = COMMAND_STATUSES.get(code, _VENDOR)
    if own and code in own:
        return CommandStatus(row.name, own[code], Reaction.FINAL, row.meaning)
    return row


def explain(code: int) -> str:
    """ "ESME_RINVPASWD (0x0E): password is wrong", for logs and the operator's page."""
    row = COMMAND_STATUSES.get(code, _VENDOR)
    return f"{row.name} (0x{code:02X}): {row.meaning}"


def refine(status: Status, error: int, *, errors: Mapping[int, Status]) -> Status:
    """The receipt's own word, made precise by its `err` where that says more. `errors` is the connector's table."""
    return errors.get(error, status) if error and status in _REFINED else status
