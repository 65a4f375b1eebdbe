"""The short domains links are written with: the platform's, and each account's own."""

from __future__ import annotations

import re

from django.db import transaction
from django.db.models import Q, QuerySet

from carillon.domain.errors import InvalidInput, NotFound
from carillon.models import Account, Campaign, Link, ShortDomain

NAME = re.compile(r"(?=.{4,60}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(?::\d{1,5})?")
BUSY = (Campaign.State.DRAFT, Campaign.State.SCHEDULED, Campaign.State.INJECTING, Campaign.State.INPROGRESS)


def usable_by(account: Account) -> QuerySet[ShortDomain]:
    """Its own before the platform's, the default first: the first one is taken when nobody chooses."""
    return ShortDomain.objects.filter(Q(account=account) | Q(account=None)).order_by("account_id", "-is_default", "pk")


@transaction.atomic
def add(name: str, *, account: Account | None = None, is_default: bool = False) -> ShortDomain:
    """`account` None: for everybody. Its DNS must lead to the platform. Raises InvalidInput."""
    name = name.strip().lower().rstrip(".")
    if not NAME.fullmatch(name):
        raise InvalidInput(f"{name[:60]!r} is not a domain such as clic-ici.net", field="name")
    if ShortDomain.objects.filter(name=name).exists():
        raise InvalidInput(f"{name} is a short domain already", field="name", code="name_taken")
    if is_default:
        ShortDomain.objects.filter(account=account).update(is_default=False)
    return ShortDomain.objects.create(name=name, account=account, is_default=is_default)


def remove(name: str) -> None:
    """Links in messages already sent stop working once its DNS leads elsewhere; drafts must not use it any more."""
    found = ShortDomain.objects.filter(name=name.strip().lower()).first()
    if found is None:
        raise NotFound(f"There is no short domain {name}", code="domain_not_found")
    used = Link.objects.filter(domain=found.name, campaign__state__in=BUSY, campaign__deleted_at=None).first()
    if used is not None:
        raise InvalidInput(
            f"Campaign {used.campaign_id} is written with {found.name}", field="name", code="domain_used"
        )
    found.delete()
