"""URLs typed in a message, and the tracked links that take their place as ${track_1}, ${track_2} …"""

from __future__ import annotations

import re
from typing import Any

from django.db import transaction

from carillon.domain.errors import InvalidInput
from carillon.domain.shortcodes import LINKS
from carillon.models import Asset, Campaign, Link
from carillon.services import campaigns
from carillon.services.links import domain_for

MOST_LINKS = LINKS - 2  # of one message; two codes are kept for the preview and the opt-out page
URL = re.compile(r"(?:https?://|www\.)(?:\$\{[^${}\n]+\}|[^\s<>\"'«»{}|\\^`])+", re.IGNORECASE)
TRAILING = ".,;:!?)]…"
KEPT = (
    "kind", "url", "parameters", "renderer", "domain", "asset_id", "has_preview", "title", "description", "image_id",
    "image_name", "life_days",
)  # fmt: skip


def token(index: int) -> str:
    return f"${{track_{index + 1}}}"


def detected(message: str) -> list[str]:
    """URLs that stand in the text as they are, once each, in order."""
    return list(dict.fromkeys(found.group().rstrip(TRAILING) for found in URL.finditer(message)))


@transaction.atomic
def track(campaign: Campaign, url: str, *, version: int | None = None) -> Campaign:
    """Put ${track_n} where `url` stands in the stored message. Raises InvalidInput when it stands nowhere, or at the seventh."""
    links = _stored(campaign)
    index = _free_index(links)
    if url not in detected(campaign.message):
        raise InvalidInput("This URL is no longer in the message", field="message", code="url_not_found")
    campaign = campaigns.update(campaign, version=version, message=campaign.message.replace(url, token(index), 1))
    address = url if "://" in url[:8] else f"https://{url}"
    new = {
        "index": index,
        "url": address,
        "domain": domain_for(campaign.account),
        "life_days": campaign.account.link_life_days,
    }
    return campaigns.set_links(campaign, [*links, new])


@transaction.atomic
def attach(campaign: Campaign, asset: Asset, *, version: int | None = None) -> Campaign:
    """« Fichier »: a stored file becomes a short link at the end of the text, before its STOP mention."""
    links = _stored(campaign)
    index = _free_index(links)
    campaign = campaigns.update(campaign, version=version, message=_with_token(campaign.message, token(index)))
    new = {
        "index": index, "kind": Link.Kind.LOCAL, "asset_id": asset.pk, "domain": domain_for(campaign.account),
        "life_days": campaign.account.link_life_days,
    }  # fmt: skip
    return campaigns.set_links(campaign, [*links, new])


def _with_token(message: str, mark: str) -> str:
    """In front of a mention that ends the text, else at the very end."""
    head, blank, tail = message.rstrip().rpartition("STOP")
    if blank and len(tail) < 12 and "\n" not in tail:
        return f"{head.rstrip(' ')}{'' if head.endswith(chr(10)) or not head else ' '}{mark} STOP{tail}"
    return f"{message.rstrip()} {mark}".lstrip()


@transaction.atomic
def set_image(campaign: Campaign, index: int, asset: Asset) -> Campaign:
    """The image of the preview of link `index`."""
    return change(
        campaign, {index: {"image_id": asset.pk, "image_name": asset.name, "has_preview": True}}, forgets_unused=False
    )


@transaction.atomic
def untrack(campaign: Campaign, index: int, *, version: int | None = None) -> Campaign:
    """Put the URL back into the text and forget the link; nothing happens when there is none."""
    links = _stored(campaign)
    gone = next((link for link in links if link["index"] == index), None)
    if gone is None:
        return campaign
    campaign = campaigns.update(campaign, version=version, message=campaign.message.replace(token(index), gone["url"]))
    return campaigns.set_links(campaign, [link for link in links if link is not gone])


@transaction.atomic
def change(campaign: Campaign, changes: dict[int, dict[str, Any]], *, forgets_unused: bool = True) -> Campaign:
    """{index: fields of the link}. Links whose ${track_n} was deleted from the text are forgotten (guide: delete to remove)."""
    links = _stored(campaign)
    kept = [
        link | changes.get(link["index"], {})
        for link in links
        if not forgets_unused or token(link["index"]) in campaign.message
    ]
    return campaign if kept == links else campaigns.set_links(campaign, kept)


def _free_index(links: list[dict[str, Any]]) -> int:
    used = {link["index"] for link in links}
    index = next((i for i in range(MOST_LINKS) if i not in used), None)
    if index is None:
        raise InvalidInput(f"A message has at most {MOST_LINKS} tracked links", field="message", code="too_many_links")
    return index


def _stored(campaign: Campaign) -> list[dict[str, Any]]:
    links = Link.objects.filter(campaign=campaign).order_by("index")
    return [{"index": link.index} | {name: getattr(link, name) for name in KEPT} for link in links]
