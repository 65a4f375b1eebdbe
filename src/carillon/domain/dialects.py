"""Our statuses in the words of another platform: SMSFactor's delivery reports, which webhooks may be told in.

What carriers report to us is read by their own modules (carriers/http). Source of the codes: SMSFactor's API documentation,
"delivery reports".
"""

from __future__ import annotations

from collections.abc import Mapping

from carillon.domain.status import Status

# SMSFactor's code: what it means there, and the statuses of ours that are told so.
_SMSFACTOR: Mapping[int, frozenset[Status]] = {
    0: frozenset({  # not sent, or not yet
        Status.IN_PROGRESS, Status.SENDING, Status.DUPLICATE, Status.PERSONALISATION, Status.UCS2, Status.TOO_LONG,
        Status.CREDIT, Status.PROCESSING, Status.DELETED,
    }),
    1: frozenset({Status.SENT, Status.POSTED, Status.POSTED_P2P}),  # sent
    2: frozenset({  # not delivered
        Status.UNDELIVERED, Status.UNDELIVERED_P2P, Status.UNASSIGNED, Status.UNASSIGNED_P2P, Status.UNKNOWN,
        Status.VOICE_UNDELIVERED,
    }),
    3: frozenset({Status.DELIVERED, Status.DELIVERED_P2P, Status.STOPPED}),  # delivered
    4: frozenset({  # not allowed
        Status.NOT_AUTHORISED, Status.OPERATOR_REFUSED, Status.BLACKLISTED, Status.BLACKLISTED_GLOBAL,
        Status.BLACKLISTED_CLIENT,
    }),
    5: frozenset({Status.MALFORMED}),  # invalid destination
    6: frozenset({Status.REJECTED}),  # invalid sender
    7: frozenset({Status.NO_TARIFF}),  # route not available
    9: frozenset({Status.OPERATOR_REJECTED}),  # rejected
    11: frozenset({Status.UNAVAILABLE}),  # network error
    12: frozenset({Status.EXPIRED}),  # expired
}  # fmt: skip
_TO_SMSFACTOR = {status: code for code, statuses in _SMSFACTOR.items() for status in statuses}


def to_smsfactor(status: int) -> int:
    """SMSFactor's code. ValueError for a status that does not exist."""
    return _TO_SMSFACTOR[Status(status)]
