"""In front of Django: short links go to the redirector, everything else to the pages and the API.

On a host that is only a short domain the redirector answers everything. On the public host, when it serves short links too, it
answers what looks like a code; the first words of real addresses (`/static`, `/logout` …) are never taken for one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from carillon.domain.shortcodes import LENGTH
from carillon.models import ShortDomain
from carillon.web.redirector import Receive, Redirector, Scope, Send, is_code

FRESH_S = 60.0
Application = Callable[[Any, Any, Any], Awaitable[None]]  # Django names its types in its own way


def first_words(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """The first part of every address of the platform."""
    for entry in (resolver or get_resolver()).url_patterns:
        whole = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver) and "/" not in whole:
            yield from first_words(entry, whole)
        elif isinstance(entry, URLPattern | URLResolver):
            yield whole.lstrip("^/").partition("/")[0]


class Hosts:
    """Which hosts are short domains; read again every minute."""

    def __init__(self) -> None:
        self.short_only: frozenset[str] = frozenset()
        self.shared: frozenset[str] = frozenset()
        self._until = 0.0

    @property
    def is_stale(self) -> bool:
        return time.monotonic() > self._until

    def read(self) -> None:
        public = {host for host in settings.ALLOWED_HOSTS if host != "*"}
        names = {name.partition(":")[0].lower() for name in ShortDomain.objects.values_list("name", flat=True)}
        short = names | {urlsplit(settings.SHORT_URL).hostname or ""}
        self.short_only = frozenset(short - public)
        self.shared = frozenset(public if short & public else set())
        self._until = time.monotonic() + FRESH_S


class Doorstep:
    """`django` None: short links alone, on any host (`carillon links`)."""

    def __init__(self, redirector: Redirector, django: Application | None) -> None:
        self.redirector = redirector
        self.django = django
        self.hosts = Hosts()
        self._reading = asyncio.Lock()
        self._reserved = {word for word in first_words() if len(word) == LENGTH and word.isalnum()} | {"static"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._lifespan(receive, send)
        if self.django is None or (scope["type"] == "http" and await self._is_short(scope)):
            return await self.redirector(scope, receive, send)
        await self.django(scope, receive, send)

    async def _is_short(self, scope: Scope) -> bool:
        path: str = scope["path"]
        host = _host_of(scope)
        if self.hosts.is_stale:
            async with self._reading:
                if self.hosts.is_stale:
                    await self.redirector.book.in_thread(self.hosts.read)
        if host in self.hosts.short_only:
            return True
        return host in self.hosts.shared and is_code(path) and path[1:7] not in self._reserved

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.redirector.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await asyncio.get_running_loop().run_in_executor(None, self.redirector.stop)
                return await send({"type": "lifespan.shutdown.complete"})


def _host_of(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            text: str = value.decode("latin-1").lower()
            return text[: text.find("]") + 1] if text.startswith("[") else text.partition(":")[0]
    return ""
