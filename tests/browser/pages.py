"""Every page there is to look at. Add yours: the smoke test visits each in several appearances."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """`path` may hold {names} of World.ids; `who` is a name of World.people, "" for someone who is not signed in."""

    path: str
    who: str = "alice"
    status: int = 200


PAGES = (
    Page("/login", who=""),
    Page("/password/forgotten", who=""),
    Page("/password/new?sent=1", who=""),
    Page("/activate?login=bob", who=""),
    Page("/account/authentication"),
    Page("/account/authentication/app"),
    Page("/account/password"),
    Page("/no-such-page", status=404),
)
