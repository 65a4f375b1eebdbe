"""What a person says about themself: contact details, default sender, language, theme, shortcuts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from carillon.domain import msisdn
from carillon.domain.errors import InvalidInput
from carillon.models import User
from carillon.services import mail, passwords

OWN_FIELDS = frozenset(
    {
        "first_name",
        "last_name",
        "email",
        "mobile",
        "default_sender",
        "reply_email",
        "language",
        "theme",
        "has_shortcuts",
    }
)
LANGUAGES = ("fr", "en")
THEMES = ("system", "light", "dark")


def update(user: User, **changes: Any) -> User:
    """Changes fields of `OWN_FIELDS`. `mobile` is read in any written form and kept as +E.164 digits, or empty.

    Raises InvalidInput naming the field.
    """
    if unknown := set(changes) - OWN_FIELDS:
        raise InvalidInput(f"Not a field of a profile: {', '.join(sorted(unknown))}.", field=sorted(unknown)[0])
    former = {"email": user.email, "mobile": user.mobile}
    for name, value in changes.items():
        setattr(user, name, _checked(name, value))
    user.save(update_fields=list(changes))
    if former != {"email": user.email, "mobile": user.mobile} and former["email"]:
        mail.tell_of_change(user, "contact", to=former["email"])  # codes go there: the former address learns of it
    return user


def update_by_hand(user: User, *, current: str, now: datetime, **changes: Any) -> User:
    """What a signed-in person changes. Another e-mail or mobile asks for the password: codes and resets go there, and who holds
    the browser is not always its owner. Raises InvalidInput naming the field, TooManyAttempts.
    """
    moved = [
        name for name in ("email", "mobile") if name in changes and _checked(name, changes[name]) != getattr(user, name)
    ]
    if moved and not current:
        raise InvalidInput("Your password is needed to change this.", field="current", code="password_needed")
    if moved:
        passwords.prove(user, current, now=now)
    return update(user, **changes)


def _checked(name: str, value: Any) -> Any:
    if name == "mobile":
        return read_mobile(str(value))
    if name in {"email", "reply_email"} and value:
        return read_email(str(value), field=name)
    if name == "language" and value not in LANGUAGES:
        raise InvalidInput("The language is fr or en.", field=name, code="language")
    if name == "theme" and value not in THEMES:
        raise InvalidInput("The theme is system, light or dark.", field=name, code="theme")
    return value.strip() if isinstance(value, str) else value


def read_mobile(raw: str, *, field: str = "mobile") -> str:
    """A mobile number in any written form as "+33612345678"; empty stays empty. Raises InvalidInput."""
    if not raw.strip():
        return ""
    number = msisdn.parse(raw)
    if number.msisdn is None or not number.is_mobile:
        raise InvalidInput("Not a mobile number.", field=field, code="mobile")
    return f"+{number.msisdn}"


def read_email(raw: str, *, field: str = "email") -> str:
    """An e-mail address, stripped. Raises InvalidInput."""
    address = raw.strip()
    try:
        validate_email(address)
    except ValidationError:
        raise InvalidInput("Not an e-mail address.", field=field, code="email") from None
    return address
