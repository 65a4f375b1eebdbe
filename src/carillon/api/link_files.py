"""The files of tinyList: preview images and zipped pages, stored once per account, and the domain of each link."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q

from carillon.api.errors import ApiError
from carillon.api.tiny_list import TinyLink
from carillon.models import Account, ShortDomain


def store(links: list[TinyLink], *, account: Account, warnings: list[str]) -> list[dict[str, Any]]:
    """Fields for `campaigns.set_links`. In the caller's transaction."""
    names = list(
        ShortDomain.objects.filter(Q(account=account) | Q(account=None))
        .order_by("-is_default", "id")
        .values_list("name", flat=True)
    )
    default = names[0] if names else urlsplit(settings.SHORT_URL).netloc
    return [_fields(link, names, default, account, warnings) for link in links]


def _fields(link: TinyLink, names: list[str], default: str, account: Account, warnings: list[str]) -> dict[str, Any]:
    chosen = next((name for name in link.domains if name in names), None)
    if chosen is None and link.domains:
        warnings.append(f"{link.domains[0][:60]} is not a domain of this account: {default} is used.")
    return link.fields | {"domain": chosen or default}


def decoded(text: str, *, param: str, most: int) -> bytes:
    """Base64, with or without a data: prefix and line breaks."""
    body = text.partition(",")[2] if text.startswith("data:") else text
    try:
        raw = base64.b64decode("".join(body.split()), validate=True)
    except (ValueError, binascii.Error):
        raise ApiError("invalid_input", f"{param} is not Base64.", param=param) from None
    if len(raw) > most:
        raise ApiError("too_large", f"{param} has {len(raw)} bytes, at most {most} are accepted.", param=param)
    return raw
