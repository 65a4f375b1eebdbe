"""Our statuses in the words of other platforms: smsmode's numbers and SMSFactor's delivery reports.

`from_…` reads what another platform reports (unknown codes become 26, "unknown error"); `to_…` says ours in its words.
Where several of their codes mean one of ours, the first in the line is what we emit.
"""

from __future__ import annotations

from dataclasses import dataclass

from carillon.domain.status import Advice, Family, Status


@dataclass(frozen=True, slots=True)
class Foreign:
    """One code of smsmode: our status, its family, and what it advises to do with the number."""

    status: Status
    family: Family = Family.NONE
    advice: Advice = Advice.KEEP


_TEMPORARY, _PERMANENT, _OTHER = Family.TEMPORARY, Family.PERMANENT, Family.OTHER

SMSMODE: dict[int, Foreign] = {
    0: Foreign(Status.SENT),
    14: Foreign(Status.SENT),
    1: Foreign(Status.SENDING),
    10: Foreign(Status.IN_PROGRESS),  # programmed
    11: Foreign(Status.DELIVERED),
    13: Foreign(Status.POSTED, _TEMPORARY),  # delivered to the operator
    2: Foreign(Status.PROCESSING, _OTHER),
    33: Foreign(Status.CREDIT),
    34: Foreign(Status.MALFORMED, _OTHER),  # routing: unrecognised format or unmanaged destination
    3560: Foreign(Status.MALFORMED, _OTHER),
    3998: Foreign(Status.MALFORMED, _OTHER),
    35: Foreign(Status.UNDELIVERED, _OTHER),  # reception, undetermined: keep the number
    50: Foreign(Status.UNDELIVERED, _OTHER),
    3501: Foreign(Status.UNDELIVERED, _TEMPORARY),  # operator unavailable for 24 h
    3502: Foreign(Status.UNAVAILABLE, _TEMPORARY),  # absence
    3503: Foreign(Status.UNAVAILABLE, _TEMPORARY),  # phone
    3504: Foreign(Status.UNAVAILABLE, _TEMPORARY),  # being ported, works within 24 h
    3521: Foreign(Status.UNDELIVERED, _PERMANENT),  # operator
    3522: Foreign(Status.UNASSIGNED, _PERMANENT, Advice.MAY_BE_REMOVED),  # number not recognised
    3523: Foreign(Status.UNASSIGNED, _PERMANENT, Advice.MAY_BE_REMOVED),  # number not assigned
    3524: Foreign(Status.OPERATOR_REJECTED, _PERMANENT),  # anti-spam
    3525: Foreign(Status.OPERATOR_REJECTED, _PERMANENT),  # content
    3526: Foreign(Status.UNDELIVERED, _PERMANENT, Advice.TWO_CAMPAIGNS),  # ported to an unknown operator
    3527: Foreign(Status.UNDELIVERED, _PERMANENT),  # roaming
    37: Foreign(Status.EXPIRED, _OTHER),
    22: Foreign(Status.OPERATOR_REJECTED, _OTHER),
    36: Foreign(Status.REJECTED, _OTHER),
    38: Foreign(Status.REJECTED, _OTHER),
    21: Foreign(Status.OPERATOR_REFUSED, _OTHER),
    3999: Foreign(Status.BLACKLISTED, _OTHER),
    999: Foreign(Status.UNKNOWN, _OTHER),
    3599: Foreign(Status.UNKNOWN, _OTHER),
}
_TO_SMSMODE = {
    Status.STOPPED: 11, Status.DELIVERED_P2P: 11, Status.POSTED_P2P: 13, Status.UNDELIVERED_P2P: 35,
    Status.UNASSIGNED: 3523, Status.UNASSIGNED_P2P: 3523, Status.IN_PROGRESS: 1, Status.NOT_AUTHORISED: 34,
    Status.NO_TARIFF: 34, Status.DUPLICATE: 2, Status.PERSONALISATION: 36, Status.UCS2: 36, Status.TOO_LONG: 38,
    Status.BLACKLISTED_GLOBAL: 3999, Status.BLACKLISTED_CLIENT: 3999, Status.DELETED: 2, Status.VOICE_UNDELIVERED: 50,
}  # fmt: skip

# SMSFactor: 0 not sent, 1 sent, 2 not delivered, 3 delivered, 4 not allowed, 5 invalid destination, 6 invalid sender,
# 7 route not available, 9 rejected, 11 network error, 12 expired
_FROM_SMSFACTOR = {
    0: Status.SENDING, 1: Status.SENT, 2: Status.UNDELIVERED, 3: Status.DELIVERED, 4: Status.OPERATOR_REFUSED,
    5: Status.MALFORMED, 6: Status.REJECTED, 7: Status.NO_TARIFF, 9: Status.OPERATOR_REJECTED, 11: Status.UNAVAILABLE,
    12: Status.EXPIRED,
}  # fmt: skip
_TO_SMSFACTOR = {
    Status.POSTED: 1, Status.POSTED_P2P: 1, Status.DELIVERED_P2P: 3, Status.STOPPED: 3, Status.UNDELIVERED_P2P: 2,
    Status.UNASSIGNED: 2, Status.UNASSIGNED_P2P: 2, Status.UNKNOWN: 2, Status.VOICE_UNDELIVERED: 2,
    Status.NOT_AUTHORISED: 4, Status.BLACKLISTED: 4, Status.BLACKLISTED_GLOBAL: 4, Status.BLACKLISTED_CLIENT: 4,
    Status.IN_PROGRESS: 0, Status.DUPLICATE: 0, Status.PERSONALISATION: 0, Status.UCS2: 0, Status.TOO_LONG: 0,
    Status.CREDIT: 0, Status.PROCESSING: 0, Status.DELETED: 0,
}  # fmt: skip


def from_smsmode(code: int) -> Foreign:
    return SMSMODE.get(code, Foreign(Status.UNKNOWN, _OTHER))


def to_smsmode(status: int) -> int:
    status = Status(status)
    found = _TO_SMSMODE.get(status)
    return next(code for code, foreign in SMSMODE.items() if foreign.status is status) if found is None else found


def from_smsfactor(code: int) -> Status:
    return _FROM_SMSFACTOR.get(code, Status.UNKNOWN)


def to_smsfactor(status: int) -> int:
    status = Status(status)
    found = _TO_SMSFACTOR.get(status)
    return next(code for code, ours in _FROM_SMSFACTOR.items() if ours is status) if found is None else found
