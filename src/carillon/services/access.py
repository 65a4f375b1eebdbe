"""Signing in with a name and a password, and the browsers that are signed in.

Refusals are alike for an unknown name, a wrong password and an inactive login: same sentence, same work, same limits.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from carillon.domain.errors import NotFound
from carillon.models import PasswordReset, SecondFactorCode, TrustedDevice, User, UserSession
from carillon.services import attempts
from carillon.services.attempts import Limit
from carillon.services.tokens import BadCredentials, is_usable

KIND = "sign-in"


def _limits(login: str, address: str) -> tuple[Limit, Limit, Limit]:
    """Someone guessing from one place stops soon; from many places later, so that nobody locks a person out cheaply."""
    folded = login.strip().casefold()[:120]
    return (
        Limit(f"both:{folded}|{address}", 8),
        Limit(f"login:{folded}", 40),
        Limit(f"address:{address}", 60),
    )


def check_sign_in(login: str, password: str, *, address: str, now: datetime) -> User:
    """The user of this name and password, with `account`. Raises BadCredentials or TooManyAttempts."""
    limits = _limits(login, address)
    taken = attempts.take(KIND, limits, now=now)
    user = User.objects.select_related("account__parent").filter(login__iexact=login.strip()).first()
    if user is None:
        make_password(password)  # an unknown name takes as long as a wrong password
    is_right = user is not None and check_password(password, user.password)
    if user is None or not is_right or not is_usable(user):
        raise BadCredentials("The login or the password is wrong, or the login is not active.")
    attempts.give_back(taken)
    attempts.forget(KIND, limits[0].key)
    return user


def open_session(user: User, *, session_key: str, agent: str, address: str | None) -> UserSession:
    """Remembers a browser that has just signed in."""
    return UserSession.objects.create(
        user=user, session_key=session_key, label=describe_agent(agent), address=address or None
    )


def seen(session_key: str, *, now: datetime) -> None:
    """This browser was just used."""
    UserSession.objects.filter(session_key=session_key).update(seen_at=now)


def sessions_of(user: User) -> QuerySet[UserSession]:
    """Browsers this person is signed in with, the latest seen first."""
    alive = Session.objects.values("session_key")
    return UserSession.objects.filter(user=user, session_key__in=alive).order_by("-seen_at")


def end_session(user: User, session_id: int) -> None:
    """Raises NotFound for a session that is not this person's."""
    session = UserSession.objects.filter(user=user, pk=session_id).first()
    if session is None:
        raise NotFound(f"There is no session {session_id}.")
    SessionStore(session.session_key).delete()
    session.delete()


def end_sessions(user: User, *, except_key: str = "") -> int:
    """Ends every session of this person but one; returns how many."""
    others = list(UserSession.objects.filter(user=user).exclude(session_key=except_key))
    for session in others:
        SessionStore(session.session_key).delete()
        session.delete()
    return len(others)


def moved(old_key: str, new_key: str) -> None:
    """The same browser's session has a new key."""
    UserSession.objects.filter(session_key=old_key).update(session_key=new_key)


def closed(session_key: str) -> None:
    """The person signed out."""
    UserSession.objects.filter(session_key=session_key).delete()


_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


def describe_agent(agent: str) -> str:
    """ "Firefox, Windows" from a User-Agent header; the header's beginning when it says nothing known."""
    words = [next((name for mark, name in table if mark in agent), "") for table in (_BROWSERS, _SYSTEMS)]
    known = ", ".join(word for word in words if word)
    return known or re.sub(r"\s+", " ", agent).strip()[:60] or "?"


def purge(*, now: datetime) -> None:
    """Forgets what has expired: attempts, codes, resets, devices, sessions."""
    attempts.purge(now=now)
    SecondFactorCode.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    PasswordReset.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    TrustedDevice.objects.filter(expires_at__lt=now).delete()
    Session.objects.filter(expire_date__lt=now).delete()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
