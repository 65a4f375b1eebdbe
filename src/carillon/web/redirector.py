"""Short links: /XXXXXX leads a person to their target, and the visit is counted. An ASGI application of its own, without Django's
middleware: what is known already is answered from memory.

    /XXXXXX             302 to the target; for a maker of previews, a page with title, text and picture when the link has one
    /XXXXXX/…           the picture of the preview, an attached file, a hosted page
    POST /XXXXXX        on an opt-out link: the person confirms

Nothing of the request decides where it leads. A code nobody made is a polite 404, and asking for many of them makes one wait.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError

from carillon.domain import shortcodes, visitors
from carillon.domain.fields import Columns
from carillon.domain.renderers import RenderError
from carillon.domain.visitors import Verdict
from carillon.models import Asset, Link
from carillon.services import links
from carillon.services.clicks import Visit
from carillon.services.links import OPT_OUT, Person
from carillon.web import link_files, link_pages
from carillon.web.click_writer import ClickWriter
from carillon.web.link_book import Book, Bursts, Entry, Guesses
from carillon.web.link_pages import Page

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

WANTED = frozenset({b"sec-purpose", b"purpose", b"x-purpose", b"x-moz", b"sec-fetch-user"})
ALWAYS: Headers = [
    (b"cache-control", b"no-store"),
    (b"x-robots-tag", b"noindex"),
    (b"x-content-type-options", b"nosniff"),
]
BODY_MOST = 1000  # bytes of a confirmation
MOST_HASHES = 50_000


def is_code(path: str) -> bool:
    """/XXXXXX, alone or with more behind a slash."""
    return len(path) > shortcodes.LENGTH and path[1:7].isalnum() and path[1:7].isascii() and path[7:8] in {"", "/"}


class Visitor:
    """What one request says, read once."""

    __slots__ = ("accepts", "address", "host", "method", "scheme", "verdict")

    def __init__(self, scope: Scope) -> None:
        user_agent = self.host = self.accepts = forwarded = b""
        special: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name == b"user-agent":
                user_agent = value
            elif name == b"host":
                self.host = value
            elif name == b"accept-language":
                self.accepts = value
            elif name == b"x-forwarded-for":
                forwarded += b"," + value
            elif name in WANTED:
                special[name] = value
        self.method: str = scope["method"]
        self.scheme: str = scope.get("scheme", "http")
        client = scope.get("client")
        self.address: str = _behind_proxies(forwarded) or (client[0] if client else "")
        self.verdict: Verdict = visitors.judge(self.method, user_agent, special)

    @property
    def origin(self) -> str:
        host = self.host.decode("latin-1")
        kept = "".join(c for c in host if c.isalnum() or c in ".-:[]")
        return f"{self.scheme}://{kept}"

    @property
    def language(self) -> str:
        return link_pages.language_of(self.accepts)


def _behind_proxies(forwarded: bytes) -> str:
    """The address the nearest trusted proxies saw. The server believes the first one of the header, which anyone may write: who
    guesses codes would have a new address for each. "" without proxies.
    """
    trusted: int = settings.TRUSTED_PROXIES
    hops = [hop.strip() for hop in forwarded.decode("latin-1").split(",") if hop.strip()] if trusted else []
    return hops[-trusted] if trusted and len(hops) >= trusted else ""


class Redirector:
    def __init__(self, *, book: Book | None = None, writer: ClickWriter | None = None) -> None:
        self.book = book or Book()
        self.writer = writer or ClickWriter()
        self.guesses = Guesses()
        self.bursts = Bursts()
        self._key = links.key()
        self._hashes: dict[str, str] = {}

    def start(self) -> None:
        self.writer.start()

    def stop(self) -> None:
        """Every visit that was answered is stored."""
        self.writer.stop()
        self.book.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visitor = Visitor(scope)
        try:
            await self._answer(scope, receive, send, visitor)
        except (OperationalError, InterfaceError):
            logger.exception("the database did not answer for %s", scope["path"][:40])
            await self._page(send, visitor, "later", 503)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, visitor: Visitor) -> None:
        path: str = scope["path"]
        found = shortcodes.decode(self._key, path[1:7]) if is_code(path) else None
        if found is None or visitor.method not in {"GET", "HEAD", "POST"}:
            return await self._page(send, visitor, "unknown", 404 if found is None else 405)
        message_id, index = found
        entry = self.book.known(message_id)
        if entry is None:
            if not self.guesses.allows(visitor.address):
                return await self._page(send, visitor, "too_many", 429)
            entry = await self.book.find(message_id)
        if entry is None or (index != OPT_OUT and index not in entry.linked.links):
            self.guesses.miss(visitor.address)
            return await self._page(send, visitor, "unknown", 404)
        await self._known(scope, receive, send, visitor, entry, message_id, index)

    async def _known(
        self, scope: Scope, receive: Receive, send: Send, visitor: Visitor, entry: Entry, message_id: int, index: int
    ) -> None:
        rest: str = scope["path"][7:]
        if index == OPT_OUT:
            return await self._opt_out(receive, send, visitor, entry, message_id)
        link = entry.linked.links[index]
        if link.ends_at is not None and link.ends_at < datetime.now(UTC):
            return await self._page(send, visitor, "expired", 410)
        if rest:
            return await self._below(send, visitor, entry, link, message_id, rest[1:])
        kind = visitor.verdict.kind
        self._count(visitor, entry, message_id, index, kind)
        if kind == "preview" and link.has_preview and link.title and link.description and link.image is not None:
            return await self._preview(send, visitor, entry, link, message_id)
        if link.kind == Link.Kind.LOCAL:
            return await self._to_hosted(send, visitor, link, scope["path"])
        start = entry.answers.get(index) or await self._start(entry, link, message_id)
        if start is None:
            return await self._page(send, visitor, "expired", 410)
        await send(start)  # type: ignore[arg-type]
        await send({"type": "http.response.body", "body": b""})

    # --- where it leads ------------------------------------------------------------------------------------------------

    async def _start(self, entry: Entry, link: Link, message_id: int) -> Message | None:
        """The head of the answer; kept when it is the same for everyone."""
        target = links.target_of(link, entry.linked)
        try:
            if not target.fields:
                start = _redirect(target.address())
                entry.answers[link.index] = start
                return start
            person = await self.book.in_thread(links.person, message_id)
            if person is None:
                return None
            return _redirect(links.target_of(link, entry.linked, person.columns).address(person.row))
        except (RenderError, UnicodeError):
            logger.warning(
                "link %s of campaign %s has no address for message %s", link.index, link.campaign_id, message_id
            )
            return None

    async def _to_hosted(self, send: Send, visitor: Visitor, link: Link, path: str) -> None:
        """Below the code, so that what a page names beside itself is found."""
        if link.asset is None or link.asset.deleted_at is not None:
            return await self._page(send, visitor, "expired", 410)
        await send(_redirect(f"{path}/{link_files.quoted(link.asset.entry)}"))
        await send({"type": "http.response.body", "body": b""})

    async def _below(self, send: Send, visitor: Visitor, entry: Entry, link: Link, message_id: int, rest: str) -> None:
        if link.image is not None and link.has_preview and rest == link.image.entry:
            self._count(visitor, entry, message_id, link.index, "image")
            return await link_files.send_asset(self.book, send, visitor, link.image, rest, self._page)
        asset = link.asset if link.kind == Link.Kind.LOCAL else None
        if asset is None or asset.deleted_at is not None:
            return await self._page(send, visitor, "unknown", 404)
        if asset.kind == Asset.Kind.MINISITE:
            return await link_files.send_minisite(self.book, send, visitor, asset, rest, message_id, self._page)
        await link_files.send_asset(self.book, send, visitor, asset, rest, self._page)

    async def _preview(self, send: Send, visitor: Visitor, entry: Entry, link: Link, message_id: int) -> None:
        person = await self.book.in_thread(links.person, message_id) or Person(None, Columns([]), [])
        address = f"{visitor.origin}/{shortcodes.encode(self._key, message_id=message_id, index=link.index)}"
        page = link_files.preview(link, entry.linked, person, address=address, language=visitor.language)
        await _send_page(send, visitor, page)

    # --- opting out ----------------------------------------------------------------------------------------------------

    async def _opt_out(self, receive: Receive, send: Send, visitor: Visitor, entry: Entry, message_id: int) -> None:
        if entry.linked.opt_out_until < datetime.now(UTC):
            return await self._page(send, visitor, "expired", 410)
        is_confirmed = visitor.method == "POST" and b"confirm=1" in await _body(receive)
        if not is_confirmed:
            self._count(visitor, entry, message_id, OPT_OUT, visitor.verdict.kind)
        page = await self.book.in_thread(link_files.opt_out, message_id, is_confirmed, visitor.language)
        if page is None:
            return await self._page(send, visitor, "unknown", 404)
        await _send_page(send, visitor, page)

    # --- counting ------------------------------------------------------------------------------------------------------

    def _count(self, visitor: Visitor, entry: Entry, message_id: int, index: int, kind: str) -> None:
        confidence = visitor.verdict.confidence
        if kind == "click" and self.bursts.count(message_id, visitor.address) > visitors.BURST:
            kind, confidence = "scan", 90
        self.writer.start()
        linked = entry.linked
        self.writer.add(
            Visit(linked.account_id, linked.campaign_id, index, message_id, datetime.now(UTC), kind, confidence,
                  visitor.verdict.device, self._hash(visitor.address))
        )  # fmt: skip

    def _hash(self, address: str) -> str:
        """Tells two addresses apart within a day; nobody can go back to the address without the platform's secret."""
        found = self._hashes.get(address)
        if found is None:
            if len(self._hashes) > MOST_HASHES:
                self._hashes.clear()
            text = f"{datetime.now(UTC):%Y-%m-%d} {address}".encode()
            found = self._hashes[address] = hmac.new(self._key, text, hashlib.sha256).hexdigest()[:16]
        return found

    async def _page(self, send: Send, visitor: Visitor, name: str, status: int) -> None:
        await _send_page(send, visitor, link_pages.page(name, status=status, language=visitor.language))


def _redirect(address: str) -> Message:
    headers = [
        (b"location", address.encode("ascii")),
        (b"content-length", b"0"),
        (b"referrer-policy", b"no-referrer"),
        *ALWAYS,
    ]
    return {"type": "http.response.start", "status": 302, "headers": headers}


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body") or len(body) > BODY_MOST:
            return body[:BODY_MOST]


async def _send_page(send: Send, visitor: Visitor, page: Page) -> None:
    headers = [
        (b"content-type", link_pages.HTML), (b"content-length", str(len(page.body)).encode()),
        (b"content-security-policy", page.policy.encode()), (b"referrer-policy", b"no-referrer"), *ALWAYS,
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": page.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if visitor.method == "HEAD" else page.body})
