"""What the frame of every page shows: menu, balance, theme."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from carillon import __version__
from carillon.models import User
from carillon.services.credits import payer_of
from carillon.web.menu import menu_for

THEMES = ("system", "light", "dark")
THEME_COOKIE = "theme"
GOES = {"c": "/campaigns/", "l": "/lists/", "r": "/replies/", "d": "/"}


def frame(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    context: dict[str, Any] = {
        "theme": theme_of(request),
        "version": __version__,
        "public_url": settings.PUBLIC_URL,
        "has_mailbox": settings.MAILBOX is not None,
    }
    if isinstance(user, User):
        payer = payer_of(user.account)
        context |= {
            "menu": menu_for(user, request.path),
            "payer": payer,
            "is_balance_low": payer.alert_threshold is not None and payer.available < payer.alert_threshold,
            "shortcut_goes": json.dumps(GOES),
        }
    return context


def theme_of(request: HttpRequest) -> str:
    """The profile's choice, else the cookie's, else the system's."""
    chosen = getattr(getattr(request, "user", None), "theme", "") or request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else "system"
