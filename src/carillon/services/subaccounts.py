"""Accounts under an account: their mode, their credits, and closing them (features A12)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from carillon.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from carillon.models import Account, User
from carillon.services import accounts, credits, launching

MODES = (Account.CreditMode.LIMITED, Account.CreditMode.UNLIMITED)
INHERITED = ("max_segments", "countries", "time_zone", "closes_at_hour", "short_code_mkg", "short_code_notification",
             "is_test", "ignores_legal_hours", "allows_sender_spaces", "link_life_days")  # fmt: skip


def of(account: Account) -> QuerySet[Account]:
    """With `people`, how many logins each has."""
    return Account.objects.filter(parent=account).annotate(people=Count("users")).order_by("name")


def get(actor: User, account_id: int) -> Account:
    """A sub-account of this administrator's account. Raises NotFound."""
    found = Account.objects.select_related("parent").filter(pk=account_id, parent_id=actor.account_id).first()
    if found is None or not actor.is_admin:
        raise NotFound(f"There is no sub-account {account_id}.")
    return found


@transaction.atomic
def create(actor: User, *, name: str, mode: str, amount: int = 0) -> Account:
    """LIMITED gets `amount` hundredths of a credit from the parent; UNLIMITED spends the parent's."""
    parent = actor.account
    if not actor.is_admin:
        raise Forbidden("Administrators create sub-accounts.")
    if parent.parent_id is not None:
        raise Conflict("A sub-account has no sub-accounts.", code="nested")
    _check_mode(mode)
    child = accounts.create(name, parent=parent, is_test=parent.is_test, user=actor)
    for field in INHERITED:
        setattr(child, field, getattr(parent, field))
    child.credit_mode = mode
    child.save()
    if amount and mode == Account.CreditMode.LIMITED:
        credits.transfer(parent, child, amount, user=actor)
        child.refresh_from_db()
    return child


def _check_mode(mode: str) -> None:
    if mode not in MODES:
        raise InvalidInput("The mode is limited or unlimited.", field="mode", code="mode")


@transaction.atomic
def change(child: Account, **changes: Any) -> Account:
    """`name`, `credit_mode`, `is_active`. A closed account's people are signed out at their next request, and nothing leaves it:
    what it had scheduled becomes drafts again, what it was sending is paused."""
    if "credit_mode" in changes:
        _check_mode(changes["credit_mode"])
    if "name" in changes and Account.objects.filter(name__iexact=changes["name"].strip()).exclude(pk=child.pk).exists():
        raise InvalidInput("There is an account of this name.", field="name", code="name_taken")
    for name in ("name", "credit_mode", "is_active"):
        if name in changes:
            value = changes[name]
            setattr(child, name, value.strip() if isinstance(value, str) else value)
    child.save(update_fields=["name", "credit_mode", "is_active"])
    if not child.is_active:
        launching.stop_all(child, now=timezone.now())
    return child


def give(actor: User, child: Account, amount: int) -> None:
    """Moves credits to the sub-account; a negative amount takes them back. Raises InsufficientCredit."""
    if amount == 0:
        raise InvalidInput("How many credits?", field="amount", code="amount")
    source, target = (actor.account, child) if amount > 0 else (child, actor.account)
    credits.transfer(source, target, abs(amount), user=actor)


@transaction.atomic
def reset(actor: User, child: Account) -> int:
    """Everything the sub-account may still spend returns to the parent; gives how much."""
    both = Account.objects.select_for_update().filter(pk__in=[child.pk, actor.account_id]).order_by("pk")
    available = {account.pk: account.available for account in both}[child.pk]  # locked in the order of credits.transfer
    if available > 0:
        credits.transfer(child, actor.account, available, user=actor)
    return max(0, available)
