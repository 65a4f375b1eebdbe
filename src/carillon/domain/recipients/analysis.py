"""What a list holds, counted as it streams by: the JSON of API guide v2.8 §2.11.

Decided where the guide's sample leaves it open: lines are 1-based without the header; `maxSizeDataLine` is the longest row,
its cells together without delimiters (the 11 rows of the sample hold 654 characters in all: with delimiters they could
not all fit in 66); columns of `emptyKeys` come in the order in which they were first seen empty, the mobile column never;
`globalInvalidLine` counts rows that cannot be trusted (more cells than the header), not wrong numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from typing import Any

from carillon.domain.recipients.judging import DUPLICATE, MALFORMED, Judged
from carillon.domain.recipients.layout import Layout
from carillon.domain.segments import EXTENSION, is_gsm, measure, to_gsm

MAX_LISTED_LINES = 10_000  # numbers of lines kept; the counts are always exact
MAX_VALUE_CHARACTERS = 2000
_EXTENDED = re.compile("[" + re.escape("".join(EXTENSION.values())) + "]")


class Analysis:
    """`layout` gives the columns; `add` every batch, in order; then `to_json`."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.size = 0
        self.valid = 0  # duplicates are valid numbers
        self.invalid = 0
        self.duplicates = 0
        self.broken = 0
        self.valid_emails = 0
        self.invalid_emails = 0
        self.duplicate_emails = 0
        self.countries: Counter[str] = Counter()
        self.assumed: Counter[str] = Counter()
        self.longest_row = 0
        self.invalid_lines: list[int] = []
        self.duplicate_lines: list[int] = []
        self.duplicate_email_lines: list[int] = []
        self.ambiguous_lines: list[int] = []
        self.ambiguous = 0
        width = len(layout.header)
        self._lengths: list[Counter[int]] = [Counter() for _ in range(width)]
        self._longest = [""] * width
        self._costliest = [""] * width  # most units in GSM 7-bit, where extended characters count twice
        self._widest = [""] * width  # a value that forces UCS-2, with replacement on if there is one
        self._empty: list[int] = []

    def add(self, judged: Judged) -> None:
        rows = judged.rows
        self._count_columns(rows.rows)
        self._count_numbers(judged)
        self.size += len(rows.rows)
        self.broken += len(rows.broken)
        self.valid_emails += judged.valid_emails
        self.invalid_emails += judged.invalid_emails
        self.duplicate_emails += len(judged.duplicate_email_lines)
        _extend(self.duplicate_email_lines, judged.duplicate_email_lines)

    def _count_numbers(self, judged: Judged) -> None:
        lines = judged.rows.lines
        verdicts = judged.verdicts
        invalid = verdicts.count(MALFORMED)
        duplicates = verdicts.count(DUPLICATE)
        self.invalid += invalid
        self.duplicates += duplicates
        self.valid += len(verdicts) - invalid
        pairs = Counter((parsed[1], parsed[3]) for parsed in judged.numbers if parsed[2])
        if judged.rows.broken:
            pairs.subtract(
                (judged.numbers[index][1], judged.numbers[index][3])
                for index in judged.rows.broken
                if judged.numbers[index][2]
            )
        for (country, assumed), count in pairs.items():
            self.countries[country] += count
            if assumed:
                self.assumed[assumed] += count
        if invalid:
            _extend(self.invalid_lines, [lines[i] for i, verdict in enumerate(verdicts) if verdict == MALFORMED])
        if duplicates:
            _extend(self.duplicate_lines, [lines[i] for i, verdict in enumerate(verdicts) if verdict == DUPLICATE])
        ambiguous = [lines[i] for i, parsed in enumerate(judged.numbers) if parsed[4]]
        self.ambiguous += len(ambiguous)
        _extend(self.ambiguous_lines, ambiguous)

    def _count_columns(self, rows: list[list[str]]) -> None:
        newly_empty: list[tuple[int, int]] = []
        for index, column in enumerate(zip(*rows, strict=True)):
            lengths = Counter(map(len, column))
            if 0 in lengths and 0 not in self._lengths[index]:
                newly_empty.append((column.index(""), index))
            self._lengths[index].update(lengths)
            if max(lengths) > len(self._longest[index]):
                self._longest[index] = max(column, key=len)
            self._keep_costly(index, column)
        mobile = self.layout.mobile_column
        self._empty += [index for _position, index in sorted(newly_empty) if index != mobile]
        self.longest_row = max(self.longest_row, *(len("".join(row)) for row in rows))

    def _keep_costly(self, index: int, column: tuple[str, ...]) -> None:
        text = "".join(column)
        if _EXTENDED.search(text) is not None:
            values = [value for value in dict.fromkeys(column) if is_gsm(value)]
            self._costliest[index] = max([self._costliest[index], *values], key=_units)
        if not is_gsm(text):
            foreign = [value for value in dict.fromkeys(column) if not is_gsm(value)]
            self._widest[index] = max([self._widest[index], *foreign], key=_width)

    def to_json(self, *, allowed_countries: Collection[str] | None = None) -> dict[str, Any]:
        """The keys of the guide that come from the file; the service adds ids, names and dates.

        `allowed_countries` None: every country counts as allowed.
        """
        header = self.layout.header
        allowed = self.countries.keys() if allowed_countries is None else allowed_countries
        return {
            "charsetDetected": self.layout.charset,
            "computedHeaderSize": {
                name: {str(length): count for length, count in sorted(lengths.items())}
                for name, lengths in zip(header, self._lengths, strict=True)
            },
            "countDuplicateEmail": self.duplicate_emails,
            "countDuplicateMobile": self.duplicates,
            "emptyKeys": [header[index] for index in self._empty],
            "globalInvalidLine": self.broken,
            "header": list(header),
            "invalidCountryCounter": {c: n for c, n in sorted(self.countries.items()) if n and c not in allowed},
            "invalidLineList": self.invalid_lines,
            "invalidNumberEMAIL": self.invalid_emails,
            "invalidNumberMOBILE": self.invalid,
            "lineDuplicateEmail": [str(line) for line in self.duplicate_email_lines],
            "lineDuplicateMobile": [str(line) for line in self.duplicate_lines],
            "maxDatasMap": {n: v[:MAX_VALUE_CHARACTERS] for n, v in zip(header, self._longest, strict=True)},
            "maxSizeDataLine": self.longest_row,
            "size": self.size,
            "type": "CSV",
            "validCountryCounter": {c: n for c, n in sorted(self.countries.items()) if n and c in allowed},
            "validNumberEMAIL": self.valid_emails,
            "validNumberMOBILE": self.valid,
        }

    def more_json(self) -> dict[str, Any]:
        """What the guide does not know and the pages need: assumptions, and the costliest values of each column."""
        header = self.layout.header
        return {
            "countries": dict(sorted(self.countries.items())),
            "assumed": dict(self.assumed),
            "ambiguous": self.ambiguous,
            "ambiguousLines": self.ambiguous_lines,
            "emailColumn": None if self.layout.email_column is None else header[self.layout.email_column],
            "postcodeColumn": None if self.layout.postcode_column is None else header[self.layout.postcode_column],
            "costliest": {n: v[:MAX_VALUE_CHARACTERS] for n, v in zip(header, self._costliest, strict=True) if v},
            "widest": {n: v[:MAX_VALUE_CHARACTERS] for n, v in zip(header, self._widest, strict=True) if v},
        }


def _width(value: str) -> tuple[bool, int]:
    """A value that stays UCS-2 even when characters are replaced counts before a longer one that would not."""
    return not is_gsm(to_gsm(value)), len(value)


def _units(value: str) -> int:
    return measure(value).units


def _extend(kept: list[int], lines: list[int]) -> None:
    kept += lines[: max(0, MAX_LISTED_LINES - len(kept))]
