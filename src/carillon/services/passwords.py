"""Forgotten passwords and first activation: two e-mails, a temporary password and an activation code; both are needed to
define the new password, and the old one keeps working until then (features A6, A7).
"""

from __future__ import annotations

import secrets
import string
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import F, Q, QuerySet

from carillon.domain.errors import CarillonError, InvalidInput
from carillon.models import PasswordReset, User
from carillon.services import access, accounts, attempts, mail, second_factor
from carillon.services.attempts import Limit

RESET_LIFE = timedelta(hours=1)
ACTIVATION_LIFE = timedelta(days=3)
TRIES = 5
_LETTERS = "abcdefghjkmnpqrstuvwxyz"


class WrongReset(CarillonError):
    """Unknown login, wrong temporary password or code, expired or already used: one answer for all."""

    code = "wrong_reset"


def ask_reset(login: str, *, address: str, now: datetime) -> None:
    """Sends the two e-mails if this login, or e-mail address, is someone's. Tells nothing either way.

    Raises TooManyAttempts by what was typed and by where it came from, never by what exists.
    """
    typed = login.strip()
    limits = (Limit(f"login:{typed.casefold()[:150]}", 3, RESET_LIFE), Limit(f"address:{address}", 20, RESET_LIFE))
    attempts.take("reset", limits, now=now)
    users = User.objects.select_related("account").filter(is_active=True, account__is_active=True).exclude(email="")
    user = users.filter(login__iexact=typed).first()
    if user is None and "@" in typed:
        found = list(users.filter(email__iexact=typed)[:2])
        user = found[0] if len(found) == 1 else None
    if user is None:
        make_password("as much work as for a known login")
        make_password("twice")
        return
    _send_both(user, life=RESET_LIFE, is_activation=False, now=now)


def invite(user: User, *, now: datetime) -> None:
    """The same two e-mails for someone who has just been added. Raises InvalidInput without an e-mail address."""
    if not user.email:
        raise InvalidInput("An e-mail address is needed to activate a login.", field="email", code="no_email")
    _send_both(user, life=ACTIVATION_LIFE, is_activation=True, now=now)


@transaction.atomic
def _send_both(user: User, *, life: timedelta, is_activation: bool, now: datetime) -> None:
    temporary, code = _temporary_password(), f"{secrets.randbelow(10**8):08d}"
    PasswordReset.objects.filter(user=user, used_at=None).update(used_at=now)
    PasswordReset.objects.create(
        user=user,
        temporary_hash=make_password(temporary),
        code_hash=make_password(code),
        expires_at=now + life,
    )
    kind = "activation" if is_activation else "reset"
    hours = int(life.total_seconds() // 3600)
    mail.send(
        user.email, template=f"{kind}_password", language=user.language, user=user, temporary=temporary, hours=hours
    )
    mail.send(user.email, template=f"{kind}_code", language=user.language, user=user, code=code, hours=hours)


def _temporary_password() -> str:
    """14 characters of the four classes, easy to type."""
    letters = "".join(secrets.choice(_LETTERS) for _position in range(9))
    digits = "".join(secrets.choice(string.digits[2:]) for _position in range(3))
    return f"{letters[:5].capitalize()}-{letters[5:]}{digits}!"


def finish(
    *, login: str, temporary: str, code: str, password: str, new_login: str = "", address: str, now: datetime
) -> User:
    """Defines the new password with what both e-mails said; `new_login` replaces the login at first activation.

    Ends every session and forgets trusted devices. Raises WrongReset, TooManyAttempts, InvalidInput (password, new_login).
    """
    limits = (Limit(f"login:{login.strip().casefold()[:150]}", 10), Limit(f"address:{address}", 30))
    taken = attempts.take("reset-end", limits, now=now)
    user = User.objects.select_related("account").filter(login__iexact=login.strip()).first()
    try:
        accounts.check_password(password, login=login)
    except InvalidInput:
        attempts.give_back(taken)  # nothing was guessed
        raise
    reset = _matching(user, temporary, code, now)
    if reset is None or user is None:
        raise WrongReset("The login, the temporary password or the activation code is wrong, or they have expired.")
    attempts.give_back(taken)
    with transaction.atomic():
        if PasswordReset.objects.filter(pk=reset.pk, used_at=None).update(used_at=now) != 1:
            raise WrongReset("These were already used.")
        if new_login and user.password_changed_at is None:
            _rename(user, new_login.strip())
        accounts.set_password(user, password)
        second_factor.forget_devices(user)
        access.end_sessions(user)
    return user


def _matching(user: User | None, temporary: str, code: str, now: datetime) -> PasswordReset | None:
    """The pending reset both secrets belong to; each wrong try counts against it, before it is looked at."""
    reset = None
    if user is not None:
        pending = PasswordReset.objects.filter(Q(user=user, used_at=None, expires_at__gt=now), tries__lt=TRIES)
        reset = pending.order_by("-id").first()
    if reset is None or not _tries(reset).filter(tries__lt=TRIES).update(tries=F("tries") + 1):
        make_password(temporary)
        make_password(code)
        return None
    has_password = check_password(temporary.strip(), reset.temporary_hash)
    has_code = check_password("".join(code.split()), reset.code_hash)
    if not (has_password and has_code):
        return None
    _tries(reset).update(tries=F("tries") - 1)
    return reset


def _tries(reset: PasswordReset) -> QuerySet[PasswordReset]:
    return PasswordReset.objects.filter(pk=reset.pk)


def _rename(user: User, login: str) -> None:
    if User.objects.filter(login__iexact=login).exclude(pk=user.pk).exists():
        raise InvalidInput("This login is taken.", field="new_login", code="login_taken")
    user.login = login
    user.save(update_fields=["login"])


def prove(user: User, current: str, *, now: datetime) -> None:
    """The signed-in person knows the password, so this is not just somebody with the browser. Raises InvalidInput, TooManyAttempts."""
    taken = attempts.take("change", [Limit(f"user:{user.pk}", 8)], now=now)
    if not check_password(current, user.password):
        raise InvalidInput("This is not your current password.", field="current", code="wrong_password")
    attempts.give_back(taken)


def change(user: User, *, current: str, password: str, session_key: str, now: datetime) -> None:
    """A signed-in person changes the password; other browsers are signed out. Raises InvalidInput, TooManyAttempts."""
    prove(user, current, now=now)
    accounts.set_password(user, password)
    second_factor.forget_devices(user)
    access.end_sessions(user, except_key=session_key)
    mail.tell_of_change(user, "password")
