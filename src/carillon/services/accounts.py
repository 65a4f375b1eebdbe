"""Accounts and their users: making them, finding them by name, passwords.

Names are looked up without regard to case. Only a platform operator (or the command line) makes top-level accounts.
"""

from __future__ import annotations

import string
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone

from carillon.domain.errors import InvalidInput, NotFound
from carillon.models import Account, User
from carillon.services import credits

SHORTEST_PASSWORD = 11  # features A2


def by_name(name: str) -> Account:
    """Raises NotFound. An account can also be named by its number: `#7`."""
    found = Account.objects.filter(name__iexact=name.strip()).first()
    if found is None and name.startswith("#") and name[1:].isdigit():
        found = Account.objects.filter(pk=int(name[1:])).first()
    if found is None:
        raise NotFound(f"There is no account named {name!r}: `carillon account list` shows those there are.")
    return found


def is_open(account: Account) -> bool:
    """Whether anyone comes in and anything leaves: a sub-account closes with its parent."""
    return account.is_active and (account.parent is None or account.parent.is_active)


def user_by_login(login: str) -> User:
    user = User.objects.select_related("account").filter(login__iexact=login.strip()).first()
    if user is None:
        raise NotFound(f"There is no user {login!r}: `carillon user list` shows those there are.")
    return user


@transaction.atomic
def create(
    name: str,
    *,
    credit: int = 0,
    max_segments: int = 1,
    countries: Sequence[str] = (),
    parent: Account | None = None,
    is_test: bool = False,
    user: User | None = None,
) -> Account:
    """A new account with `credit` hundredths of a credit, granted through the ledger. Raises InvalidInput.

    `countries`: ISO codes; empty means France and its territories. A test account reaches simulators only, at any hour.
    """
    name = name.strip()
    if not name:
        raise InvalidInput("An account needs a name.", field="name")
    if not 1 <= max_segments <= 6:
        raise InvalidInput("The longest message is 1 to 6 SMS.", field="max_segments")
    if credit < 0:
        raise InvalidInput("An account starts with 0 credits or more.", field="credits")
    if Account.objects.filter(name__iexact=name).exists():
        raise InvalidInput(f"There is already an account named {name!r}.", field="name", code="name_taken")
    account = Account(
        name=name,
        parent=parent,
        max_segments=max_segments,
        countries=[code.upper() for code in countries],
        is_test=is_test,
        ignores_legal_hours=is_test,
    )
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError:
        raise InvalidInput(f"There is already an account named {name!r}.", field="name", code="name_taken") from None
    if credit:
        credits.grant(account, credit, note="opening", user=user)
        account.refresh_from_db()
    return account


def check_password(password: str, *, login: str = "") -> None:
    """At least 11 characters with an upper and a lower case letter, a digit and a special character (features A2)."""
    lacks = [
        name
        for name, is_there in (
            (f"{SHORTEST_PASSWORD} characters", len(password) >= SHORTEST_PASSWORD),
            ("an upper case letter", any(c.isupper() for c in password)),
            ("a lower case letter", any(c.islower() for c in password)),
            ("a digit", any(c in string.digits for c in password)),
            ("a special character", any(not c.isalnum() for c in password)),
        )
        if not is_there
    ]
    if lacks:
        raise InvalidInput(f"The password lacks {', '.join(lacks)}.", field="password", code="weak_password")
    if login and login.casefold() in password.casefold():
        raise InvalidInput("The password contains the login.", field="password", code="weak_password")


def create_user(
    login: str,
    *,
    account: Account,
    password: str,
    role: str = User.Role.USER,
    email: str = "",
    mobile: str = "",
    first_name: str = "",
    last_name: str = "",
) -> User:
    """A user who can sign in. Raises InvalidInput: login taken, weak password, unknown role."""
    login = login.strip()
    if not login:
        raise InvalidInput("A user needs a login.", field="login")
    if role not in User.Role.values:
        raise InvalidInput(f"The role is one of {', '.join(User.Role.values)}.", field="role")
    check_password(password, login=login)
    user = User(
        login=login,
        account=account,
        role=role,
        email=email or (login if "@" in login else ""),
        mobile=mobile,
        first_name=first_name,
        last_name=last_name,
        password_changed_at=timezone.now(),
    )
    user.set_password(password)
    taken = InvalidInput(f"The login {login!r} is taken.", field="login", code="login_taken")
    if User.objects.filter(login__iexact=login).exists():
        raise taken
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise taken from None
    return user


def set_password(user: User, password: str) -> None:
    """Raises InvalidInput when it is too weak. Sessions opened with the old one end: their hash no longer matches."""
    check_password(password, login=user.login)
    user.set_password(password)
    user.password_changed_at = timezone.now()
    user.save(update_fields=["password", "password_changed_at"])
