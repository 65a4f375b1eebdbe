from __future__ import annotations

import shutil
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.domain import segments
from carillon.domain.segments import Encoding, cut, cut_encoded, measure

GSM = "".join(sorted(segments.GSM_CHARACTERS))
ESCAPED = "\f^{}\\[~]|€"
# Texts near the borders, rich in pairs; and anything at all, lone surrogates included.
gsm_texts = st.text(alphabet=st.sampled_from("ab é@€[~\n" + ESCAPED), max_size=500)
wide_texts = st.text(alphabet=st.sampled_from("aç€😀é👍"), max_size=250)
any_texts = st.text(alphabet=st.characters(exclude_categories=()), max_size=200)

ORACLE = r"""
use Encode;
for my $code (0 .. 0xFFFF) {
    next if $code >= 0xD800 && $code <= 0xDFFF;
    my $text = chr $code;
    my $bytes = eval { encode("gsm0338", $text, Encode::FB_CROAK) };
    print "$code ", unpack("H*", $bytes), "\n" if defined $bytes && length $bytes;
}
"""


def test_each_character_is_encoded_as_perl_does() -> None:
    perl = shutil.which("perl")
    if perl is None or subprocess.run([perl, "-MEncode::GSM0338", "-e1"], capture_output=True, check=False).returncode:
        pytest.skip("perl with Encode::GSM0338 is not installed")
    answer = subprocess.run([perl, "-e", ORACLE], capture_output=True, check=True, text=True).stdout
    theirs = {chr(int(code)): bytes.fromhex(octets) for code, octets in map(str.split, answer.splitlines())}
    characters = (chr(code) for code in range(0x10000) if not 0xD800 <= code <= 0xDFFF)
    ours = {character: octets for character in characters if (octets := segments.encode_gsm(character)) is not None}
    assert len(theirs) == 137
    assert ours == theirs


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count", "remaining"),
    [
        ("", "GSM7", 0, 1, 160),
        ("a" * 160, "GSM7", 160, 1, 0),
        ("a" * 161, "GSM7", 161, 2, 145),
        ("a" * 306, "GSM7", 306, 2, 0),
        ("a" * 307, "GSM7", 307, 3, 152),
        ("a" * 918, "GSM7", 918, 6, 0),
        ("a" * 919, "GSM7", 919, 7, 152),
        ("a" * 159 + "€", "GSM7", 161, 2, 145),
        ("€" * 80, "GSM7", 160, 1, 0),
        ("@" * 160, "GSM7", 160, 1, 0),
        ("a" * 152 + "€" + "a" * 152, "GSM7", 306, 3, 153),  # a division says 2
        ("ç" + "a" * 69, "UCS2", 70, 1, 0),
        ("ç" + "a" * 70, "UCS2", 71, 2, 63),
        ("ç" * 134, "UCS2", 134, 2, 0),
        ("ç" * 402, "UCS2", 402, 6, 0),
        ("😀" * 35, "UCS2", 70, 1, 0),
        ("😀" * 36, "UCS2", 72, 2, 62),
        ("a" * 66 + "😀" + "a" * 66, "UCS2", 134, 3, 67),  # a division says 2
        ("a" * 66 + "\U0010ffff" + "a" * 66, "UCS2", 134, 3, 67),
        ("a\x1b", "UCS2", 2, 1, 68),  # a bare escape is no character
        ("a\0", "UCS2", 2, 1, 68),
        ("\ud800", "UCS2", 1, 1, 69),
    ],
)
def test_units_and_segments(text: str, encoding: str, units: int, count: int, remaining: int) -> None:
    found = measure(text)
    assert (found.encoding, found.units, found.segments, found.remaining) == (encoding, units, count, remaining)


@given(gsm_texts | wide_texts | any_texts)
def test_the_count_is_what_cutting_gives(text: str) -> None:
    found = measure(text)
    encoding, pieces = cut_encoded(text)
    size = 1 if encoding is Encoding.GSM7 else 2
    assert found.encoding is encoding
    assert found.segments == len(pieces)
    assert found.units == sum(map(len, pieces)) // size
    single, joined = (160, 153) if encoding is Encoding.GSM7 else (70, 67)
    assert all(len(piece) // size <= (single if len(pieces) == 1 else joined) for piece in pieces)
    assert found.capacity == (single if found.segments == 1 else joined * found.segments)


@given(gsm_texts | wide_texts | any_texts)
def test_segments_joined_are_the_text_again(text: str) -> None:
    whole = "".join("?" if 0xD800 <= ord(character) <= 0xDFFF else character for character in text)
    assert "".join(cut(text)) == whole


@given(gsm_texts)
def test_no_escape_pair_is_split(text: str) -> None:
    encoding, pieces = cut_encoded(text)
    assert encoding is Encoding.GSM7
    assert all(not piece.endswith(b"\x1b") for piece in pieces)
    assert all(len(piece) >= 152 for piece in pieces[:-1])  # nothing is wasted but for a pair


@given(wide_texts)
def test_no_surrogate_pair_is_split(text: str) -> None:
    encoding, pieces = cut_encoded(text)
    if encoding is Encoding.UCS2:
        for piece in pieces:
            piece.decode("utf-16-be")  # raises on half a pair
        assert all(len(piece) >= 66 * 2 for piece in pieces[:-1])


@given(st.text(alphabet=GSM, max_size=400))
def test_gsm_octets_decode_to_the_text(text: str) -> None:
    octets = segments.encode_gsm(text)
    assert octets is not None
    assert segments.decode_gsm(octets) == text
    assert segments.is_gsm(text)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x1b\x65", "€"),
        (b"\x1b\x41", "A"),  # unknown escape: the basic character
        (b"A\x1b", "A "),  # nothing after the escape
        (b"\x1b\x1b\x65", " e"),
        (b"A\x80\xe5\xff", "A\ufffd\ufffd\ufffd"),
        (b"", ""),
    ],
    ids=["euro", "unknown escape", "lone escape", "two escapes", "eight bits", "nothing"],
)
def test_what_phones_send_is_read_leniently(octets: bytes, text: str) -> None:
    assert segments.decode_gsm(octets) == text


@given(st.binary(max_size=200))
def test_any_octets_are_readable(octets: bytes) -> None:
    assert "\x1b" not in segments.decode_gsm(octets)


def test_foreign_characters_have_their_place() -> None:
    assert segments.foreign_characters("Ça là, ça 😀 œ") == [(7, "ç"), (10, "😀"), (12, "œ")]
    assert segments.foreign_characters("Voilà 5€ [ok]") == []


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ça, âge, fête, Noël, île, naïf, hôtel, sûr", "ca, age, fete, Noel, ile, naif, hotel, sur"),
        ("À l'École, Ê Î Ô Û Â Ë Ï Ÿ", "A l'École, E I O U A E I Y"),
        ("« L’été » – “c’est…” — ‘oui’", "\" L'été \" - \"c'est...\" - 'oui'"),
        ("œuf ŒUVRE", "oeuf OEUVRE"),
        ("5\u202f€\xa0!", "5 € !"),
        ("cafe\u0301", "café"),  # typed in two characters
        ("à é è ù ì ò Ç É ñ", "à é è ù ì ò Ç É ñ"),  # GSM 7-bit has them
        ("zero\u200bwidth", "zerowidth"),
        ("10² n° ½ © ™", "102 no 1/2 (c) TM"),
        ("Đức Łódź ştefan", "Duc Lódz stefan".replace("ó", "o")),
        ("你好 😀", "你好 😀"),  # no replacement: stays
    ],
)
def test_main_characters_are_replaced(text: str, plain: str) -> None:
    assert segments.to_gsm(text) == plain


@given(any_texts)
def test_replacing_twice_changes_nothing_more(text: str) -> None:
    once = segments.to_gsm(text)
    assert segments.to_gsm(once) == once
    assert all(
        character in segments.GSM_CHARACTERS or character in unicodedata.normalize("NFC", text) for character in once
    )


def test_every_replacement_is_gsm() -> None:
    for character, plain in segments.REPLACEMENTS.items():
        assert not segments.is_gsm(character)
        assert segments.is_gsm(plain)


def test_headers_of_concatenation() -> None:
    assert segments.concatenation_header(reference=0x1AB, total=3, number=2) == bytes.fromhex("050003ab0302")
    wide = segments.concatenation_header(reference=0x1AB, total=3, number=2, is_wide=True)
    assert wide == bytes.fromhex("06080401ab0302")


def test_a_text_can_be_measured_as_if_it_were_ucs2() -> None:
    found = segments.measure_as_ucs2("a" * 71)
    assert (found.encoding, found.segments, found.remaining) == (Encoding.UCS2, 2, 63)
