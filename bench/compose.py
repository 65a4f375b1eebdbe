"""Rows composed and measured a second, on one core: the text rules alone, no database.

python bench/compose.py [rows]
Beside it the limit: the same text joined by an f-string and nothing else.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from carillon.domain.compose import Composer, Options, StopRule
from carillon.domain.segments import measure

COLUMNS = ("PORTABLE", "Civilité", "Prénom", "Nom", "Date", "Prix")
STOP = StopRule(is_marketing=True, is_sender_personalised=True, number="36184")
TEMPLATES = {
    "BASIC, 2 fields": ("BASIC", "Bonjour ${Prénom}, votre rendez-vous du ${Date} est confirme chez Dupont & fils"),
    "BASIC, 2 fields, €": ("BASIC", "Bonjour ${Prénom}, soldes a 25€ du ${Date} au 31/12 dans votre magasin Dupont"),
    "BASIC, replaced ç ê": ("BASIC", "Bonjour ${Prénom}, ça y est, c'est la fête du ${Date} dans votre magasin !"),
    "HANDLEBARS, if": (
        "HANDLEBARS",
        "Bonjour {{#if Civilité}}{{Civilité}} {{Nom}}{{else}}{{Prénom}}{{/if}}, a {{Date}}",
    ),
    "EJS, ternary": ("EJS", "Bonjour <%= Civilité ? Civilité + ' ' + Nom : Prénom %>, a <%= Date %>"),
    "VELOCITY, if": ("VELOCITY", "Bonjour #if($Civilité)$Civilité $Nom#else$Prénom#end, a $Date"),
}


def rows_of(count: int) -> list[tuple[str, ...]]:
    names = ("Jean", "Jacqueline", "Léa", "Mohamed", "Zoé")
    return [
        (str(33600000000 + i), "Mme", names[i % 5], "Martin", f"{i % 28 + 1:02}/12 a {i % 24}h", "17")
        for i in range(count)
    ]


def rate(run: Callable[[Sequence[Sequence[str]]], object], rows: Sequence[Sequence[str]]) -> int:
    best = 0.0
    for _ in range(3):
        start = time.perf_counter()
        run(rows)
        best = max(best, len(rows) / (time.perf_counter() - start))
    return round(best)


def main() -> None:
    rows = rows_of(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
    limit = rate(
        lambda rows: [f"Bonjour {r[2]}, votre rendez-vous du {r[4]} est confirme STOP 36184" for r in rows], rows
    )
    print(f"{'an f-string alone':28}{limit:>12,} rows/s")
    for name, (renderer, template) in TEMPLATES.items():
        composer = Composer(template, COLUMNS, renderer=renderer, options=Options(max_segments=2), stop=STOP)
        compose = composer.compose
        found = rate(lambda rows, compose=compose: [compose(row) for row in rows], rows)  # type: ignore[misc]
        print(f"{name:28}{found:>12,} rows/s   {compose(rows[0]).text!r}")
    text = composer.compose(rows[0]).text
    print(f"{'measure() of one text':28}{rate(lambda rows: [measure(text) for _ in rows], rows):>12,} texts/s")


if __name__ == "__main__":
    main()
