"""A list as a file: as it came, cleaned, or what was rejected and why."""

from __future__ import annotations

from collections.abc import Iterator

from carillon.domain import status
from carillon.domain.errors import NotFound
from carillon.domain.recipients import DUPLICATE, MALFORMED, VALID
from carillon.models import List
from carillon.services import list_rows, lists
from carillon.services.reports import csv_pieces

_CHUNK_BYTES = 256 * 1024


def raw(item: List) -> Iterator[bytes]:
    """The file the person gave, byte by byte. NotFound when there is none (any more)."""
    path = lists.path_of(item)
    if not item.file_path or not path.is_file():
        raise NotFound(f"The file of the list '{item.name}' is not kept", code="file_not_found")

    def chunks() -> Iterator[bytes]:
        with path.open("rb") as stored:
            while chunk := stored.read(_CHUNK_BYTES):
                yield chunk

    return chunks()


def cleaned(item: List) -> Iterator[bytes]:
    """CSV (UTF-8 with BOM, `;`) of the valid rows, each number once, as +33612345678; no cell is a formula."""
    mobile = item.header.index(item.mobile_column)

    def rows() -> Iterator[list[str]]:
        for batch in list_rows.batches(item, verdict=VALID):
            for _id, _line, msisdn, _country, _verdict, fields in batch:
                fields[mobile] = f"+{msisdn}"
                yield fields

    return csv_pieces(item.header, rows())


def rejected(item: List, *, language: str = "fr") -> Iterator[bytes]:
    """The malformed rows and the duplicates, in front their line in the file (without its header) and the reason."""

    def rows() -> Iterator[list[str]]:
        for verdict in (MALFORMED, DUPLICATE):
            label = status.label(verdict, language=language)
            for batch in list_rows.batches(item, verdict=verdict):
                for row in batch:
                    yield [str(row[1]), str(verdict), label, *row[5]]

    return csv_pieces(["ID_LINE", "STATUS_CODE", "STATUS_TEXT", *item.header], rows())
