"""API tokens: made once, shown once, kept as SHA-256. They survive a change of password; those of a sign-in do not.

A secret has 256 random bits, so a plain SHA-256 is enough and one indexed lookup finds it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from carillon.domain.errors import CarillonError, Forbidden, InvalidInput, NotFound
from carillon.models import Account, Token, User
from carillon.services import accounts, prepared

Row = TypeVar("Row", bound=Model)
SCOPES = ("send", "lists", "reports", "blacklist", "webhooks")
SESSION_LIFE = timedelta(hours=12)
DEFAULT_RATE = 3000  # requests a minute
SEEN_EVERY = timedelta(minutes=1)  # `used_at` is written at most so often


class BadCredentials(CarillonError):
    """Wrong name, wrong password, inactive login: one answer for all, which tells nothing."""

    code = "bad_credentials"


class TooManyAttempts(CarillonError):
    """`retry_after_s` seconds from now the oldest attempt is forgotten."""

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


def create(
    *,
    user: User,
    name: str,
    account: Account | None = None,
    scopes: Iterable[str] = (),
    is_test: bool = False,
    expires_at: datetime | None = None,
    rate_per_minute: int = DEFAULT_RATE,
) -> tuple[Token, str]:
    """A long-lived token and its secret, which is never shown again. `account`: the user's own, or one of its sub-accounts.

    Raises Forbidden for another account, InvalidInput for an unknown scope or an empty name.
    """
    target = account or user.account
    _check_reach(user, target)
    wanted = list(dict.fromkeys(scopes))
    unknown = sorted(set(wanted) - set(SCOPES))
    if unknown:
        raise InvalidInput(f"{unknown[0]} is not a scope; the scopes are {', '.join(SCOPES)}", field="scopes")
    if not name.strip():
        raise InvalidInput("A token needs a name, to recognise it later", field="name")
    if rate_per_minute < 1:
        raise InvalidInput("At least one request a minute", field="rate_per_minute")
    is_test = is_test or target.is_test
    kind = "test" if is_test else "live"
    return _issue(
        user=user,
        account=target,
        name=name.strip()[:80],
        kind=kind,
        scopes=wanted,
        is_test=is_test,
        expires_at=expires_at,
        rate_per_minute=rate_per_minute,
    )


def _check_reach(user: User, account: Account) -> None:
    if account.pk == user.account_id or user.is_operator:
        return
    parent = account.parent_id
    if user.is_admin and parent == user.account_id:
        return
    raise Forbidden("Tokens can be made for one's own account and, by an administrator, for its sub-accounts")


def _issue(*, kind: str, **fields: object) -> tuple[Token, str]:
    secret = f"cr_{kind}_{secrets.token_urlsafe(32)}"
    token = Token.objects.create(prefix=secret[:12], hash=_hash(secret), **fields)
    return token, secret


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def open_session(user: User, *, now: datetime) -> tuple[Token, str]:
    """The token of a sign-in with name and password (services.access), valid for some hours."""
    return _issue(
        user=user,
        account=user.account,
        name="sign-in",
        kind="test" if user.account.is_test else "sess",
        is_session=True,
        expires_at=now + SESSION_LIFE,
        rate_per_minute=DEFAULT_RATE,
        is_test=user.account.is_test,
    )


def is_usable(user: User) -> bool:
    return user.is_active and accounts.is_open(user.account)


def find(secret: str, *, now: datetime) -> Token | None:
    """The valid token of this secret, with `user` and `account`; None when unknown, expired, revoked or of someone inactive.

    `user.account` is the token's account: a sub-account's token, made by its parent's administrator, acts in the sub-account.
    """
    token = _read(_hash(secret))
    if token is None or token.revoked_at is not None or (token.expires_at is not None and token.expires_at <= now):
        return None
    if not token.user.is_active or not accounts.is_open(token.account):
        return None
    changed = token.user.password_changed_at
    if token.is_session and changed is not None and changed > token.created_at:
        return None
    if token.used_at is None or now - token.used_at > SEEN_EVERY:
        Token.objects.filter(pk=token.pk).update(used_at=now)
    return token


def _read(hashed: str) -> Token | None:
    """Every request of the API begins here: one statement whose text is made once (composing it cost more than running it)."""
    row = prepared.first_row(_reading(), [hashed])
    if row is None:
        return None
    cells = iter(row)
    token, user, account = _made(Token, cells), _made(User, cells), _made(Account, cells)
    parent = _made(Account, cells)
    account.parent = parent if parent.pk is not None else None
    user.account = token.account = account
    token.user = user
    return token


def _made(model: type[Row], cells: Iterator[Any]) -> Row:
    """The next cells as a row of this model."""
    names = [field.attname for field in model._meta.concrete_fields]
    return model.from_db("default", names, list(islice(cells, len(names))))


@lru_cache(maxsize=1)
def _reading() -> str:
    tables = ((Token, "t"), (User, "u"), (Account, "a"), (Account, "p"))
    columns = ", ".join(f'{name}."{field.column}"' for model, name in tables for field in model._meta.concrete_fields)
    return (
        f'SELECT {columns} FROM token t JOIN "user" u ON u.id = t.user_id JOIN account a ON a.id = t.account_id'  # noqa: S608
        " JOIN account own ON own.id = u.account_id LEFT JOIN account p ON p.id = a.parent_id"
        " WHERE t.hash = $1 AND own.is_active"
    )


def visible(actor: User) -> QuerySet[Token]:
    """Long-lived tokens this person may see and revoke, newest first."""
    found = Token.objects.filter(is_session=False).select_related("user", "account").order_by("-created_at")
    if actor.is_operator:
        return found
    if actor.is_admin:
        return found.filter(Q(account_id=actor.account_id) | Q(account__parent_id=actor.account_id))
    return found.filter(user=actor)


def revoke(*, actor: User, token_id: int, now: datetime | None = None) -> Token:
    token = visible(actor).filter(pk=token_id).first()
    if token is None:
        raise NotFound(f"There is no token {token_id}", code="token_not_found")
    if token.revoked_at is None:
        token.revoked_at = now or timezone.now()
        token.save(update_fields=["revoked_at"])
    return token


def end_session(token: Token, *, now: datetime) -> None:
    Token.objects.filter(pk=token.pk).update(revoked_at=now)


def purge(*, now: datetime) -> int:
    """Forget sign-in tokens a week after their end. Returns how many went."""
    gone, _ = Token.objects.filter(is_session=True, expires_at__lt=now - timedelta(days=7)).delete()
    return gone
