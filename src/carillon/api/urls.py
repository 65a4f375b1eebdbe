"""Addresses of this room: both bases of the guide, the document, the Swagger page, the page of each error."""

from __future__ import annotations

import re

from django.urls import URLPattern, URLResolver, re_path

from carillon.api import (  # noqa: F401 - importing a module puts its endpoints in the table
    account,
    blacklist,
    campaigns,
    carrier_callbacks,
    doors,
    inject,
    lists,
    messages,
    pages,
    reports,
    sign_in,
    simulate,
    templates,
    webhooks,
)
from carillon.api.endpoints import ENDPOINTS, Endpoint

BASES = ("MediasflowApi/v1", "api/v1")


def _by_path() -> dict[str, dict[str, Endpoint]]:
    """Fixed addresses before those with a number in them: campaigns/report before campaigns/{campaign_id}."""
    found: dict[str, dict[str, Endpoint]] = {}
    for endpoint in sorted(ENDPOINTS, key=lambda e: ("{" in e.path, e.path)):
        verbs = found.setdefault(endpoint.path, {})
        for method in endpoint.methods:
            verbs[method] = endpoint
    return found


def _pattern(path: str) -> str:
    return re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)


urlpatterns: list[URLPattern | URLResolver] = [
    re_path(rf"^{base}/{_pattern(path)}/?\Z", doors.view_of(verbs), name=f"api:{path}" if base == BASES[1] else None)
    for path, verbs in _by_path().items()
    for base in BASES
]
urlpatterns += [
    re_path(r"^carriers/(?P<key>[A-Za-z0-9_-]{16,64})/?\Z", carrier_callbacks.receive, name="carrier-callback"),
    re_path(r"^MediasflowApi/?\Z", pages.swagger, name="swagger"),
    re_path(r"^api/docs/?\Z", pages.swagger),
    re_path(r"^api/openapi\.json$", pages.openapi, name="openapi"),
    re_path(r"^api/errors/?$", pages.error_index, name="api-errors"),
    re_path(r"^api/errors/(?P<code>[a-z0-9_]+)/?$", pages.error_page, name="api-error"),
    *[re_path(rf"^{base}(?:/[\s\S]*)?\Z", doors.no_such_path) for base in BASES],
]
