"""Short notices at the bottom of the next page, with an optional way back (« Annuler »).

They ride on Django's messages; `undo` is the address that a POST must call. An answer to htmx carries them along by itself
(see middleware).
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest


def done(request: HttpRequest, text: str, *, undo: str = "") -> None:
    """Something was done; `undo`: the address whose POST takes it back."""
    messages.success(request, text, extra_tags=undo)


def failed(request: HttpRequest, text: str) -> None:
    """Something was not done, and why."""
    messages.error(request, text)


def note(request: HttpRequest, text: str) -> None:
    messages.info(request, text)
