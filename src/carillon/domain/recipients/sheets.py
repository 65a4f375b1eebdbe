"""Rows of a workbook: the first visible sheet that holds something. XLSX is read as a stream, the old XLS (65,536 rows) whole."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import datetime, time
from typing import Any, BinaryIO

from carillon.domain.errors import InvalidInput

# A workbook of 1,048,576 rows by 20 short columns unpacks to about 1.2 GB, at a ratio of 10 to 30.
MAX_UNPACKED_BYTES = 2 * 1024**3
MAX_SHARED_STRINGS_BYTES = 256 * 1024**2  # openpyxl keeps these in memory
MAX_RATIO = 200
MAX_ENTRIES = 5000
MAX_OLD_BYTES = 64 * 1024**2
_SMALL_BYTES = 10 * 1024**2
_FIRST_SHEET_NAME = "xl/workbook.xml"


def _wrong(message: str) -> InvalidInput:
    return InvalidInput(message, field="file", code="unreadable_file")


def check(stream: BinaryIO) -> None:
    """InvalidInput unless this is a workbook that can be unpacked safely. Looks at the archive's directory only:

    zipfile never unpacks more of an entry than its directory announces, so the announced sizes are the real limits.
    """
    try:
        entries = zipfile.ZipFile(stream).infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise _wrong("The XLSX file is damaged or incomplete. Save it again, or save it as CSV.") from error
    finally:
        stream.seek(0)
    names = {entry.filename for entry in entries}
    if _FIRST_SHEET_NAME not in names:
        what = "an OpenDocument file" if "mimetype" in names else "a ZIP archive"
        raise _wrong(f"The file is {what}, not an Excel workbook. Save the list as CSV or XLSX.")
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries) or 1
    strings = sum(entry.file_size for entry in entries if entry.filename.endswith("sharedStrings.xml"))
    is_bomb = unpacked > MAX_UNPACKED_BYTES or strings > MAX_SHARED_STRINGS_BYTES or len(entries) > MAX_ENTRIES
    if is_bomb or (unpacked > _SMALL_BYTES and unpacked / packed > MAX_RATIO):
        raise _wrong(f"The XLSX file would unpack to {unpacked // 1024**2} MB, which is refused. Save the list as CSV.")


def rows(stream: BinaryIO, *, max_columns: int) -> Iterator[list[str]]:
    """Cells as the text a person would type: 612345678 not 612345678.0, dates as DD/MM/YYYY."""
    from openpyxl import load_workbook  # noqa: PLC0415  60 ms, only for workbooks

    check(stream)
    try:
        workbook = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        try:
            for sheet in workbook.worksheets:
                if sheet.sheet_state != "visible":
                    continue
                is_empty = True
                for cells in sheet.iter_rows(values_only=True, max_col=max_columns + 1):
                    row = [_text(cell) for cell in cells]
                    while row and not row[-1]:
                        row.pop()
                    is_empty = is_empty and not row
                    yield row
                if not is_empty:
                    return
        finally:
            workbook.close()
    except Exception as error:  # openpyxl raises anything on damaged XML: KeyError, ParseError, zlib.error …
        raise _wrong("The XLSX file is damaged or incomplete. Save it again, or save it as CSV.") from error


def old_rows(stream: BinaryIO, *, max_columns: int) -> Iterator[list[str]]:
    """Rows of an XLS workbook, as `rows`."""
    import xlrd  # noqa: PLC0415  only for these

    content = stream.read(MAX_OLD_BYTES + 1)
    if len(content) > MAX_OLD_BYTES:
        raise _wrong(f"The XLS file is larger than {MAX_OLD_BYTES // 1024**2} MB. Save it as XLSX or CSV.")
    try:
        book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), on_demand=True)
        for sheet in (sheet for sheet in book.sheets() if sheet.visibility == 0 and sheet.nrows):
            for number in range(sheet.nrows):
                cells = zip(sheet.row_types(number), sheet.row_values(number, 0, max_columns + 1), strict=False)
                row = [_text(_old_value(kind, value, book.datemode)) for kind, value in cells]
                while row and not row[-1]:
                    row.pop()
                yield row
            return
    except Exception as error:  # xlrd raises anything on damaged records: XLRDError, struct.error, IndexError …
        if "encrypted" in str(error):
            raise _wrong("The XLS file is protected by a password. Save it without, or as CSV.") from error
        raise _wrong("The XLS file is damaged, or no Excel workbook. Save it as XLSX or CSV.") from error


def _old_value(kind: int, value: Any, datemode: int) -> object:
    import xlrd  # noqa: PLC0415

    if kind == xlrd.XL_CELL_DATE:
        return xlrd.xldate_as_datetime(value, datemode)
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    return "" if kind == xlrd.XL_CELL_ERROR else value


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return f"{cell:%d/%m/%Y}" if cell.time() == time.min else f"{cell:%d/%m/%Y %H:%M}"
    if isinstance(cell, time):
        return f"{cell:%H:%M}"
    return str(cell)
