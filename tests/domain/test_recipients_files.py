"""The zoo: every file of tests/files is read and compared with the JSON beside it.

Keys: charset, delimiter, header, mobile (name), verdicts; optionally has_header, kind, numbers, size, broken, invalid_lines,
empty, longest, widest, countries, emails [valid, invalid, duplicate]; or error (the code) and says (a part of the sentence).
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlrd
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from carillon.domain.errors import InvalidInput
from carillon.domain.recipients import Analysis, Judge, Layout, Reader, inspect, is_mobile_name, sheets, source
from carillon.domain.recipients.source import CHUNK_BYTES

ZOO = Path(__file__).parents[1] / "files"
EXPECTED = sorted(ZOO.glob("*.json"))


def read(file: Path | io.BytesIO, **options: Any) -> tuple[Layout, Analysis, list[int | None], list[int]]:
    layout = inspect(file, **options)
    judge, analysis = Judge(layout), Analysis(layout)
    numbers: list[int | None] = []
    verdicts: list[int] = []
    with Reader(file, layout) as reader:
        for rows in reader:
            judged = judge.judge(rows)
            analysis.add(judged)
            numbers += [parsed.msisdn for parsed in judged.numbers]
            verdicts += judged.verdicts
    return layout, analysis, numbers, verdicts


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.name.removesuffix(".json"))
def test_file(path: Path) -> None:
    expected = json.loads(path.read_text(encoding="utf-8"))
    file = path.with_suffix("")
    if "error" in expected:
        with pytest.raises(InvalidInput) as refused:
            read(file)
        assert refused.value.code == expected["error"]
        assert expected["says"] in refused.value.message
        return
    layout, analysis, numbers, verdicts = read(file)
    counted, more = analysis.to_json(), analysis.more_json()
    found = {
        "kind": layout.kind,
        "charset": layout.charset,
        "delimiter": layout.delimiter,
        "has_header": layout.has_header,
        "header": layout.header,
        "mobile": layout.mobile_name,
        "verdicts": verdicts,
        "numbers": numbers,
        "size": analysis.size,
        "broken": analysis.broken,
        "invalid_lines": counted["invalidLineList"],
        "empty": counted["emptyKeys"],
        "countries": counted["validCountryCounter"],
        "emails": [counted["validNumberEMAIL"], counted["invalidNumberEMAIL"], counted["countDuplicateEmail"]],
        "longest": counted["maxDatasMap"],
        "widest": more["widest"],
    }
    wanted = {"kind": "csv", "has_header": True} | expected
    for key in ("longest", "widest"):
        if key in wanted:
            found[key] = {name: found[key][name] for name in wanted[key]}
    assert {key: found[key] for key in wanted} == wanted
    assert counted["size"] == len(verdicts) == counted["validNumberMOBILE"] + counted["invalidNumberMOBILE"]
    assert len(layout.preview) == min(10, len(verdicts))


def test_every_file_has_its_expected_result() -> None:
    files = {path.name for path in ZOO.iterdir() if path.suffix != ".json"}
    assert files == {path.name.removesuffix(".json") for path in EXPECTED}
    assert len(files) > 40


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_are_cut_right_at_the_edges_of_chunks(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of 5 to 70 bytes: an accent of two bytes and the CR LF pair fall on every side of an edge."""
    data = f"Né;SMS{ending}" + f"é;0612345678{ending}" * 20
    for size in range(5, 70):
        monkeypatch.setattr(source, "CHUNK_BYTES", size)
        layout, analysis, _numbers, verdicts = read(io.BytesIO(data.encode()))
        assert (layout.charset, analysis.size, verdicts.count(4), verdicts.count(2)) == ("UTF-8", 20, 19, 0), size


def test_the_two_halves_of_a_line_end_stay_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "CHUNK_BYTES", 2)
    assert list(source.Lines(io.BytesIO(b"a\r\nb\rc\n\r\nd"), "UTF-8")) == ["a\r\n", "b\r", "c\n", "\r\n", "d"]


def test_an_accent_on_the_last_line_still_decides_the_charset() -> None:
    data = b"Nom;SMS\n" + b"A;0612345678\n" * 60_000 + "Zoé;0698765432\n".encode("cp1252")
    layout, analysis, numbers, _verdicts = read(io.BytesIO(data))
    assert (layout.charset, analysis.size, numbers[-1]) == ("WINDOWS-1252", 60_001, 33698765432)


class Endless(io.RawIOBase):
    """Two gigabytes without a line end, that exist nowhere."""

    def __init__(self) -> None:
        self.left = 2 * 1024**3
        self.asked = 0

    def read(self, size: int = -1) -> bytes:
        given = min(size, self.left)
        self.left -= given
        self.asked += given
        return b"0" * given

    def seek(self, offset: int, whence: int = 0) -> int:
        self.left = 2 * 1024**3
        return 0


def test_a_line_of_two_gigabytes_is_refused_after_a_few_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    from carillon.domain.recipients import reading

    monkeypatch.setattr(reading, "detect_charset", lambda _stream: "UTF-8")  # it alone reads a file to its end
    endless = Endless()
    with pytest.raises(InvalidInput, match="line is longer"):
        inspect(endless)  # type: ignore[arg-type]
    assert endless.asked < 10 * CHUNK_BYTES


def test_a_bomb_is_refused_by_its_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as strings:
            for _ in range(260):
                strings.write(bytes(1024**2))
    with pytest.raises(InvalidInput, match="unpack to 260 MB"):
        inspect(packed)
    monkeypatch.setattr(sheets, "MAX_RATIO", 10**9)  # however well it is packed: openpyxl would keep it in memory
    with pytest.raises(InvalidInput, match="unpack to 260 MB"):
        inspect(packed)


def test_what_a_person_chose_is_not_guessed() -> None:
    data = io.BytesIO(b"0612345678;0698765432\n0745112233;0611111111\n")
    layout, _analysis, numbers, _verdicts = read(data, mobile_column="COLONNE2")
    assert (layout.mobile_name, numbers) == ("COLONNE2", [33698765432, 33611111111])
    layout, _analysis, numbers, _verdicts = read(data, has_header=True, mobile_column="0698765432")
    assert numbers == [33611111111]
    named = io.BytesIO(b"Mobile;Autre\n0612345678;0698765432\n")
    assert inspect(named, mobile_column="AUTRE").mobile_column == 1
    with pytest.raises(InvalidInput) as refused:
        inspect(data, mobile_column="Portable")
    assert refused.value.code == "no_such_column"
    assert inspect(io.BytesIO(b"Nom;Ville\nA;Paris\n"), needs_mobile=False).mobile_column == -1


def test_a_sample_ending_inside_quotes_is_no_open_quote() -> None:
    rows = "".join(f'06123{line:05d};"deux\nlignes"\n' for line in range(300))
    _layout, analysis, _numbers, _verdicts = read(io.BytesIO(b"SMS;Texte\n" + rows.encode()))
    assert analysis.size == 300


@pytest.mark.parametrize("rows_before", [0, 5000])
def test_a_quote_open_over_a_large_file_is_found(rows_before: int) -> None:
    data = b"SMS;Nom\n" + b"0612345678;A\n" * rows_before + b'0612345678;"A\n' + b"0612345678;B\n" * 12_000
    with pytest.raises(InvalidInput) as refused:
        read(io.BytesIO(data))
    assert refused.value.code == "open_quote"


def test_a_cell_that_is_too_long_is_refused_from_the_first_look() -> None:
    with pytest.raises(InvalidInput, match="longer than 131,072"):
        inspect(io.BytesIO(b'SMS;Nom\n0612345678;"' + b"x" * 200_000 + b'"\n'))


def test_binary_zeros_far_behind_the_accents_are_found() -> None:
    data = b"Nom;SMS\n" + "Zoé;0612345678\n".encode("cp1252") * 290_000 + b"\x00"
    with pytest.raises(InvalidInput, match="binary"):
        inspect(io.BytesIO(data))


def test_batches_of_blank_lines_do_not_count() -> None:
    data = io.BytesIO(b"SMS\n0612345678\n" + b"\n" * 50 + b"0698765432\n")
    with Reader(data, inspect(data), batch_rows=10) as reader:
        assert [list(rows.lines) for rows in reader] == [[1], [2]]


@pytest.mark.parametrize("content", [b"SMS\n", b"\n\n"])
def test_a_file_emptied_since_it_was_looked_at(content: bytes) -> None:
    layout = inspect(io.BytesIO(b"SMS\n0612345678\n"))
    with Reader(io.BytesIO(content), layout) as reader, pytest.raises(InvalidInput, match="no recipient"):
        list(reader)


def test_a_workbook_without_any_cell_is_empty() -> None:
    content = io.BytesIO()
    Workbook().save(content)
    with pytest.raises(InvalidInput) as refused:
        inspect(content)
    assert refused.value.code == "empty_file"


def test_old_workbooks_that_cannot_be_read_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    old = ZOO / "old_excel.xls"

    def encrypted(**_: object) -> None:
        raise xlrd.XLRDError("Workbook is encrypted")

    with monkeypatch.context() as patched:
        patched.setattr(xlrd, "open_workbook", encrypted)
        with pytest.raises(InvalidInput, match="password"):
            inspect(old)
    monkeypatch.setattr(sheets, "MAX_OLD_BYTES", 1000)
    with pytest.raises(InvalidInput, match="larger than"):
        inspect(old)


def test_the_four_names_of_the_mobile_column() -> None:
    assert all(is_mobile_name(name) for name in ("PORTABLE", "mobile", " Sms ", "GSM"))
    assert not is_mobile_name("Téléphone")


@given(st.binary(max_size=300), st.sampled_from([b"", b"SMS;Nom\n0612345678;A\n", b"\xff\xfe", b"PK\x03\x04", b'"']))
def test_any_bytes_are_a_list_or_a_clear_refusal(tail: bytes, head: bytes) -> None:
    try:
        _layout, analysis, _numbers, verdicts = read(io.BytesIO(head + tail))
    except InvalidInput as refused:
        assert refused.message
        assert refused.code != "invalid_input"
    else:
        assert analysis.size == len(verdicts) > 0


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), max_size=12)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), st.sampled_from(";,\t"))
def test_what_a_spreadsheet_writes_is_read_back(rows: list[tuple[str, str]], delimiter: str) -> None:
    wanted = [["0612345678", first, second] for first, second in rows]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([["SMS", "Première", "Deuxième"], *wanted])
    data = io.BytesIO(text.getvalue().encode("utf-8"))
    layout = inspect(data, delimiter=delimiter)
    with Reader(data, layout) as reader:
        assert [row for rows in reader for row in rows.rows] == wanted


def test_national_numbers_of_another_country() -> None:
    layout = inspect(io.BytesIO(b"GSM\n0470123456\n"), default_country="BE")
    judge = Judge(layout, default_country="BE")
    with Reader(io.BytesIO(b"GSM\n0470123456\n"), layout) as reader:
        assert [judge.judge(rows).numbers[0].msisdn for rows in reader] == [32470123456]


def test_the_value_kept_for_the_worst_encoding_is_one_no_replacement_saves() -> None:
    lines = "GSM;Prénom\n0612345678;Zoé 😀\n0612345679;François-Xavier-Jean-Baptiste\n0612345670;Ève 😀 !\n"
    _, analysis, _, _ = read(io.BytesIO(lines.encode()))
    assert analysis.more_json()["widest"] == {"Prénom": "Ève 😀 !"}
