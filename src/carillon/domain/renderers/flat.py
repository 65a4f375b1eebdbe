"""The syntaxes that only put fields into a text: BASIC, MEDIASFLOW, MEDIASFLOW_B and SMSFactor's.

BASIC         ${Name}
MEDIASFLOW    $$[Name]
MEDIASFLOW_B  $$[record]Name$$
SMSFACTOR     #info1#  (the first column besides the number; or a column of that name)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_LINK = r"|\$\{\s*((?i:track_\d{1,2}|optout))\s*\}"
SYNTAXES = {
    "BASIC": re.compile(r"\$\{([^\S\n]*[^${}\s][^${}\n]*)\}"),
    "MEDIASFLOW": re.compile(r"\$\$\[([^\S\n]*[^\[\]\s][^\[\]\n]*)\]" + _LINK),
    "MEDIASFLOW_B": re.compile(r"\$\$\[record\]([^\S\n]*[^$\s][^$\n]*)\$\$" + _LINK),
    "SMSFACTOR": re.compile(r"#((?i:info)\d{1,2})#" + _LINK),
}


class Field(NamedTuple):
    name: str


@dataclass(frozen=True, slots=True)
class Flat:
    """A text with holes. What does not look like a field stays as it is written."""

    pieces: tuple[str | Field, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(piece.name for piece in self.pieces if isinstance(piece, Field)))

    @property
    def literals(self) -> tuple[str, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, str))

    @property
    def sure(self) -> str:
        return "".join(piece if isinstance(piece, str) else "${" + piece.name + "}" for piece in self.pieces)


def parse(syntax: str, source: str) -> Flat:
    pieces: list[str | Field] = []
    start = 0
    for found in SYNTAXES[syntax].finditer(source):
        if found.start() > start:
            pieces.append(source[start : found.start()])
        pieces.append(Field(next(group for group in found.groups() if group is not None).strip()))
        start = found.end()
    if start < len(source):
        pieces.append(source[start:])
    return Flat(tuple(pieces))
