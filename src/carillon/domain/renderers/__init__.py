"""The template languages of a message, behind one door: `parse(renderer, source)`.

BASIC, MEDIASFLOW, MEDIASFLOW_B and SMSFACTOR only put fields into a text (`Flat`); HANDLEBARS, EJS and VELOCITY have
conditions, loops and functions (`Tree`). What each understands: docs/decisions/0005-template-languages.md.
"""

from __future__ import annotations

from carillon.domain.errors import InvalidInput
from carillon.domain.renderers import ejs, flat, handlebars, velocity
from carillon.domain.renderers.flat import Field, Flat
from carillon.domain.renderers.scope import LINK, MAX_TEMPLATE, Tree
from carillon.domain.renderers.values import RenderError, TooLong

_TREES = {"HANDLEBARS": handlebars.parse, "EJS": ejs.parse, "VELOCITY": velocity.parse}
NAMES = ("BASIC", "MEDIASFLOW", "MEDIASFLOW_B", "HANDLEBARS", "EJS", "VELOCITY", "SMSFACTOR")


def parse(renderer: str, source: str) -> Flat | Tree:
    """Read once per campaign. InvalidInput for an unknown renderer, a text too long, or a template that cannot be read."""
    name = renderer.strip().upper()
    if name not in NAMES:
        raise InvalidInput(f"Unknown renderer {renderer[:20]!r}: use one of {', '.join(NAMES)}.", field="renderer")
    if len(source) > MAX_TEMPLATE:
        raise InvalidInput(f"The message is longer than {MAX_TEMPLATE} characters.", field="message")
    return _TREES[name](source) if name in _TREES else flat.parse(name, source)


__all__ = ["LINK", "NAMES", "Field", "Flat", "RenderError", "TooLong", "Tree", "parse"]
