"""tinyList: the links of a message, entry by entry, as guide §2.1 gives them; what cannot be used is said, not guessed.

Printed rules: `index` and `type` always; `urlToRedirect` for REDIRECT; `nameToLocalHTML` and the ZIP for LOCAL. A preview is
shown only with `isOG` true and title, description and image all there (never an error). `urlToRedirect` already holds the
parameters repeated in `listParameter`: they are not appended again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, WithJsonSchema

from carillon.api.campaign_payload import CampaignPayload, Renderer
from carillon.api.errors import ApiError
from carillon.api.fields import Flag, Index, Payload, Text, read_moment
from carillon.models import Account

MAX_LINKS = 20
TITLE, DESCRIPTION = 40, 80  # of the extranet; the guide says 20 and 40 (X3)
TITLE_GUIDE, DESCRIPTION_GUIDE = 20, 40
IMAGE_NAMES = (".jpg", ".jpeg", ".png")
MAX_LIFE_DAYS = 3650


def _as_parameters(value: Any) -> Any:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or any(isinstance(item, (dict, list)) for item in value):
        raise ValueError('must be a list such as ["name=${Name}"]')
    return [str(item)[:300] for item in value if item not in (None, "")][:20]


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


class LinkPayload(Payload):
    """One entry of tinyList."""

    index: Index = Field(ge=0, lt=MAX_LINKS, description="0 is ${track_1}, 1 is ${track_2} …")
    type: Annotated[Literal["REDIRECT", "LOCAL"], BeforeValidator(_upper)]
    urlToRedirect: Text | None = Field(None, max_length=2000)
    nameToLocalHTML: Text | None = Field(None, max_length=200)
    listParameter: Annotated[
        list[str], BeforeValidator(_as_parameters), WithJsonSchema({"type": "array", "items": {"type": "string"}})
    ] = Field(default_factory=list)
    label: Text | None = Field(None, max_length=TITLE)
    description: Text | None = Field(None, max_length=DESCRIPTION)
    imageName: Text | None = Field(None, max_length=120)
    isOG: Flag = False
    renderer: Renderer | None = None
    endOfLife: Text | None = Field(None, max_length=40, description="Days the link is kept, or its last day.")
    host: Text | None = Field(None, max_length=60)
    associateToDomain: Text | None = Field(None, max_length=60)
    b64ImagePreview: Text | None = None
    b64ZipLocal: Text | None = None
    b64ZipLoccal: Text | None = None
    IGNORED: ClassVar[frozenset[str]] = frozenset({"id"})


@dataclass(slots=True)
class TinyLink:
    """A checked entry; `image` and `archive` are Base64 as given, still to be stored."""

    fields: dict[str, Any]
    image: str | None = None
    archive: str | None = None
    page: str | None = None
    domains: list[str] = field(default_factory=list)


def read(payload: CampaignPayload, *, account: Account, now: datetime, warnings: list[str]) -> list[TinyLink]:
    """Raises ApiError 422 for what the guide calls mandatory; everything else ends in `warnings`."""
    entries = payload.tinyList or []
    if len(entries) > MAX_LINKS:
        raise ApiError(
            "invalid_input", f"tinyList holds {len(entries)} links, at most {MAX_LINKS} are allowed.", param="tinyList"
        )
    links: list[TinyLink] = []
    for position, entry in enumerate(entries):
        where = f"tinyList[{position}]"
        try:
            link = LinkPayload.read(entry)
        except ApiError as error:
            error.param = f"{where}.{error.param}" if error.param else where
            error.message = f"{where}: {error.message}"
            raise
        warnings += link.unknown(prefix=f"{where}.")
        made = _link(link, where, payload, warnings)
        made.fields["life_days"] = _life_days(link, where, account, now)
        links.append(made)
    _check_indexes(links)
    return links


def _check_indexes(links: list[TinyLink]) -> None:
    indexes = [link.fields["index"] for link in links]
    repeated = next((i for i in indexes if indexes.count(i) > 1), None)
    if repeated is not None:
        raise ApiError("invalid_input", f"tinyList holds the index {repeated} twice.", param="tinyList")


def _link(link: LinkPayload, where: str, payload: CampaignPayload, warnings: list[str]) -> TinyLink:
    archive = link.b64ZipLocal or link.b64ZipLoccal or payload.b64ZipLocal or payload.b64ZipLoccal
    image = link.b64ImagePreview or (payload.b64ImagePreview if link.index == 0 else None)
    if link.type == "REDIRECT":
        _check_url(link, where)
        archive = None
    elif not link.nameToLocalHTML or not archive:
        missing = "nameToLocalHTML" if not link.nameToLocalHTML else "b64ZipLocal"
        raise ApiError("invalid_input", f"{where}: a link of type LOCAL needs {missing}.", param=f"{where}.{missing}")
    return TinyLink(
        fields={
            "index": link.index,
            "kind": link.type,
            "url": (link.urlToRedirect or "").strip() if link.type == "REDIRECT" else "",
            "parameters": link.listParameter,
            "renderer": link.renderer or "",
            "title": link.label or "",
            "description": link.description or "",
            "image_name": link.imageName or "",
            "has_preview": _has_preview(link, where, image, warnings),
        },
        image=image if link.imageName else None,
        archive=archive,
        page=link.nameToLocalHTML,
        domains=[name.strip().lower() for name in (link.host, link.associateToDomain) if name],
    )


def _life_days(link: LinkPayload, where: str, account: Account, now: datetime) -> int:
    """Days; the guide's table types it as a date and describes days (X14): a date is counted from today."""
    given = (link.endOfLife or "").strip()
    if not given:
        return account.link_life_days
    param = f"{where}.endOfLife"
    if given.isascii() and given.isdigit():
        days = int(given[:6])
    else:
        days = (read_moment(given, param=param, zone=ZoneInfo(account.time_zone)) - now).days + 1
    if not 1 <= days <= MAX_LIFE_DAYS:
        raise ApiError("invalid_input", f"{param} must be 1 to {MAX_LIFE_DAYS} days.", param=param)
    return days


def _check_url(link: LinkPayload, where: str) -> None:
    url = (link.urlToRedirect or "").strip()
    param = f"{where}.urlToRedirect"
    if not url:
        raise ApiError("invalid_input", f"{where}: a link of type REDIRECT needs urlToRedirect.", param=param)
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ApiError("invalid_input", f"{where}: {url[:60]!r} is not an http or https address.", param=param)


def _has_preview(link: LinkPayload, where: str, image: str | None, warnings: list[str]) -> bool:
    """isOG with title, description and image (X3, F5); what is missing or long is said."""
    for name, text, guide in (("label", link.label, TITLE_GUIDE), ("description", link.description, DESCRIPTION_GUIDE)):
        if text and len(text) > guide:
            warnings.append(
                f"{where}.{name} has {len(text)} characters; the guide's limit is {guide}, phones may cut it."
            )
    if link.imageName and not link.imageName.lower().endswith(IMAGE_NAMES):
        warnings.append(f"{where}.imageName must end in .jpg or .png: no preview will be shown.")
        return False
    if not link.isOG:
        return False
    missing = [
        name
        for name, value in (
            ("label", link.label), ("description", link.description), ("imageName", link.imageName), ("b64ImagePreview", image)
        )
        if not value
    ]  # fmt: skip
    if missing:
        warnings.append(f"{where}: no preview will be shown, {', '.join(missing)} is missing.")
        return False
    if link.index != 0:
        warnings.append(f"{where}: the preview belongs to index 0 only and will not be shown.")
        return False
    return True
