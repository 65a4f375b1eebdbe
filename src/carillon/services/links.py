"""Tracked links of a campaign: what stands in each recipient's text."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from django.conf import settings

from carillon.domain import shortcodes
from carillon.models import Campaign, Link


@lru_cache(maxsize=4)
def _key(secret_key: str) -> bytes:
    return b"carillon.links:" + secret_key.encode()


def key() -> bytes:
    """Short codes are drawn with the platform's own secret: another platform's codes mean nothing here."""
    return _key(settings.SECRET_KEY)


def texts_for(campaign: Campaign) -> dict[str, Callable[[int], str]]:
    """{"track_1": function of the message id} for the campaign's links; every text of one link has the same length."""
    return {f"track_{link.index + 1}": _writer(link.domain, link.index) for link in Link.objects.filter(campaign=campaign)}


def _writer(domain: str, index: int) -> Callable[[int], str]:
    secret = key()

    def text(message_id: int) -> str:
        return f"{domain}/{shortcodes.encode(secret, message_id=message_id, index=index)}"

    return text
