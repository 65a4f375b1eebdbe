"""The register of sender names: an account asks, operators decide."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from carillon.domain import senders
from carillon.domain.errors import Forbidden, InvalidInput, NotFound
from carillon.models import Account, Sender, User


def visible(actor: User) -> QuerySet[Sender]:
    """The account's own; operators see everyone's, those to decide first."""
    found = Sender.objects.select_related("account")
    if actor.is_operator:
        return found.order_by("-state", "-created_at")
    return found.filter(account_id=actor.account_id).order_by("name")


def waiting() -> QuerySet[Sender]:
    return Sender.objects.select_related("account").filter(state=Sender.State.WAITING).order_by("created_at")


def ask(account: Account, name: str, *, now: datetime) -> Sender:
    """Asks for a name. A test account's names are allowed at once: they reach simulators only. Raises InvalidInput."""
    name = name.strip()
    if not name:
        raise InvalidInput("Which name?", field="name", code="required")
    country = (account.countries or ["FR"])[0]
    verdict = senders.judge(name, country=country, allows_spaces=account.allows_sender_spaces)
    if not verdict.is_accepted:
        raise InvalidInput(f"{verdict.reason} {verdict.proposal}".strip(), field="name", code="sender_invalid")
    is_free = account.is_test
    try:
        with transaction.atomic():
            return Sender.objects.create(
                account=account,
                name=name,
                state=Sender.State.ALLOWED if is_free else Sender.State.WAITING,
                decided_at=now if is_free else None,
            )
    except IntegrityError:
        raise InvalidInput("This name was already asked for.", field="name", code="name_taken") from None


def decide(actor: User, sender_id: int, state: str, *, reason: str = "", now: datetime) -> Sender:
    """An operator allows, refuses or disables a name. Raises Forbidden, NotFound, InvalidInput."""
    if not actor.is_operator:
        raise Forbidden("Operators decide on sender names.")
    sender = Sender.objects.select_related("account").filter(pk=sender_id).first()
    if sender is None:
        raise NotFound(f"There is no sender name {sender_id}.")
    if state not in (Sender.State.ALLOWED, Sender.State.REFUSED, Sender.State.DISABLED):
        raise InvalidInput("The state is allowed, refused or disabled.", field="state")
    sender.state, sender.reason, sender.decided_at = state, reason.strip()[:200], now
    sender.save(update_fields=["state", "reason", "decided_at"])
    return sender


def withdraw(actor: User, sender_id: int) -> None:
    """The account no longer wants a name."""
    gone, _each = Sender.objects.filter(account_id=actor.account_id, pk=sender_id).delete()
    if not gone:
        raise NotFound(f"There is no sender name {sender_id}.")
