"""How a list is laid out: delimiter, header, which column holds the mobile numbers."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from carillon.domain.errors import InvalidInput
from carillon.domain.fields import fold
from carillon.domain.msisdn import parse

DELIMITERS = (";", ",", "\t")
MAX_COLUMNS = 500
MAX_NAME_CHARACTERS = 200
SAMPLE_ROWS = 200

MOBILE_NAMES = ("portable", "mobile", "sms", "gsm")  # the four names of the guides, any case and accents
_MOBILE_WORDS = {"portable", "mobile", "sms", "gsm", "msisdn", "cellulaire", "cell", "handy", "mobiles", "portables"}
_PHONE_WORDS = {"telephone", "telephones", "tel", "phone", "numero", "num", "number", "numeros"}
_EMAIL_WORDS = {"email", "mail", "courriel", "emails"}
_POSTCODE_NAMES = {
    "cp",
    "code postal",
    "codepostal",
    "postcode",
    "post code",
    "zip",
    "zipcode",
    "zip code",
    "postal code",
}


@dataclass(slots=True)
class Layout:
    """`mobile_column` and the others are positions in `header`. `preview`: first rows, as typed, without the header."""

    kind: str  # "csv" | "xlsx" | "xls"
    charset: str  # "" for workbooks
    delimiter: str
    has_header: bool
    header: list[str]
    mobile_column: int
    email_column: int | None = None
    postcode_column: int | None = None
    is_one_line: bool = False  # all the numbers on one line, separated by the delimiter
    preview: list[list[str]] = field(default_factory=list)

    @property
    def mobile_name(self) -> str:
        return self.header[self.mobile_column]


def guess_delimiter(lines: Sequence[str]) -> str:
    """The one that cuts most lines into the same number of cells, more than one; ";" when none cuts the first line."""
    best, best_score = DELIMITERS[0], (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            rows = [row for row in csv.reader(lines, delimiter=delimiter) if any(row)]
        except csv.Error:  # a quotation mark open over 131,072 characters: the reader will say so
            rows = []
        if not rows or len(rows[0]) == 1:
            continue
        widths = Counter(map(len, rows))
        several = {width: count for width, count in widths.items() if width > 1}
        width, count = max(several.items(), key=lambda pair: (pair[1], pair[0]))
        score = (round(count / widths.total(), 2), width)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def has_header(first: Sequence[str]) -> bool:
    """The first row names columns unless one of its cells is a telephone number, an address or a long number."""
    return not any("@" in cell or parse(cell).msisdn is not None or _is_long_number(cell) for cell in first)


def _is_long_number(cell: str) -> bool:
    return len(cell) >= 8 and cell.strip().isdigit()


def name_columns(first: Sequence[str], *, is_header: bool, width: int) -> list[str]:
    """Names without repeats. Columns without a name are COLONNE1, COLONNE2 …"""
    if width > MAX_COLUMNS:
        raise InvalidInput(
            f"The file has more than {MAX_COLUMNS} columns. Keep the mobile numbers and the fields you need.",
            field="file", code="too_many_columns",
        )  # fmt: skip
    names: list[str] = []
    for index in range(width):
        typed = " ".join(first[index].split()) if is_header and index < len(first) else ""
        name = typed[:MAX_NAME_CHARACTERS] or f"COLONNE{index + 1}"
        repeat = 2
        unique = name
        while unique in names:
            suffix = f" ({repeat})"
            unique = name[: MAX_NAME_CHARACTERS - len(suffix)] + suffix
            repeat += 1
        names.append(unique)
    return names


def is_mobile_name(name: str) -> bool:
    """One of the four names of the guides (PORTABLE, MOBILE, SMS, GSM), any case and accents."""
    return fold(name) in MOBILE_NAMES


def find_mobile_column(
    header: Sequence[str], sample: Sequence[Sequence[str]], *, default_country: str = "FR"
) -> int | None:
    """By name (PORTABLE, MOBILE, SMS, GSM), else by a name with such a word, else by content; None when nothing fits.

    Between several columns named so, the one whose values are mobiles most often wins, then the leftmost.
    """
    shares = [_share_of_mobiles(sample, index, default_country) for index in range(len(header))]
    folded = [fold(name) for name in header]
    words = [set("".join(c if c.isalnum() else " " for c in name).split()) for name in folded]
    exact = [index for index, name in enumerate(folded) if name in MOBILE_NAMES]
    if exact:
        return max(exact, key=lambda index: shares[index])
    for wanted, least in ((_MOBILE_WORDS, 0.01), (_PHONE_WORDS, 0.3)):
        named = [index for index in range(len(header)) if words[index] & wanted and shares[index] >= least]
        if named:
            return max(named, key=lambda index: shares[index])
    likely = [index for index, share in enumerate(shares) if share >= 0.5]
    return likely[0] if likely else None


def _share_of_mobiles(sample: Sequence[Sequence[str]], index: int, default_country: str) -> float:
    values = [row[index] for row in sample if index < len(row) and row[index].strip()]
    return sum(parse(value, default_country).is_mobile for value in values) / len(values) if values else 0.0


def find_email_column(header: Sequence[str]) -> int | None:
    for index, name in enumerate(header):
        plain = fold(name).replace("e-mail", "email")
        if _EMAIL_WORDS & set(plain.replace("_", " ").replace("-", " ").split()):
            return index
    return None


def find_postcode_column(header: Sequence[str]) -> int | None:
    """The recipient's postcode decides of department holidays (domain.calendars)."""
    for index, name in enumerate(header):
        if fold(name).replace("_", " ").replace("-", " ") in _POSTCODE_NAMES:
            return index
    return None


def column_named(header: Sequence[str], name: str) -> int:
    """InvalidInput when no column has that name (exact, else folded)."""
    if name in header:
        return list(header).index(name)
    folded = [fold(column) for column in header]
    if fold(name) in folded:
        return folded.index(fold(name))
    raise InvalidInput(
        f"There is no column {name!r}. The columns are: {_listed(header)}.",
        field="mobile_column",
        code="no_such_column",
    )


def no_mobile_column(header: Iterable[str]) -> InvalidInput:
    return InvalidInput(
        f"No column holds mobile numbers. The columns are: {_listed(header)}. "
        "Name the column of the numbers PORTABLE, MOBILE, SMS or GSM, or choose it.",
        field="mobile_column", code="no_mobile_column",
    )  # fmt: skip


def _listed(header: Iterable[str]) -> str:
    names = list(header)
    shown = ", ".join(name[:40] for name in names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")
