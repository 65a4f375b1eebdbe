"""Who calls: bearer, address list, HTTPS, scope, rate. In that order, so that a refusal tells no more than it must."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from carillon.api.errors import ApiError
from carillon.models import Account, Token
from carillon.services import rates, tokens


def is_production() -> bool:
    """The public address is not this machine: an empty address list is closed and plain HTTP is refused."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    return host not in {"localhost", "127.0.0.1", "::1"} and not host.endswith(".localhost")


def check_https(request: HttpRequest) -> None:
    if urlsplit(settings.PUBLIC_URL).scheme == "https" and not request.is_secure():
        raise ApiError("https_required")


def client_address(request: HttpRequest) -> str:
    """The caller's address: of the connection, or what the last trusted proxy wrote in X-Forwarded-For."""
    direct = str(request.META.get("REMOTE_ADDR") or "127.0.0.1")
    if not settings.TRUSTED_PROXIES:
        return direct
    chain = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if len(chain) < settings.TRUSTED_PROXIES:
        return direct
    candidate = chain[-settings.TRUSTED_PROXIES]
    try:
        return str(ipaddress.ip_address(candidate))
    except ValueError:
        return direct


def check_address(account: Account, address: str) -> None:
    """An account without a list uses its parent's. Raises ApiError naming the address seen."""
    allowed = account.ip_allow_list or (account.parent.ip_allow_list if account.parent else [])
    caller = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(caller, ipaddress.IPv6Address) and caller.ipv4_mapped:
        caller = caller.ipv4_mapped
    if caller.is_loopback and not is_production():
        return
    if not allowed and not is_production():
        return
    for entry in allowed:
        try:
            if caller in ipaddress.ip_network(entry, strict=False):
                return
        except ValueError:
            continue  # an unreadable entry allows nobody
    why = "is not on the account's list" if allowed else "is refused because the account has no list of addresses yet"
    raise ApiError("address_not_allowed", f"The address {caller} {why}; an administrator can add it.")


def authenticate(request: HttpRequest, *, now: datetime) -> Token:
    """The token of the header `Authorization: Bearer …` (the word may be missing)."""
    given = request.headers.get("Authorization", "").strip()
    secret = given[7:].strip() if given[:7].lower() == "bearer " else given
    if not secret:
        raise ApiError("unauthenticated", "Send the token as `Authorization: Bearer …`; auth/login gives one.")
    token = tokens.find(secret, now=now) if len(secret) <= 200 else None
    if token is None:
        raise ApiError("unauthenticated", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    check_address(token.account, client_address(request))
    # A sub-account's token, made by its parent's administrator, acts in the sub-account.
    token.user.account = token.account
    return token


def check_scope(token: Token, scope: str) -> None:
    """`scope` "" asks for a valid token only."""
    if scope and token.scopes and scope not in token.scopes:
        raise ApiError("missing_scope", f"This call needs the scope {scope}; the token has {', '.join(token.scopes)}.")


def take_rate(token: Token, *, now: datetime) -> dict[str, str]:
    """Counts the request; returns the headers that tell what is left. Raises ApiError 429 with Retry-After."""
    allowance = rates.take(token.pk, token.rate_per_minute, now_s=now.timestamp())
    headers = {
        "RateLimit-Limit": str(allowance.limit),
        "RateLimit-Remaining": str(allowance.remaining),
        "RateLimit-Reset": str(allowance.reset_s),
    }
    if not allowance.is_allowed:
        message = f"More than {allowance.limit} requests in a minute: wait {allowance.reset_s} seconds."
        raise ApiError("rate_limited", message, headers=headers | {"Retry-After": str(allowance.reset_s)})
    return headers
