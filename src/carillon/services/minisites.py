"""A mini-site: one hosted page made from a small form (colours, text, picture, button, opt-out), nothing more."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from carillon.domain import targets
from carillon.domain.errors import InvalidInput
from carillon.models import Account, Asset
from carillon.services import hosting

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
MOST_TEXT = 2000


@dataclass(frozen=True, slots=True)
class MiniSite:
    """`image_id`: an Asset of the same account, or None. Colours as #rrggbb."""

    title: str
    text: str = ""
    background: str = "#ffffff"
    ink: str = "#17202b"
    button_colour: str = "#1f4fd8"
    button_label: str = ""
    button_url: str = ""
    has_opt_out: bool = True
    image_id: int | None = None


def of(asset: Asset) -> MiniSite:
    known = MiniSite.__dataclass_fields__
    return MiniSite(**{name: value for name, value in asset.settings.items() if name in known})


def check(site: MiniSite) -> None:
    """Raises InvalidInput naming the field."""
    if not site.title.strip():
        raise InvalidInput("A mini-site needs a title", field="title", code="required")
    if len(site.title) > 80 or len(site.text) > MOST_TEXT or len(site.button_label) > 40:
        raise InvalidInput("A title has at most 80 characters, a text 2,000, a button 40", field="title")
    for name in ("background", "ink", "button_colour"):
        if not COLOUR.fullmatch(getattr(site, name)):
            raise InvalidInput("A colour is written #rrggbb", field=name)
    if bool(site.button_label.strip()) != bool(site.button_url.strip()):
        raise InvalidInput("A button needs a label and an address", field="button_url", code="required")
    if site.button_url:
        targets.check(site.button_url)


def store(account: Account, site: MiniSite) -> Asset:
    check(site)
    if (
        site.image_id is not None
        and not Asset.objects.filter(pk=site.image_id, account=account, deleted_at=None).exists()
    ):
        raise InvalidInput("There is no such picture", field="image")
    return hosting.make(
        account, Asset.Kind.MINISITE, name=site.title, content_type="text/html", files={}, form=asdict(site)
    )
