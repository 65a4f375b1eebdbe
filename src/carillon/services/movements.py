"""The account's ledger, to read: newest first, with what each movement was about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from carillon.models import Account, Campaign, Ledger, User


@dataclass(frozen=True, slots=True)
class Movement:
    """Amounts in hundredths of a credit. `campaign` is None for what belongs to no campaign, or to a hidden one."""

    at: datetime
    kind: str
    balance: int
    held: int
    note: str
    campaign: Campaign | None
    by: str


def of(actor: User, account: Account) -> QuerySet[Ledger]:
    """Movements this person may read: an administrator the account's, a simple user those of the own campaigns."""
    found = Ledger.objects.filter(account_id=account.pk).order_by("-id")
    if actor.is_admin:
        return found
    own = Campaign.objects.filter(user=actor).order_by("-id").values_list("id", flat=True)[:500]
    return found.filter(campaign_id__in=list(own))


def described(rows: Iterable[Ledger]) -> list[Movement]:
    rows = list(rows)
    campaigns = Campaign.objects.in_bulk([row.campaign_id for row in rows if row.campaign_id])
    people = User.objects.in_bulk([row.user_id for row in rows if row.user_id])
    return [
        Movement(
            at=row.at,
            kind=row.kind,
            balance=row.balance,
            held=row.held,
            note=row.note,
            campaign=campaigns.get(row.campaign_id) if row.campaign_id else None,
            by=people[row.user_id].full_name if row.user_id in people else "",
        )
        for row in rows
    ]
