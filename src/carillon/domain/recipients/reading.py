"""A list file, read as a stream of batches of rows."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from carillon.domain.errors import InvalidInput
from carillon.domain.msisdn import parse
from carillon.domain.recipients import layout as layouts
from carillon.domain.recipients import sheets
from carillon.domain.recipients.layout import Layout
from carillon.domain.recipients.source import MAX_LINE_CHARACTERS, Lines, detect_charset, kind_of, opened

BATCH_ROWS = 2048
PREVIEW_ROWS = 10
_HINT = re.compile(r"sep=([;,\t])\s*", re.IGNORECASE).fullmatch  # a first line that spreadsheets write for each other
_SHEETS = {"xlsx": sheets.rows, "xls": sheets.old_rows}
UNNAMED_MOBILE = "MOBILE"  # the column of the numbers in a file without header
_END = "\x1e"  # a row of our own after the last: swallowed if a quotation mark is still open


@dataclass(slots=True)
class Rows:
    """Rows, each as long as the header, and their lines: 1-based, without the header and without blank lines.

    `broken` holds the positions of rows with more cells than the header: their columns may have shifted.
    """

    lines: Sequence[int]
    rows: list[list[str]]
    broken: frozenset[int] = frozenset()
    position: int = 0  # bytes of the file read so far


def inspect(
    source: Path | BinaryIO,
    *,
    default_country: str = "FR",
    mobile_column: str | None = None,
    has_header: bool | None = None,
    delimiter: str | None = None,
    charset: str | None = None,
    needs_mobile: bool = True,
) -> Layout:
    """What the file is, from its first 200 rows (the charset: from all its bytes). What is given is not guessed.

    InvalidInput (code empty_file, unreadable_file, too_many_columns, no_mobile_column, no_such_column, open_quote) says
    what to do. With `needs_mobile` False a list without a mobile column has -1 there, so that a person can choose.
    """
    kind, charset, delimiter, sample = _sample(source, charset, delimiter)
    if not sample:
        raise _empty("The file holds no row.")
    is_header = layouts.has_header(sample[0]) if has_header is None else has_header
    if not is_header and len(sample) == 1 and _is_row_of_numbers(sample[0], default_country):
        found = Layout(kind, charset, delimiter, False, [UNNAMED_MOBILE], 0, is_one_line=True)
        found.preview = [[cell] for cell in sample[0] if cell.strip()][:PREVIEW_ROWS]
        return found
    body = sample[1:] if is_header else sample
    if not body:
        raise _empty("The file holds a header and no recipient.")
    width = max(len(sample[0]), Counter(map(len, body)).most_common(1)[0][0])
    header = layouts.name_columns(sample[0], is_header=is_header, width=width)
    is_guessed = mobile_column is None or (not is_header and mobile_column == UNNAMED_MOBILE)
    if is_guessed:
        mobile = layouts.find_mobile_column(header, body, default_country=default_country)
        if mobile is None and needs_mobile:
            raise layouts.no_mobile_column(header)
    else:
        mobile = layouts.column_named(header, mobile_column or "")
    if mobile is not None and is_guessed and not is_header:
        header[mobile] = UNNAMED_MOBILE
    found = Layout(kind, charset, delimiter, is_header, header, -1 if mobile is None else mobile)
    found.email_column = layouts.find_email_column(header)
    found.postcode_column = layouts.find_postcode_column(header)
    found.preview = [_fitted(row, width) for row in body[:PREVIEW_ROWS]]
    return found


def _sample(
    source: Path | BinaryIO, charset: str | None, delimiter: str | None
) -> tuple[str, str, str, list[list[str]]]:
    """Kind, charset, delimiter and the first rows."""
    with opened(source) as stream:
        kind = kind_of(stream)
        if kind != "csv":
            return kind, "", "", _first(_SHEETS[kind](stream, max_columns=layouts.MAX_COLUMNS))
        charset = charset or detect_charset(stream)
        lines = _first_lines(Lines(stream, charset))
        hint = _HINT(lines[0]) if lines else None
        delimiter = delimiter or (hint.group(1) if hint else layouts.guess_delimiter(lines))
        lines = lines[1:] if hint else lines
        try:
            return kind, charset, delimiter, _first(csv.reader(lines, delimiter=delimiter))
        except csv.Error as error:
            raise _long_cell(1) from error


class Reader:
    """Iterates over Rows; use in a with statement. `position` and `size` (bytes) tell the progress."""

    def __init__(self, source: Path | BinaryIO, layout: Layout, *, batch_rows: int = BATCH_ROWS) -> None:
        self.layout = layout
        self._batch_rows = batch_rows
        self._source = source
        self._stack = ExitStack()
        self._lines: Lines | None = None
        self._stream: BinaryIO | None = None
        self.size = 0

    def __enter__(self) -> Reader:
        self._stream = self._stack.enter_context(opened(self._source))
        self.size = self._stream.seek(0, 2)
        self._stream.seek(0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[Rows]:
        rows = self._rows()
        if self.layout.is_one_line:
            rows = ([cell] for row in rows for cell in row)
        elif self.layout.has_header:
            rows = _without_header(rows)
        width = len(self.layout.header)
        line = 1
        while batch := list(islice(rows, self._batch_rows)):
            kept = [row for row in batch if any(row)]
            broken: frozenset[int] = frozenset()
            if set(map(len, kept)) - {width}:
                broken = frozenset(index for index, row in enumerate(kept) if any(row[width:]))
                kept = [_fitted(row, width) for row in kept]
            if kept:
                yield Rows(range(line, line + len(kept)), kept, broken, self._position())
                line += len(kept)
        if line == 1:
            raise _empty("The file holds no recipient.")

    def _rows(self) -> Iterator[list[str]]:
        assert self._stream is not None, "use the reader in a with statement"
        if self.layout.kind != "csv":
            return _SHEETS[self.layout.kind](self._stream, max_columns=layouts.MAX_COLUMNS)
        self._lines = Lines(self._stream, self.layout.charset)
        return _csv_rows(_without_hint(self._lines), self.layout.delimiter)

    def _position(self) -> int:
        if self._lines is not None:
            return self._lines.position
        return 0  # of a workbook, how much is left is not known


def _without_hint(lines: Iterable[str]) -> Iterator[str]:
    rest = iter(lines)
    first = next(rest, "")
    return rest if _HINT(first) else chain([first], rest)


def _csv_rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(chain(lines, [_END]), delimiter=delimiter)
    held: list[str] | None = None
    started = 0
    try:
        for row in reader:
            if held is not None:
                yield held
            held, before = row, started
            started = reader.line_num
    except csv.Error as error:
        raise _long_cell(started + 1) from error
    if held != [_END]:
        raise _open_quote(before + 1)


def _long_cell(line: int) -> InvalidInput:
    return InvalidInput(
        f"A cell on line {line} of the file, or soon after, is longer than {csv.field_size_limit():,} characters. "
        'A quotation mark (") is probably never closed: close it, or remove it, and import again.',
        field="file", line=line, code="open_quote",
    )  # fmt: skip


def _open_quote(line: int) -> InvalidInput:
    return InvalidInput(
        f'A quotation mark (") opened on line {line} of the file is never closed. '
        "Close it, or remove it, and import again.",
        field="file", line=line, code="open_quote",
    )  # fmt: skip


def _without_header(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    for row in rows:
        if any(row):
            return rows
    return rows


def _first_lines(lines: Iterable[str]) -> list[str]:
    found: list[str] = []
    characters = 0
    for line in lines:
        found.append(line)
        characters += len(line)
        if len(found) > layouts.SAMPLE_ROWS or characters > MAX_LINE_CHARACTERS:
            break
    return found


def _first(rows: Iterable[list[str]]) -> list[list[str]]:
    return list(islice((row for row in rows if any(row)), layouts.SAMPLE_ROWS))


def _fitted(row: list[str], width: int) -> list[str]:
    return row[:width] if len(row) >= width else row + [""] * (width - len(row))


def _is_row_of_numbers(row: list[str], default_country: str) -> bool:
    cells = [cell for cell in row if cell.strip()]
    return len(cells) > 1 and all(parse(cell, default_country).is_mobile for cell in cells)


def _empty(message: str) -> InvalidInput:
    return InvalidInput(
        f"{message} It must hold one recipient a line, with a column of mobile numbers.",
        field="file", code="empty_file",
    )  # fmt: skip
