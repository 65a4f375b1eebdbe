"""What stands behind a short link on our side: previews, attached files, hosted pages, mini-sites, the opt-out page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from carillon.domain import shortcodes, targets
from carillon.domain.errors import NotFound
from carillon.domain.msisdn import format_international
from carillon.models import Asset, Link
from carillon.services import hosting, links, minisites, optout_links
from carillon.services.links import OPT_OUT, Linked, Person
from carillon.web import link_pages
from carillon.web.link_book import Book
from carillon.web.link_pages import Page

PIECE = 64 * 1024
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Asking(Protocol):
    method: str

    @property
    def origin(self) -> str: ...


Refuse = Callable[[Send, Any, str, int], Awaitable[None]]


def quoted(path: str) -> str:
    return quote(path, safe="/-._~")


def preview(link: Link, linked: Linked, person: Person, *, address: str, language: str) -> Page:
    """Open Graph, for makers of previews. Title at most 40 and description at most 80 characters, personalised."""
    renderer = link.renderer or linked.renderer

    def written(text: str) -> str:
        return targets.rendered(
            text, renderer=renderer, columns=person.columns, row=person.row, defaults=linked.defaults
        )

    return link_pages.page(
        "preview", status=200, language=language, policy="default-src 'none'; frame-ancestors 'none'",
        title=written(link.title), description=written(link.description), address=address, target=address,
        image=f"{address}/{link.image.entry if link.image else ''}",
    )  # fmt: skip


def opt_out(message_id: int, is_confirmed: bool, language: str) -> Page | None:
    found = optout_links.confirm(message_id) if is_confirmed else optout_links.of_message(message_id)
    if found is None:
        return None
    return link_pages.page(
        "optout", status=200, language=language, name=found.name, is_done=found.is_done,
        number=masked(found.msisdn),
    )  # fmt: skip


def masked(msisdn: int) -> str:
    """Its person recognises it; somebody who found the code by chance learns nothing. "33612345678" → "+33 … 78"."""
    shown = format_international(msisdn)
    return f"{shown.partition(' ')[0]} … {str(msisdn)[-2:]}"


async def send_minisite(
    book: Book, send: Send, visitor: Asking, asset: Asset, rest: str, message_id: int, refuse: Refuse
) -> None:
    site = minisites.of(asset)
    picture = None
    if site.image_id is not None:
        picture = await book.in_thread(_asset, site.image_id, asset.account_id)
    if picture is not None and rest == picture.entry:
        return await send_asset(book, send, visitor, picture, rest, refuse)
    if rest:
        return await refuse(send, visitor, "unknown", 404)
    code = shortcodes.encode(links.key(), message_id=message_id, index=OPT_OUT)
    page = link_pages.minisite(
        site,
        image=picture.entry if picture else "",
        opt_out=f"/{code}" if site.has_opt_out else "",
        origin=visitor.origin,
    )
    await _start(send, "text/html; charset=utf-8", len(page.body), page.policy)
    await send({"type": "http.response.body", "body": b"" if visitor.method == "HEAD" else page.body})


def _asset(asset_id: int, account_id: int) -> Asset | None:
    return Asset.objects.filter(pk=asset_id, account_id=account_id, deleted_at=None).first()


async def send_asset(book: Book, send: Send, visitor: Asking, asset: Asset, rest: str, refuse: Refuse) -> None:
    try:
        path, content_type = await book.in_thread(hosting.file_of, asset, rest)
        size = (await book.in_thread(Path.stat, path)).st_size
    except (NotFound, OSError, ValueError):
        return await refuse(send, visitor, "unknown", 404)
    policy = link_pages.PDF_POLICY if content_type == "application/pdf" else link_pages.hosted_policy(visitor.origin)
    await _start(send, content_type, size, policy)
    if visitor.method == "HEAD":
        return await send({"type": "http.response.body", "body": b""})
    with path.open("rb") as stream:
        left = size
        while left > 0:
            piece = await book.in_thread(stream.read, min(PIECE, left))
            if not piece:
                break
            left -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _start(send: Send, content_type: str, size: int, policy: str) -> None:
    headers = [
        (b"content-type", content_type.encode()), (b"content-length", str(size).encode()),
        (b"content-security-policy", policy.encode()), (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"), (b"x-robots-tag", b"noindex"), (b"cache-control", b"private, max-age=300"),
        (b"cross-origin-resource-policy", b"cross-origin"),
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": 200, "headers": headers})
