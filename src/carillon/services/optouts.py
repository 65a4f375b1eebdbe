"""Who must not be written to: the account's opt-outs (14), the platform's (15), the account's client's or brand's (18), NPAI.

Looked at when a campaign is prepared and again when each message is about to leave.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from carillon.domain.status import Status

PLATFORM = 0  # account_id of opt-outs that hold for everybody
BY_LEVEL = {"account": Status.BLACKLISTED, "client": Status.BLACKLISTED_CLIENT, "brand": Status.BLACKLISTED_CLIENT}

LEVELS = """
SELECT msisdn, account_id, level FROM optout
WHERE account_id = ANY(%s) AND medium = %s AND brand_id = ANY(%s) AND msisdn = ANY(%s)
"""


def levels_of(
    account_id: int, msisdns: Sequence[int], *, brand_id: int | None = None, medium: str = "MOBILE"
) -> dict[int, int]:
    """{msisdn: status 15, 14 or 18} for those of `msisdns` that may not be written to; the strongest level wins."""
    with connection.cursor() as cursor:
        cursor.execute(LEVELS, [[PLATFORM, account_id], medium, [0, brand_id or 0], list(msisdns)])
        found = cursor.fetchall()
    levels: dict[int, int] = {}
    for msisdn, owner, level in found:
        status = Status.BLACKLISTED_GLOBAL if owner == PLATFORM else BY_LEVEL.get(level, Status.BLACKLISTED)
        current = levels.get(msisdn)
        if current is None or _strength(status) > _strength(current):
            levels[msisdn] = status
    return levels


def _strength(status: int) -> int:
    order = (Status.BLACKLISTED_CLIENT, Status.BLACKLISTED, Status.BLACKLISTED_GLOBAL)
    return order.index(Status(status))


def npai_of(account_id: int, msisdns: Sequence[int]) -> set[int]:
    """Those of `msisdns` the account keeps as unassigned numbers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT msisdn FROM npai WHERE account_id = %s AND msisdn = ANY(%s)", [account_id, list(msisdns)]
        )
        return {row[0] for row in cursor.fetchall()}
