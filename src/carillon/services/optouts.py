"""Who must not be written to: the account's opt-outs (14), the platform's (15), the account's client's or brand's (18), NPAI.

Looked at when a campaign is prepared and again when each message is about to leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from carillon.domain.status import Status
from carillon.models import Campaign

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
    return strongest(found)


def strongest(found: Iterable[tuple[int, int, str]]) -> dict[int, int]:
    """{msisdn: status} from rows (msisdn, account_id, level): what LEVELS selects."""
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


CAPPED = """
SELECT m.msisdn FROM message m JOIN campaign c ON c.id = m.campaign_id
WHERE m.msisdn = ANY(%s) AND c.account_id = %s AND c.traffic = 'MKG' AND c.launched_at >= %s AND m.status = 1
  AND c.id <> %s AND c.origin NOT IN ('test', 'system') AND m.account_id = %s
GROUP BY m.msisdn HAVING count(*) >= %s
"""


def capped(campaign: Campaign, msisdns: Sequence[int]) -> set[int]:
    """Those who already got the account's most marketing messages of its last days (0 = no cap)."""
    account = campaign.account
    if not account.cap_messages or not campaign.is_marketing:
        return set()
    since = timezone.now() - timedelta(days=account.cap_days)
    with connection.cursor() as cursor:
        cursor.execute(
            CAPPED, [list(msisdns), account.pk, since, campaign.pk, account.pk, account.cap_messages]
        )
        return {row[0] for row in cursor.fetchall()}
