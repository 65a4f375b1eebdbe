"""The table of endpoints: one decorator puts a function on an address; the URLs, the rights and the OpenAPI document read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponseBase
from pydantic import BaseModel

from carillon.api.errors import ApiError
from carillon.api.fields import Payload
from carillon.models import Account, Token, User


class NoParameters(Payload):
    """A call without parameters."""


@dataclass(slots=True)
class Call:
    """One request being answered: who asks, when it came in, what it gave. `warnings` end in the answer."""

    request: HttpRequest
    request_id: str
    now: datetime
    parameters: Mapping[str, Any]
    path: Mapping[str, str]
    token: Token | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def user(self) -> User:
        return self._token.user

    @property
    def account(self) -> Account:
        return self._token.account

    @property
    def is_test(self) -> bool:
        """Nothing this call sends may reach a real network."""
        return self._token.is_test or self._token.account.is_test

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.account.time_zone)

    @property
    def _token(self) -> Token:
        if self.token is None:
            raise ApiError("unauthenticated")
        return self.token

    def number(self, name: str = "campaign_id") -> int:
        """A positive id of the path."""
        text = self.path[name]
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise ApiError(
                "invalid_input", f"{text[:40]!r} is not a number of the kind this address takes.", param=name
            )
        return int(text)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with another status than 200, or with headers."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Reply | HttpResponseBase | dict[str, Any] | list[Any]
Handler = Callable[[Call, Any], Answer]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`methods[0]` is the documented verb, the others are accepted. `path` holds `{names}`. `scope` None: no token needed."""

    handler: Handler
    methods: tuple[str, ...]
    path: str
    name: str
    scope: str | None
    tag: str
    payload: type[Payload]
    answer: type[BaseModel] | Mapping[str, Any]
    errors: tuple[str, ...]
    example: Any
    is_upload: bool
    is_idempotent: bool
    is_addition: bool
    success: int

    @property
    def summary(self) -> str:
        return (self.handler.__doc__ or "").strip().partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        first, _, rest = (self.handler.__doc__ or "").strip().partition("\n")
        lines = [line.strip() for line in rest.strip().splitlines()]
        return "\n".join(lines) or first


ENDPOINTS: list[Endpoint] = []


def endpoint(
    methods: str,
    path: str,
    *,
    name: str,
    scope: str | None,
    tag: str,
    payload: type[Payload] = NoParameters,
    answer: type[BaseModel] | Mapping[str, Any],
    errors: tuple[str, ...] = (),
    example: Any = None,
    is_upload: bool = False,
    is_idempotent: bool = False,
    is_addition: bool = False,
    success: int = 200,
) -> Callable[[Handler], Handler]:
    """Register a handler: `methods` "PUT POST"; the docstring's first line is its summary in the document."""

    def register(handler: Handler) -> Handler:
        ENDPOINTS.append(
            Endpoint(
                handler=handler,
                methods=tuple(methods.split()),
                path=path,
                name=name,
                scope=scope,
                tag=tag,
                payload=payload,
                answer=answer,
                errors=errors,
                example=example,
                is_upload=is_upload,
                is_idempotent=is_idempotent,
                is_addition=is_addition,
                success=success,
            )
        )
        return handler

    return register
