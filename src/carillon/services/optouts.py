"""Who must not be written to: the account's opt-outs (14), the platform's (15), the account's client's or brand's (18), NPAI.

Looked at when a campaign is prepared and again when each message is about to leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from carillon.domain import msisdn as numbers
from carillon.domain.errors import InvalidInput, NotFound
from carillon.domain.status import Status
from carillon.models import Account, Brand, Campaign, OptOut, User
from carillon.services import consents
from carillon.services.ticks import literal

PLATFORM = 0  # account_id of opt-outs that hold for everybody

# Only what the index optout_number holds: of a blacklist of millions no row is fetched.
LEVELS = """
SELECT msisdn, account_id, brand_id FROM optout
WHERE account_id = ANY(%s) AND medium = %s AND brand_id = ANY(%s) AND msisdn = ANY(%s::bigint[])
"""


def levels_of(
    account_id: int, msisdns: Sequence[int], *, brand_id: int | None = None, medium: str = "MOBILE"
) -> dict[int, int]:
    """{msisdn: status 15, 14 or 18} for those of `msisdns` that may not be written to; the strongest level wins."""
    with connection.cursor() as cursor:
        cursor.execute(LEVELS, [[PLATFORM, account_id], medium, [0, brand_id or 0], _sorted(msisdns)])
        found = cursor.fetchall()
    return strongest(found)


def _sorted(msisdns: Iterable[int]) -> str:
    """Neighbours in the index are looked up together. A literal costs a fifth of the driver's own list."""
    return literal(sorted(msisdns))


def strongest(found: Iterable[tuple[int, int, int]]) -> dict[int, int]:
    """{msisdn: status} from rows (msisdn, account_id, brand_id): what LEVELS selects."""
    levels: dict[int, int] = {}
    for msisdn, owner, brand_id in found:
        own = Status.BLACKLISTED_CLIENT if brand_id else Status.BLACKLISTED
        status = Status.BLACKLISTED_GLOBAL if owner == PLATFORM else own
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
            "SELECT msisdn FROM npai WHERE account_id = %s AND msisdn = ANY(%s::bigint[])",
            [account_id, _sorted(msisdns)],
        )
        return {row[0] for row in cursor.fetchall()}


CAPPED = """
SELECT m.msisdn FROM message m JOIN campaign c ON c.id = m.campaign_id
WHERE m.msisdn = ANY(%s::bigint[]) AND c.account_id = %s AND c.traffic = 'MKG' AND c.launched_at >= %s AND m.status = 1
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
        cursor.execute(CAPPED, [_sorted(msisdns), account.pk, since, campaign.pk, account.pk, account.cap_messages])
        return {row[0] for row in cursor.fetchall()}


MEDIA = ("MOBILE", "VMS")
ADD = """
INSERT INTO optout (account_id, id, msisdn, medium, level, brand_id, source, description, campaign_id)
VALUES (%s, take_ids('optout_ids', 1), %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (account_id, medium, msisdn, brand_id) DO NOTHING RETURNING id
"""


def number_of(item: str) -> int:
    """The number a person typed, for the blacklist. Raises InvalidInput."""
    parsed = numbers.parse(item)
    if parsed.msisdn is None:
        raise InvalidInput(f"'{item[:40]}' is not a telephone number", field="item", code="invalid_number")
    return parsed.msisdn


@transaction.atomic
def add(
    account: Account | None,
    msisdn: int,
    *,
    medium: str = "MOBILE",
    brand: Brand | None = None,
    source: str,
    description: str = "",
    campaign_id: int | None = None,
    user: User | None = None,
) -> bool:
    """Never write to this number again; False when that was known already. `account` None: for the whole platform.

    `source`: stop, web, api, import, link or cli. With a brand the opt-out holds for that brand (or client) only.
    """
    if medium not in MEDIA:
        raise InvalidInput("The medium of an opt-out is MOBILE or VMS", field="typeItem")
    if brand is not None and (account is None or brand.account_id != account.pk):
        raise NotFound("There is no such brand", code="brand_not_found")
    account_id = account.pk if account else PLATFORM
    level = "platform" if account is None else "account" if brand is None else "client" if brand.is_client else "brand"
    brand_id = brand.pk if brand else 0
    with connection.cursor() as cursor:
        cursor.execute(ADD, [account_id, msisdn, medium, level, brand_id, source, description[:500], campaign_id])
        is_new = cursor.fetchone() is not None
    if is_new:
        body = {"msisdn": msisdn, "medium": medium, "level": level, "brand": brand_id, "source": source}
        consents.append(
            account_id, "optout", body | {"description": description[:500], "user": user.pk if user else None}
        )
    return is_new


@transaction.atomic
def remove(
    account: Account,
    msisdn: int,
    *,
    medium: str = "MOBILE",
    brand: Brand | None = None,
    consent: str,
    source: str = "web",
    user: User | None = None,
) -> bool:
    """Write to this number again, because its person agreed: `consent` says when and how, and is kept for ever.

    Removing someone without consent is forbidden (features G3): an empty or very short `consent` is refused.
    """
    if len(consent.strip()) < 10:
        raise InvalidInput(
            "Say when and how the person agreed to be written to again (10 characters or more)",
            field="consent",
            code="consent_required",
        )
    deleted, _ = OptOut.objects.filter(
        account_id=account.pk, msisdn=msisdn, medium=medium, brand_id=brand.pk if brand else 0
    ).delete()
    if deleted:
        body = {"msisdn": msisdn, "medium": medium, "brand": brand.pk if brand else 0, "consent": consent.strip()}
        consents.append(account.pk, "optin", body | {"source": source, "user": user.pk if user else None})
    return bool(deleted)
