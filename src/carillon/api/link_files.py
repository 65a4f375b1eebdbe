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
from carillon.domain.errors import InvalidInput
from carillon.models import Account, Asset, ShortDomain
from carillon.services import hosting


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
    fields = link.fields | {"domain": chosen or default}
    where = f"tinyList index {link.fields['index']}"
    if link.archive is not None:
        fields["asset"] = _page(link, account)
    if link.image is not None:
        fields["image"] = _image(link, account, where, warnings)
        fields["has_preview"] = fields["has_preview"] and fields["image"] is not None
    return fields


def _page(link: TinyLink, account: Account) -> Asset:
    raw = decoded(link.archive or "", param="b64ZipLocal", most=hosting.MOST_ZIP)
    try:
        return hosting.store_page(account, raw, entry=link.page or "", name=link.page or "")
    except InvalidInput as error:
        raise ApiError("invalid_input", f"b64ZipLocal: {error.message}.", param="b64ZipLocal") from None


def _image(link: TinyLink, account: Account, where: str, warnings: list[str]) -> Asset | None:
    """A picture that cannot be shown is said, never an error: the message itself can be sent."""
    try:
        raw = decoded(link.image or "", param="b64ImagePreview", most=hosting.MOST_IMAGE)
        return hosting.store_image(account, raw, name=link.fields["image_name"])
    except (InvalidInput, ApiError) as error:
        warnings.append(f"{where}: no preview will be shown. {error.message}")
        return None


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
