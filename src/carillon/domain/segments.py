"""How a text travels: GSM 7-bit (03.38 with its extension table) or UCS-2, in one segment or several.

Units are septets for GSM 7-bit (an extension character such as € takes two) and UTF-16 code units for UCS-2 (an emoji
takes two). One segment holds 160 or 70 units; with the concatenation header (GSM 03.40) each holds 153 or 67. Segments
are counted by cutting: neither an escape pair nor a surrogate pair is ever split, so a text may need one more than a
division says.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from enum import StrEnum
from typing import NamedTuple


class Encoding(StrEnum):
    GSM7 = "GSM7"
    UCS2 = "UCS2"


class Measure(NamedTuple):
    """`capacity` is what `segments` segments can hold; `remaining` what still fits, if no pair falls on a border."""

    encoding: Encoding
    units: int
    segments: int
    capacity: int

    @property
    def remaining(self) -> int:
        return self.capacity - self.units


GSM_SINGLE, GSM_JOINED = 160, 153
UCS2_SINGLE, UCS2_JOINED = 70, 67
MAX_SEGMENTS = 6  # 918 and 402 units: what an account may be given at most

# Position is the code; 0x1B is the escape to the extension table.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
GSM_CHARACTERS = frozenset(BASIC.replace("\x1b", "")) | frozenset(EXTENSION.values())

# One C pass tells GSM 7-bit or not: each character becomes one byte, extension characters 0x80 + their code. The fast
# form of charmap_build wants NUL at 0, so '@' sits at 0x80, which no extension character uses; a NUL in the text is
# looked for after.
_ESCAPE, _AT = 0x1B, 0x80
_HOLE = "\ufffe"  # charmap's "undefined"
_SLOTS = ["\0", *BASIC[1:], *(_HOLE * 128)]
_SLOTS[_ESCAPE] = _HOLE
_SLOTS[_AT] = "@"
for _code, _character in EXTENSION.items():
    _SLOTS[0x80 | _code] = _character
_TO_BYTES = codecs.charmap_build("".join(_SLOTS))
_to_bytes = codecs.charmap_encode
_TO_TEXT = BASIC.replace("\x1b", " ") + "".join(EXTENSION.get(code, "\ufffd") for code in range(128))
_EXTENDED_BYTES = bytes(0x80 | code for code in EXTENSION)
_EXTENDED = re.compile(b"[" + re.escape(_EXTENDED_BYTES) + b"]")
_AT_TO_ZERO = bytes(0 if byte == _AT else byte for byte in range(256))
_NO_HIGH = bytes(byte if byte < 0x80 else 0xFF for byte in range(256))
_PAIR = re.compile(b"\x1b(.)", re.DOTALL)
_FOREIGN = re.compile("[^" + re.escape("".join(sorted(GSM_CHARACTERS))) + "]")

_GSM_MEASURES = [Measure(Encoding.GSM7, units, 1, GSM_SINGLE) for units in range(GSM_SINGLE + 1)]
_GSM_MEASURES += [
    Measure(Encoding.GSM7, units, -(-units // GSM_JOINED), -(-units // GSM_JOINED) * GSM_JOINED)
    for units in range(GSM_SINGLE + 1, GSM_JOINED * MAX_SEGMENTS + 1)
]
_LONGEST_KNOWN = len(_GSM_MEASURES)


def measure(text: str) -> Measure:
    try:
        raw = _to_bytes(text, "strict", _TO_BYTES)[0]
    except UnicodeEncodeError:
        return _measure_ucs2(text)
    if 0 in raw:
        return _measure_ucs2(text)
    units = len(raw)
    if raw.isascii():
        if units < _LONGEST_KNOWN:
            return _GSM_MEASURES[units]
    else:
        units = 2 * units - len(raw.translate(None, _EXTENDED_BYTES))
        if units <= GSM_SINGLE:
            return _GSM_MEASURES[units]
    segments = len(_cut_septets(_expand(raw)))
    return Measure(Encoding.GSM7, units, segments, segments * GSM_JOINED)


def measure_as_ucs2(text: str) -> Measure:
    """The measure this text would have beside a character that forces UCS-2."""
    return _measure_ucs2(text)


def cut(text: str) -> list[str]:
    """The text of each segment, in order; joined they are the text again (a lone surrogate apart: it becomes '?')."""
    encoding, segments = cut_encoded(text)
    return [decode(segment, encoding) for segment in segments]


def cut_encoded(text: str) -> tuple[Encoding, list[bytes]]:
    """The bytes of each segment for the carrier, without header: one octet per septet, or UTF-16 big-endian."""
    septets = encode_gsm(text)
    if septets is None:
        return Encoding.UCS2, _cut_utf16(text.encode("utf-16-be", "replace"))
    return Encoding.GSM7, [septets] if len(septets) <= GSM_SINGLE else _cut_septets(septets)


def encode_gsm(text: str) -> bytes | None:
    """One octet per septet, escapes included; None when a character is not GSM 7-bit."""
    try:
        raw = _to_bytes(text, "strict", _TO_BYTES)[0]
    except UnicodeEncodeError:
        return None
    if 0 in raw:
        return None
    return raw if raw.isascii() else _expand(raw)


def decode_gsm(septets: bytes) -> str:
    """Text of unpacked septets. An unknown escape shows the basic character (GSM 03.38); octets over 127 are U+FFFD."""
    if not septets.isascii():
        septets = septets.translate(_NO_HIGH)
    if _ESCAPE in septets:
        septets = _PAIR.sub(_join_pair, septets)
    return codecs.charmap_decode(septets, "replace", _TO_TEXT)[0]


def decode(segment: bytes, encoding: Encoding) -> str:
    return decode_gsm(segment) if encoding is Encoding.GSM7 else segment.decode("utf-16-be", "replace")


def is_gsm(text: str) -> bool:
    return encode_gsm(text) is not None


def foreign_characters(text: str) -> list[tuple[int, str]]:
    """(position in code points, character) of each character that forces UCS-2."""
    return [(found.start(), found.group()) for found in _FOREIGN.finditer(text)]


def to_gsm(text: str) -> str:
    """The text with the main characters replaced by their nearest in GSM 7-bit; what has no replacement stays."""
    if is_gsm(text):
        return text
    return _FOREIGN.sub(_replace, unicodedata.normalize("NFC", text))


def concatenation_header(*, reference: int, total: int, number: int, is_wide: bool = False) -> bytes:
    """User data header of segment `number` (from 1) of `total`; `reference` has 8 bits, 16 when wide."""
    if is_wide:
        return bytes((6, 0x08, 4, reference >> 8 & 0xFF, reference & 0xFF, total, number))
    return bytes((5, 0x00, 3, reference & 0xFF, total, number))


def _replace(found: re.Match[str]) -> str:
    character = found.group()
    return REPLACEMENTS.get(character, character)


def _measure_ucs2(text: str) -> Measure:
    raw = text.encode("utf-16-be", "replace")
    units = len(raw) // 2
    if units <= UCS2_SINGLE:
        return Measure(Encoding.UCS2, units, 1, UCS2_SINGLE)
    segments = len(_cut_utf16(raw))
    return Measure(Encoding.UCS2, units, segments, segments * UCS2_JOINED)


def _expand(raw: bytes) -> bytes:
    septets = _EXTENDED.sub(lambda found: bytes((_ESCAPE, found.group()[0] & 0x7F)), raw)
    return septets.translate(_AT_TO_ZERO)


def _cut_septets(septets: bytes) -> list[bytes]:
    segments, start = [], 0
    while start < len(septets):
        end = start + GSM_JOINED
        if end < len(septets) and septets[end - 1] == _ESCAPE:
            end -= 1
        segments.append(septets[start:end])
        start = end
    return segments


def _cut_utf16(raw: bytes) -> list[bytes]:
    if len(raw) <= UCS2_SINGLE * 2:
        return [raw]
    segments, start = [], 0
    while start < len(raw):
        end = start + UCS2_JOINED * 2
        if end < len(raw) and 0xD8 <= raw[end - 2] <= 0xDB:  # a high surrogate: its low half comes next
            end -= 2
        segments.append(raw[start:end])
        start = end
    return segments


def _join_pair(found: re.Match[bytes]) -> bytes:
    code = found.group(1)[0]
    return bytes((0x80 | code if code in EXTENSION else code,))


def _replacements() -> dict[str, str]:
    """Latin letters lose the accent GSM 7-bit does not have; punctuation of word processors becomes plain."""
    table = {}
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFD", chr(code))[0]
        if chr(code) not in GSM_CHARACTERS and base.isascii():
            table[chr(code)] = base
    plain = {
        "'": "‘’‚‛′`´ʼ", '"': "“”„‟″«»", "-": "‐‑‒–—―−•", "...": "…", "oe": "œ", "OE": "Œ", "o": "°º", "a": "ª",
        "l": "ł", "L": "Ł", "d": "đ", "D": "Đ", "i": "ı", "h": "ħ", "<": "‹", ">": "›", "x": "×", "(c)": "©", "(R)": "®",
        "TM": "™", "1": "¹", "2": "²", "3": "³", "1/4": "¼", "1/2": "½", "3/4": "¾", ".": "·", "SS": "ẞ",
        " ": "\t\v\xa0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
        "\n": "\x85\u2028\u2029", "": "\xad\u200b\u2060\ufeff",
    }  # fmt: skip
    for replacement, characters in plain.items():
        table |= dict.fromkeys(characters, replacement)
    return table


REPLACEMENTS = _replacements()
