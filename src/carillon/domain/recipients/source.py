"""From bytes to lines of text: what kind of file it is, in which charset, and its lines, never the whole file in memory."""

from __future__ import annotations

import codecs
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from carillon.domain.errors import InvalidInput

CHUNK_BYTES = 256 * 1024
MAX_LINE_CHARACTERS = 1_000_000
_LEGACY_SAMPLE_BYTES = 4 * 1024 * 1024

# Charset, as printed by the API, and Python's codec for it.
CODECS = {
    "UTF-8": "utf-8-sig",
    "UTF-16LE": "utf-16-le",
    "UTF-16BE": "utf-16-be",
    "WINDOWS-1252": "cp1252",
    "ISO-8859-15": "iso8859-15",
    "IBM850": "cp850",
    "MACINTOSH": "mac-roman",
}
_LEGACY = ("WINDOWS-1252", "IBM850", "MACINTOSH")
_LATIN9_EURO = 0xA4
_LETTERS = "éèêëàâäùûüçîïôöœÉÈÊÀÂÇÎÔŒñÑßáíóú°€’«»"

_NOT_LISTS = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"RIFF", "a sound, picture or film (RIFF)"),
    (b"ID3", "an MP3 sound"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"{\\rtf", "an RTF document"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SAVE_AS = 'Open it in your spreadsheet and save it as "CSV" or "XLSX".'


def _wrong(message: str) -> InvalidInput:
    return InvalidInput(message, field="file", code="unreadable_file")


@contextmanager
def opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    """A seekable binary stream at its start. Paths are opened and closed; streams belong to the caller."""
    if isinstance(source, Path):
        with source.open("rb") as stream:
            yield stream
    else:
        source.seek(0)
        yield source


def kind_of(stream: BinaryIO) -> str:
    """ "csv" (any delimited text), "xlsx" or "xls". InvalidInput for everything else, by what the bytes say, not the name."""
    head = stream.read(64 * 1024)
    stream.seek(0)
    if not head.strip(b" \t\r\n\xef\xbb\xbf\x00"):
        raise InvalidInput(
            "The file is empty. It must hold one recipient a line, with a column of mobile numbers.",
            field="file", code="empty_file",
        )  # fmt: skip
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    if head.startswith(_OLE):
        if _ENCRYPTED in head:
            raise _wrong(f"The file is protected by a password, so it cannot be read. {_SAVE_AS}")
        return "xls"
    for magic, name in _NOT_LISTS:
        if head.startswith(magic):
            raise _wrong(f"The file is {name}, not a list, whatever its name says. Choose a CSV, TXT or XLSX file.")
    if head.lstrip()[:200].lower().startswith((b"<!doctype", b"<html", b"<table", b"<?xml")):
        raise _wrong(f"The file is a web page or XML, not a list. {_SAVE_AS}")
    return "csv"


def detect_charset(stream: BinaryIO) -> str:
    """A key of CODECS. Reads the whole file, by chunks: the first accent may be on the last line. Ends at the start.

    A byte order mark decides; else UTF-8 if it is valid to the end (or almost: one broken byte in a hundred accents does
    not make it another charset); else the one of three legacy charsets in which the bytes spell accented letters.
    """
    head = stream.read(CHUNK_BYTES)
    stream.seek(0)
    wide = _utf16(head)
    if wide:
        return wide
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        while chunk := stream.read(CHUNK_BYTES):
            _refuse_binary(chunk)
            decoder.decode(chunk)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        stream.seek(0)
        return _legacy(stream)
    finally:
        stream.seek(0)
    return "UTF-8"


def _utf16(head: bytes) -> str:
    if head.startswith(codecs.BOM_UTF16_LE):
        return "UTF-16LE"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "UTF-16BE"
    sample = head[:2048]
    zeros = [sample[parity::2].count(0) for parity in (0, 1)]
    if max(zeros) > len(sample) // 4 and min(zeros) < len(sample) // 40 + 1:
        return "UTF-16LE" if zeros[1] > zeros[0] else "UTF-16BE"
    return ""


def _refuse_binary(chunk: bytes) -> None:
    if b"\x00" in chunk:
        raise _wrong("The file is not text (it holds binary zeros). Choose a CSV, TXT or XLSX file.")


def _legacy(stream: BinaryIO) -> str:
    counts: Counter[int] = Counter()
    broken = accents = read = 0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    ascii_bytes = bytes(range(128))
    while read < _LEGACY_SAMPLE_BYTES and (chunk := stream.read(CHUNK_BYTES)):
        _refuse_binary(chunk)
        high = chunk.translate(None, ascii_bytes)
        counts.update(high)
        text = decoder.decode(chunk)
        broken += text.count("\ufffd")
        accents += len(text) - len(text.encode("ascii", "ignore"))
        # Only what holds accents counts towards the sample: they may all be at the end.
        read += len(chunk) if high else 0
    _refuse_rest(stream)
    if broken * 100 <= accents:
        return "UTF-8"
    best = max(_LEGACY, key=lambda name: _score(counts, name))
    is_latin9 = best == "WINDOWS-1252" and counts[_LATIN9_EURO] and not any(counts[byte] for byte in range(0x80, 0xA0))
    return "ISO-8859-15" if is_latin9 else best


def _refuse_rest(stream: BinaryIO) -> None:
    while chunk := stream.read(CHUNK_BYTES):
        _refuse_binary(chunk)


def _score(counts: Counter[int], charset: str) -> int:
    """Accented letters spelt, minus what no list holds (box drawings, undefined bytes)."""
    score = 0
    for byte, count in counts.items():
        char = bytes([byte]).decode(CODECS[charset], "replace")
        if byte == _LATIN9_EURO and charset == "WINDOWS-1252":  # the same letters as ISO-8859-15, told apart later
            char = "€"
        score += count if char in _LETTERS else -count if not char.isalpha() else 0
    return score


class Lines:
    """The lines of a text stream, endings kept (LF, CRLF or CR). `position`: bytes read so far, for progress."""

    def __init__(self, stream: BinaryIO, charset: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(CODECS[charset])("replace")
        self.position = 0

    def __iter__(self) -> Iterator[str]:
        rest = ""
        while chunk := self._stream.read(CHUNK_BYTES):
            text = rest + self._decoder.decode(chunk)
            if not self.position:
                text = text.removeprefix("\ufeff")
            self.position += len(chunk)
            # A CR at the very end may be half of a CRLF: it waits for the next chunk.
            cut = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
            if cut:
                yield from io.StringIO(text[:cut], newline="")
            rest = text[cut:]
            if len(rest) > MAX_LINE_CHARACTERS:
                raise _wrong(
                    f"A line is longer than {MAX_LINE_CHARACTERS:,} characters: this is not a list of recipients, "
                    "or its line ends are missing. It must hold one recipient a line."
                )
        rest += self._decoder.decode(b"", True)
        if rest:
            yield from io.StringIO(rest, newline="")
