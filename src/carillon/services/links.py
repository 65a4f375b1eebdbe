"""Tracked links of a campaign: what stands in each recipient's text, and whose link a code is.

A code is computed from the message's id and the link's index (domain.shortcodes): nothing is stored per recipient. Index 0 to 5
are the links of a text, 7 is the page where one opts out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from carillon.domain import shortcodes, targets
from carillon.domain.errors import InvalidInput
from carillon.domain.fields import Columns
from carillon.models import Account, Campaign, Link, List, ShortDomain
from carillon.services import short_domains

OPT_OUT = 7
PREVIEW_IMAGE = -1  # link_index of what is counted when the image of a preview is fetched
OPT_OUT_LIVES = timedelta(days=365 * 3)  # one may object for as long as the message may be read


@lru_cache(maxsize=4)
def _key(secret_key: str) -> bytes:
    return b"carillon.links:" + secret_key.encode()


def key() -> bytes:
    """Short codes are drawn with the platform's own secret: another platform's codes mean nothing here."""
    return _key(settings.SECRET_KEY)


# --- in the text -------------------------------------------------------------------------------------------------------


def domain_for(account: Account) -> str:
    """The account's short domain, else the platform's, else the host of its short address."""
    own = short_domains.usable_by(account).first()
    return own.name if own is not None else default_domain()


def default_domain() -> str:
    return re.sub(r"^https?://", "", str(settings.SHORT_URL)).rstrip("/")


def texts_for(campaign: Campaign) -> dict[str, Callable[[int], str]]:
    """{"track_1", …, "optout": function of the message id}; every text of one link has the same length."""
    found = {link.index: link.domain for link in Link.objects.filter(campaign=campaign)}
    made = {f"track_{index + 1}": _writer(domain, index) for index, domain in found.items()}
    return made | {"optout": _writer(found.get(0) or domain_for(campaign.account), OPT_OUT)}


def _writer(domain: str, index: int) -> Callable[[int], str]:
    secret = key()

    def text(message_id: int) -> str:
        return f"{domain}/{shortcodes.encode(secret, message_id=message_id, index=index)}"

    return text


def of_message(text: str, campaign: Campaign, message_id: int) -> str:
    """A text composed for nobody (message 0), its links now those of `message_id`."""
    for write in texts_for(campaign).values():
        text = text.replace(write(0), write(message_id))
    return text


def check(links: Iterable[dict[str, Any]]) -> None:
    """Raises InvalidInput for a target nobody should be sent to, or that would lead back to a short link."""
    ours = {name.partition(":")[0] for name in [default_domain(), *ShortDomain.objects.values_list("name", flat=True)]}
    shared = urlsplit(settings.PUBLIC_URL).hostname or ""
    for link in links:
        if link.get("kind", Link.Kind.REDIRECT) != Link.Kind.REDIRECT:
            continue
        url = str(link.get("url", ""))
        targets.check(url)
        if targets.host_of(url) in ours - {shared}:
            raise InvalidInput("A tracked link cannot lead to a short link", field="url", code="url_is_short")


def unknown_fields(campaign: Campaign, columns: Columns) -> list[str]:
    """Fields of the addresses that no column has."""
    found: dict[str, None] = {}
    for link in Link.objects.filter(campaign=campaign, kind=Link.Kind.REDIRECT):
        target = targets.Target(
            link.url, parameters=link.parameters, renderer=link.renderer or campaign.renderer, columns=columns
        )
        found |= dict.fromkeys(target.unknown_fields)
    return list(found)


def foreign_hosts(campaign: Campaign) -> list[str]:
    """Hosts, as machines write them, whose names are worth a second look."""
    found = [targets.foreign_host(url) for url in Link.objects.filter(campaign=campaign).values_list("url", flat=True)]
    return [host for host in dict.fromkeys(found) if host]


# --- from a code -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Linked:
    """A campaign's links as the redirector needs them. Messages `first` … `last` are its own."""

    first: int
    last: int
    campaign_id: int
    account_id: int
    renderer: str
    defaults: dict[str, str]
    opt_out_until: datetime
    links: dict[int, Link]


LOOK_UP = """
SELECT id FROM campaign WHERE first_message_id <= %s AND last_message_id >= %s AND launched_at IS NOT NULL
ORDER BY first_message_id DESC LIMIT 1
"""


def find(message_id: int) -> Linked | None:
    """The launched campaign this message belongs to; a test's links are those of the campaign it tries out."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK_UP, [message_id, message_id])
        row = cursor.fetchone()
    if row is None:
        return None
    campaign = Campaign.objects.get(pk=row[0])
    first, last, launched = campaign.first_message_id, campaign.last_message_id, campaign.launched_at
    if first is None or last is None or launched is None:
        return None
    source = campaign.parent_id if campaign.origin == "system" and campaign.parent_id else campaign.pk
    links = {link.index: link for link in Link.objects.filter(campaign_id=source).select_related("asset", "image")}
    return Linked(
        first=first, last=last, campaign_id=campaign.pk, account_id=campaign.account_id, renderer=campaign.renderer,
        defaults=dict(campaign.defaults), opt_out_until=launched + OPT_OUT_LIVES, links=links,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """Whose message it is: the columns and values of their row (none for a test), and their number."""

    msisdn: int | None
    columns: Columns
    row: list[str]


def person(message_id: int) -> Person | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.msisdn, r.fields, r.list_id FROM message m"
            " LEFT JOIN recipient r ON r.account_id = m.account_id AND r.id = m.recipient_id WHERE m.id = %s",
            [message_id],
        )
        found = cursor.fetchone()
    if found is None:
        return None
    item = List.objects.filter(pk=found[2]).first() if found[2] else None
    columns = Columns(item.header) if item is not None else Columns([])
    return Person(found[0], columns, list(found[1] or []))


def target_of(link: Link, linked: Linked, columns: Columns | None = None) -> targets.Target:
    return targets.Target(
        link.url, parameters=link.parameters, renderer=link.renderer or linked.renderer, columns=columns,
        defaults=linked.defaults,
    )  # fmt: skip
