"""Logins of an account, as its administrators manage them (features A8, A9)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from carillon.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from carillon.models import Account, User
from carillon.services import access, mail, passwords
from carillon.services.profiles import read_email, read_mobile

EDITABLE = frozenset({"login", "role", "first_name", "last_name", "email", "mobile", "is_active"})


def visible(actor: User) -> QuerySet[User]:
    """Those an administrator manages: of the own account and its sub-accounts; an operator, everyone's."""
    found = User.objects.select_related("account").order_by("login")
    if actor.is_operator:
        return found
    if actor.is_admin:
        own = found.filter(account_id=actor.account_id) | found.filter(account__parent_id=actor.account_id)
        return own.exclude(role=User.Role.OPERATOR)
    return found.filter(pk=actor.pk)


def get(actor: User, user_id: int) -> User:
    found = visible(actor).filter(pk=user_id).first()
    if found is None:
        raise NotFound(f"There is no user {user_id}.")
    return found


def roles_for(actor: User) -> Sequence[str]:
    """Roles this person may give: nobody makes someone mightier than themself."""
    return [User.Role.USER, User.Role.ADMIN] + ([User.Role.OPERATOR] if actor.is_operator else [])


@transaction.atomic
def add(actor: User, *, account: Account | None = None, now: datetime, **fields: Any) -> User:
    """A new login, invited by two e-mails to define its password. Raises InvalidInput naming the field."""
    target = account or actor.account
    if not actor.is_operator and actor.account_id not in (target.pk, target.parent_id):
        raise Forbidden("Users are added to one's own account or its sub-accounts.")
    values = _checked(actor, fields)
    if not values.get("login"):
        raise InvalidInput("A user needs a login.", field="login", code="required")
    if not values.get("email"):
        raise InvalidInput("An e-mail address is needed to activate a login.", field="email", code="no_email")
    user = User(account=target, language=actor.language, **values)
    user.set_password(secrets.token_urlsafe(32))  # nobody knows it; the invitation replaces it
    _save(user)
    if user.is_active:
        passwords.invite(user, now=now)
    return user


@transaction.atomic
def change(actor: User, user: User, *, now: datetime, **fields: Any) -> User:
    """Changes a login. One cannot take one's own rights away, nor leave an account without an administrator.

    Switching a login off ends its sessions; switching on one that was never activated invites it.
    """
    values = _checked(actor, fields)
    is_losing = values.get("is_active") is False or values.get("role", user.role) != user.role
    if user.pk == actor.pk and is_losing:
        raise Conflict("You cannot take your own rights away.", code="own_rights")
    former = user.email
    if user.pk == actor.pk and any(
        values.get(name, getattr(user, name)) != getattr(user, name) for name in ("email", "mobile")
    ):
        raise InvalidInput(
            "One's own contacts are changed in the profile, with the password.", field="email", code="own_contact"
        )
    was_active = user.is_active
    for name, value in values.items():
        setattr(user, name, value)
    _save(user)
    if former and former != user.email:
        mail.tell_of_change(user, "contact", to=former)
    if was_active and not user.is_active:
        access.end_sessions(user)
    if not was_active and user.is_active and user.password_changed_at is None:
        passwords.invite(user, now=now)
    return user


def _checked(actor: User, fields: dict[str, Any]) -> dict[str, Any]:
    if unknown := set(fields) - EDITABLE:
        raise InvalidInput(f"Not a field of a login: {', '.join(sorted(unknown))}.")
    values = {name: value.strip() if isinstance(value, str) else value for name, value in fields.items()}
    if "role" in values and values["role"] not in roles_for(actor):
        raise InvalidInput("This role cannot be given.", field="role", code="role")
    if values.get("email"):
        values["email"] = read_email(values["email"])
    if "mobile" in values:
        values["mobile"] = read_mobile(values["mobile"])
    return values


def _save(user: User) -> None:
    taken = InvalidInput("This login is taken.", field="login", code="login_taken")
    if User.objects.filter(login__iexact=user.login).exclude(pk=user.pk).exists():
        raise taken
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise taken from None
