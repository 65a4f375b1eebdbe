"""What people and robots see of short links: small pages without a script, each with a policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import mark_safe

from carillon.services.minisites import MiniSite

STYLE = (
    ":root{color-scheme:light dark}body{margin:0;font:17px/1.5 system-ui,sans-serif;background:light-dark(#f5f6f8,#12161c);"
    "color:light-dark(#17202b,#e8edf3)}main{max-width:34rem;margin:12vh auto 0;padding:24px}h1{font-size:1.5rem;line-height:1.25;"
    "margin:0 0 12px}p{margin:0 0 16px}button{font:inherit;font-weight:600;min-height:48px;padding:0 24px;border:0;border-radius:"
    "8px;background:light-dark(#1f4fd8,#8fb0ff);color:light-dark(#fff,#10182a);cursor:pointer}button:focus-visible{outline:3px "
    "solid;outline-offset:3px}.soft{color:light-dark(#55606e,#a5b0be);font-size:.875rem}"
)
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
OWN_POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HTML = b"text/html; charset=utf-8"


def hosted_policy(origin: str) -> str:
    """For what customers upload. `sandbox` gives the page an origin of its own: no script, no form, no cookie of ours, even when
    the short domain is also the extranet's. The origin is named because 'self' means nothing inside a sandbox.
    """
    return (
        f"default-src 'none'; img-src {origin} data:; style-src {origin} 'unsafe-inline'; font-src {origin}; media-src {origin};"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        " sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
    )


# A PDF is not shown inside a sandbox; its own viewer runs no script of the page.
PDF_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; object-src 'self'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    body: bytes
    policy: str = OWN_POLICY


def language_of(header: bytes) -> str:
    """French, unless the visitor prefers English."""
    for part in header.decode("latin-1").lower().split(","):
        tag = part.partition(";")[0].strip()[:2]
        if tag in {"fr", "en"}:
            return tag
    return "fr"


def page(template: str, *, status: int, language: str, policy: str = OWN_POLICY, **context: Any) -> Page:
    with translation.override(language):
        html = render_to_string(
            f"links/{template}.html",
            {"style": mark_safe(STYLE), "language": language, **context},  # noqa: S308 (a constant)
        )
    return Page(status, html.encode(), policy)


def minisite(site: MiniSite, *, image: str, opt_out: str, origin: str) -> Page:
    """`image` and `opt_out`: addresses, "" when there is none."""
    language = "fr"
    return page(
        "minisite", status=200, language=language, policy=hosted_policy(origin), site=site, image=image, opt_out=opt_out,
        on_button=readable_on(site.button_colour), paragraphs=[p for p in site.text.splitlines() if p.strip()],
    )  # fmt: skip


def readable_on(colour: str) -> str:
    """Black or white, whichever can be read on #rrggbb."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.179 else "#ffffff"
