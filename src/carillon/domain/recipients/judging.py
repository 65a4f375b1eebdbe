"""The verdict on each row: valid (1), malformed (2), or duplicate within the list (4).

A destination the account may not reach (3) is judged at preparation, for accounts change; countries are counted here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from carillon.domain.msisdn import Parsed, parse
from carillon.domain.recipients.layout import Layout
from carillon.domain.recipients.reading import Rows
from carillon.domain.status import Status

VALID = int(Status.IN_PROGRESS)
MALFORMED = int(Status.MALFORMED)
DUPLICATE = int(Status.DUPLICATE)

_EMAIL = re.compile(r"[^\s@,;<>\"]{1,64}@(?:[^\s@.,;<>\"]{1,63}\.)+[^\s@.,;<>\"]{2,63}").fullmatch


@dataclass(slots=True)
class Judged:
    """Rows with, for each, its number and verdict. `numbers` has landlines too (verdict 2); the lists run in parallel."""

    rows: Rows
    numbers: list[Parsed]
    verdicts: list[int]
    valid_emails: int = 0
    invalid_emails: int = 0
    duplicate_email_lines: list[int] = field(default_factory=list)


class Judge:
    """Remembers the numbers seen, 70 bytes each: the only thing that grows with the list."""

    def __init__(self, layout: Layout, *, default_country: str = "FR") -> None:
        self._layout = layout
        self._default_country = default_country
        self._seen: set[int | None] = set()
        self._seen_emails: set[int] = set()

    def judge(self, rows: Rows) -> Judged:
        column = self._layout.mobile_column
        country = self._default_country
        seen = self._seen
        broken = rows.broken
        numbers = [parse(row[column], country) for row in rows.rows]
        verdicts = [VALID] * len(numbers)
        for index, parsed in enumerate(numbers):
            if not parsed[2] or index in broken:  # [2]: is_mobile
                verdicts[index] = MALFORMED
            elif parsed[0] in seen:
                verdicts[index] = DUPLICATE
            else:
                seen.add(parsed[0])
        judged = Judged(rows, numbers, verdicts)
        if self._layout.email_column is not None:
            self._judge_emails(judged, self._layout.email_column)
        return judged

    def _judge_emails(self, judged: Judged, column: int) -> None:
        """An empty address is neither valid nor invalid: a list of mobiles needs none."""
        seen = self._seen_emails
        for line, row in zip(judged.rows.lines, judged.rows.rows, strict=True):
            address = row[column].strip()
            if not address:
                continue
            if _EMAIL(address) is None:
                judged.invalid_emails += 1
                continue
            judged.valid_emails += 1
            mark = hash(address.casefold())  # 64 bits stand for the address: one false repeat in 10 million lists
            if mark in seen:
                judged.duplicate_email_lines.append(line)
            seen.add(mark)
