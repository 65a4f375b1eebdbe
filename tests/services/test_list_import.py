"""From a stored file to rows: what is kept, what is left after a failure, progress and cancelling."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from carillon.domain.errors import Conflict, InvalidInput, NotFound
from carillon.domain.recipients import reading
from carillon.models import List, Recipient, User
from carillon.services import list_import, lists
from tests.builders import make_user

CLIENTS = Path(__file__).parents[2] / "examples" / "clients.csv"
ZOO = Path(__file__).parents[1] / "files"


@pytest.fixture(autouse=True)
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path)
    return tmp_path


def upload(content: bytes | Path, *, user: User | None = None, **options: Any) -> List:
    owner = user or make_user()
    file = io.BytesIO(content.read_bytes() if isinstance(content, Path) else content)
    return lists.create_upload(
        account=owner.account, user=owner, file=file, file_name=options.pop("file_name", "liste_demo.csv"), **options
    )


def stored_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def rows_of(item: List) -> list[Recipient]:
    return list(Recipient.objects.filter(list_id=item.pk).order_by("id"))


@pytest.mark.django_db
def test_the_sample_list_is_stored_and_judged_line_by_line() -> None:
    item = upload(CLIENTS)
    assert (item.state, item.charset, item.delimiter, item.mobile_column) == ("waiting", "WINDOWS-1252", ";", "SMS")
    done = list_import.import_file(item.pk)
    assert (done.state, done.size, done.valid_count, done.invalid_count, done.duplicate_count) == (
        "ready",
        11,
        10,
        1,
        1,
    )
    rows = rows_of(item)
    assert [row.line for row in rows] == list(range(1, 12))
    assert [row.verdict for row in rows] == [1] * 9 + [2, 4]
    assert rows[0].fields == [
        "Mme",
        "Jacqueline",
        "Girard",
        "7 rue de la République",
        "75017",
        "Paris",
        "17 €",
        "624170064",
    ]
    assert (rows[3].msisdn, rows[3].country) == (33624170068, "FR")
    assert (rows[9].msisdn, rows[10].msisdn) == (None, 33624170068)
    assert [row.pk[1] for row in rows] == sorted(row.pk[1] for row in rows)


@pytest.mark.django_db
def test_the_api_answer_has_exactly_the_keys_of_the_guide() -> None:
    owner = make_user()
    item = upload(CLIENTS, user=owner)
    list_import.import_file(item.pk)
    answer = lists.analysis_json(lists.get(owner, item.pk))
    assert set(answer) == {
        "campainId", "charsetDetected", "computedHeaderSize", "countDuplicateEmail", "countDuplicateMobile",
        "creationDate", "customerID", "description", "emptyKeys", "filePath", "globalInvalidLine", "header", "id",
        "invalidCountryCounter", "invalidLineList", "invalidNumberEMAIL", "invalidNumberMOBILE", "lineDuplicateEmail",
        "lineDuplicateMobile", "listName", "maxDatasMap", "maxSizeDataLine", "size", "type", "userOwnerID",
        "validCountryCounter", "validNumberEMAIL", "validNumberMOBILE",
    }  # fmt: skip
    assert (answer["listName"], answer["description"], answer["type"]) == ("liste_demo", "liste_demo", "CSV")
    assert answer["creationDate"].endswith("Z[UTC]")
    assert (answer["customerID"], answer["userOwnerID"]) == (owner.account.public_id, owner.public_id)
    assert item.file_path not in str(answer)
    assert (answer["maxSizeDataLine"], answer["validCountryCounter"]) == (66, {"FR": 10})


@pytest.mark.django_db
def test_every_character_comes_back_as_it_was() -> None:
    cells = ['a"b', "back\\slash", "tab\tin", "two\nlines", "{1,2}", "NULL", "\\N", "", "é😀", "\x1f\x1e", "'; --"]
    header = [f"c{i}" for i in range(len(cells))]
    text = io.StringIO(newline="")
    import csv

    csv.writer(text, delimiter=";").writerows([[*header, "SMS"], [*cells, "0612345678"]])
    item = upload(text.getvalue().encode())
    list_import.import_file(item.pk)
    assert rows_of(item)[0].fields == [*(cell if cell != "\x1f\x1e" else "  " for cell in cells), "0612345678"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["empty.csv", "picture.csv", "truncated.xlsx", "not_a_workbook.xls", "too_wide.csv"])
def test_a_file_that_is_no_list_leaves_nothing_behind(name: str, media: Path) -> None:
    with pytest.raises(InvalidInput):
        upload(ZOO / name)
    assert not List.objects.exists()
    assert not stored_files(media)


@pytest.mark.django_db
def test_a_file_larger_than_allowed_is_refused_while_it_comes(monkeypatch: pytest.MonkeyPatch, media: Path) -> None:
    monkeypatch.setattr(lists, "MAX_FILE_BYTES", 1000)
    owner = make_user()
    chunks = iter([b"SMS\n", *[b"0612345678\n" * 10] * 50])
    with pytest.raises(InvalidInput) as refused:
        lists.create_upload(account=owner.account, user=owner, file=chunks, file_name="big.csv")
    assert refused.value.code == "too_large"
    assert len(list(chunks)) > 35  # the rest was not even read
    assert not stored_files(media)


@pytest.mark.django_db
def test_a_list_without_a_mobile_column_waits_for_the_persons_choice() -> None:
    item = upload(b"Nom;Bureau\nA;0612345678\nB;0142345678\nC;0142345679\n")
    assert item.mobile_column == ""
    assert lists.look(item).preview[0] == ["A", "0612345678"]
    with pytest.raises(InvalidInput) as refused:
        lists.start_import(item)
    assert refused.value.code == "no_mobile_column"
    started = lists.start_import(item, mobile_column="Bureau")
    assert (started.state, started.mobile_column) == ("waiting", "Bureau")
    assert list_import.import_file(item.pk).invalid_count == 2


@pytest.mark.django_db
def test_the_person_says_there_is_no_header() -> None:
    item = upload(b"Alpha;Beta\nA;0612345678\n")
    started = lists.start_import(item, has_header=False)
    assert started.header == ["COLONNE1", "MOBILE"]
    done = list_import.import_file(item.pk)
    assert (done.size, done.invalid_count, done.header) == (2, 1, ["COLONNE1", "MOBILE"])


@pytest.mark.django_db
def test_the_import_is_asked_for_once() -> None:
    item = upload(CLIENTS)
    lists.start_import(item)
    lists.start_import(item)
    with connection.cursor() as cursor:
        cursor.execute("SELECT args->>'list_id', lock FROM procrastinate_jobs WHERE task_name = 'lists.import'")
        assert cursor.fetchall() == [(str(item.pk), f"list-{item.pk}")]
    list_import.import_file(item.pk)
    for again in (lists.start_import, lambda ready: list_import.import_file(ready.pk)):
        with pytest.raises(Conflict):
            again(item)
    assert len(rows_of(item)) == 11


@pytest.mark.django_db
def test_a_file_that_breaks_in_the_middle_leaves_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH_ROWS", 100)
    good = "".join(f'06123{line:05d};"x"\n' for line in range(5000))
    item = upload(f'SMS;Nom\n{good}0612345678;"never closed\n'.encode())
    with pytest.raises(InvalidInput, match="never closed"):
        list_import.import_file(item.pk)
    item.refresh_from_db()
    assert item.state == "failed"
    assert "never closed" in item.error
    assert item.analysis["_error"] == {"code": "open_quote", "line": 5002}
    assert not rows_of(item)


@pytest.mark.django_db
def test_an_unexpected_failure_leaves_no_row_and_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    item = upload(CLIENTS)
    with monkeypatch.context() as broken:
        broken.setattr(list_import, "copy_text", lambda *_: "not a row\n")
        with pytest.raises(Exception, match="COPY"):
            list_import.import_file(item.pk)
    item.refresh_from_db()
    assert (item.state, item.analysis["_error"]["code"]) == ("failed", "interrupted")
    assert not rows_of(item)
    lists.start_import(item)
    assert list_import.import_file(item.pk).state == "ready"
    assert len(rows_of(item)) == 11


@pytest.mark.django_db
def test_cancelling_in_the_middle_leaves_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_import, "BATCHES_A_COPY", 1)
    item = upload(b"SMS\n" + b"".join(b"06123%05d\n" % line for line in range(10_000)))
    calls = iter([False, False, True])
    done = list_import.import_file(item.pk, should_cancel=lambda: next(calls))
    assert done.state == "cancelled"
    assert not rows_of(item)


@pytest.mark.django_db
def test_a_waiting_import_is_cancelled_at_once() -> None:
    item = upload(CLIENTS)
    lists.cancel_import(item)
    assert list_import.import_file(item.pk).state == "cancelled"
    assert not rows_of(item)


@pytest.mark.django_db
def test_a_list_that_is_not_there_is_not_imported() -> None:
    with pytest.raises(NotFound):
        list_import.import_file(4_000_000)
    item = upload(CLIENTS)
    lists.delete(item)
    with pytest.raises(NotFound):
        list_import.import_file(item.pk)


def test_others_see_the_progress_and_their_wish_to_cancel_is_heard(
    committed_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import holds its transaction open; another connection reads done_rows, then asks it to stop."""
    monkeypatch.setattr(list_import, "BATCHES_A_COPY", 1)
    item = upload(b"SMS\n" + b"".join(b"06123%05d\n" % line for line in range(20_000)))
    seen: list[int] = []

    def ask() -> None:
        seen.append(List.objects.get(pk=item.pk).done_rows)
        seen.append(Recipient.objects.filter(list_id=item.pk).count())
        lists.cancel_import(item)
        connection.close()

    def progress(done: int, total: int, rows: int) -> None:
        assert 0 < done <= total
        if not seen:
            other = threading.Thread(target=ask)
            other.start()
            other.join(60)

    assert list_import.import_file(item.pk, progress=progress).state == "cancelled"
    assert seen[0] > 0
    assert seen[1] == 0
    assert not Recipient.objects.filter(list_id=item.pk).exists()


def test_the_job_imports_the_list(committed_db: str) -> None:
    from carillon.jobs import lists as jobs

    item = upload(CLIENTS)
    jobs.import_file(item.pk)
    jobs.import_file(item.pk)  # a job may come twice
    item.refresh_from_db()
    assert (item.state, Recipient.objects.filter(list_id=item.pk).count()) == ("ready", 11)


@pytest.mark.django_db
def test_a_list_renamed_meanwhile_keeps_its_new_name(monkeypatch: pytest.MonkeyPatch) -> None:
    item = upload(CLIENTS)
    renamed = List.objects.get(pk=item.pk)
    list_import.import_file(item.pk, should_cancel=lambda: lists.rename(renamed, name="Nouveau") is None)
    item.refresh_from_db()
    assert (item.name, item.state) == ("Nouveau", "ready")


@pytest.mark.django_db
def test_a_list_deleted_meanwhile_leaves_no_row() -> None:
    item = upload(CLIENTS)
    stale = List.objects.get(pk=item.pk)
    done = list_import.import_file(item.pk, should_cancel=lambda: lists.delete(stale) is not None)
    assert done.state == "cancelled"
    assert not rows_of(item)


KILLED = """
import django, os, sys
django.setup()
from django.conf import settings
from carillon.services import list_import
settings.MEDIA_ROOT = sys.argv[2]
list_import.BATCHES_A_COPY = 1
def progress(done, total, rows):
    print(rows, flush=True)
    sys.stdin.readline()
list_import.import_file(int(sys.argv[1]), progress=progress)
"""


def test_a_killed_import_leaves_nothing_behind_and_can_be_taken_up_again(committed_db: str, media: Path) -> None:
    item = upload(b"SMS\n" + b"".join(b"06123%05d\n" % line for line in range(10_000)))
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(item.pk), str(media)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert int(child.stdout.readline()) > 0  # it is in the middle of its transaction, and waits for a word of ours
    child.kill()
    child.communicate(timeout=60)
    item.refresh_from_db()
    assert (item.state, Recipient.objects.filter(list_id=item.pk).count()) == ("importing", 0)
    assert list_import.import_file(item.pk).state == "ready"
    assert Recipient.objects.filter(list_id=item.pk).count() == 10_000
