"""Every page says who may see it."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

RIGHTS = {"public", "signed_in", "admin_only", "operator_only"}


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry, prefix + str(entry.pattern))
        else:
            yield prefix + str(entry.pattern), entry


def test_every_page_wears_a_right() -> None:
    """Decorators of carillon.web.rights; the API's endpoints have their own table and test."""
    bare = [
        f"{address} ({entry.callback.__module__}.{getattr(entry.callback, '__name__', '?')})"
        for address, entry in patterns(get_resolver())
        if entry.callback.__module__.startswith("carillon.web")
        and getattr(entry.callback, "rights", None) not in RIGHTS
    ]
    assert not bare
