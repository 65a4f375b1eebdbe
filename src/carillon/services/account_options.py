"""What an account's administrators, and the operators, decide for everyone in it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from carillon.domain.errors import InvalidInput
from carillon.models import Account
from carillon.services import launching
from carillon.services.campaigns import MOST_WEIGHT

BY_ADMINS = frozenset(
    {
        "requires_second_factor",
        "ip_allow_list",
        "lists_are_admin_only",
        "sends_stop_confirmation",
        "stop_words",
        "optout_spares_notifications",
        "cap_messages",
        "cap_days",
        "closes_at_hour",
    }
)
BY_OPERATORS = BY_ADMINS | {
    "name",
    "is_active",
    "is_test",
    "ignores_legal_hours",
    "credit_mode",
    "max_segments",
    "countries",
    "short_code_mkg",
    "short_code_notification",
    "allows_sender_spaces",
    "time_zone",
    "weight",
}


def update(account: Account, *, by_operator: bool = False, **changes: Any) -> Account:
    """Raises InvalidInput for a field that is not this person's to change, or a value out of its bounds."""
    allowed = BY_OPERATORS if by_operator else BY_ADMINS
    if unknown := sorted(set(changes) - allowed):
        raise InvalidInput(f"Not an option one may change: {unknown[0]}.", field=unknown[0])
    if not 9 <= changes.get("closes_at_hour", account.closes_at_hour) <= 22:
        raise InvalidInput("Marketing hours end between 9 and 22.", field="closes_at_hour")
    if not 1 <= changes.get("max_segments", account.max_segments) <= 6:
        raise InvalidInput("A message has 1 to 6 segments.", field="max_segments")
    if not 1 <= changes.get("weight", account.weight) <= MOST_WEIGHT:
        raise InvalidInput(f"A weight is from 1 to {MOST_WEIGHT}.", field="weight")
    if (
        "name" in changes
        and Account.objects.filter(name__iexact=changes["name"].strip()).exclude(pk=account.pk).exists()
    ):
        raise InvalidInput("There is an account of this name.", field="name", code="name_taken")
    for name, value in changes.items():
        setattr(account, name, value)
    account.ignores_legal_hours = account.ignores_legal_hours and account.is_test
    account.save(update_fields=[*changes, "ignores_legal_hours"])
    if not account.is_active:
        launching.stop_all(account, now=timezone.now())
    return account
