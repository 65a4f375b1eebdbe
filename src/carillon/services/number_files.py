"""Numbers that people give all at once: typed, or in a file (CSV, TXT, XLS, XLSX) whose column of mobiles is found by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from carillon.domain import msisdn as numbers
from carillon.domain.errors import InvalidInput
from carillon.domain.recipients import Judge, Reader, inspect

SEPARATORS = re.compile(r"[,;\n\t]+")
MOST = 5_000_000


@dataclass(frozen=True, slots=True)
class Numbers:
    """`valid` once each, in order; `invalid`: how many were no telephone number."""

    valid: list[int]
    invalid: int


def typed(text: str) -> Numbers:
    found: dict[int, None] = {}
    invalid = 0
    for part in SEPARATORS.split(text):
        if not part.strip():
            continue
        parsed = numbers.parse(part)
        if parsed.msisdn is None:
            invalid += 1
        else:
            found[parsed.msisdn] = None
    return Numbers(list(found), invalid)


def in_file(source: Path | BinaryIO, *, country: str = "FR") -> Numbers:
    """Raises InvalidInput for a file that cannot be read, or without a column of mobiles."""
    layout = inspect(source, default_country=country)
    judge = Judge(layout, default_country=country)
    found: dict[int, None] = {}
    invalid = 0
    with Reader(source, layout) as reader:
        for rows in reader:
            for parsed in judge.judge(rows).numbers:
                if parsed.msisdn is None:
                    invalid += 1
                else:
                    found[parsed.msisdn] = None
            if len(found) > MOST:
                raise InvalidInput(f"A file holds at most {MOST} numbers", field="file", code="too_big")
    return Numbers(list(found), invalid)
