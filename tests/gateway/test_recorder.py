"""The flight recorder: what a dead run wrote, known to its successor; and nothing believed that cannot be."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from carillon.gateway import recorder
from carillon.gateway.recorder import Recorder


def crash(record: Recorder) -> None:
    record.close(is_clean=False)


def test_the_successor_reads_what_was_written(tmp_path: Path) -> None:
    record = Recorder(tmp_path, 7)
    record.note([1, 2, 3], {1, 2, 3})
    record.note([10], {10})
    assert recorder.written_by(tmp_path, 7) is None  # alive: its lock is held
    assert not recorder.is_gone(tmp_path, 7)
    crash(record)
    assert recorder.is_gone(tmp_path, 7)
    assert recorder.written_by(tmp_path, 7) == {1, 2, 3, 10}
    recorder.forget(tmp_path, 7)
    assert recorder.written_by(tmp_path, 7) is None


def test_a_clean_end_leaves_nothing(tmp_path: Path) -> None:
    Recorder(tmp_path, 7).close(is_clean=True)
    assert list(tmp_path.iterdir()) == []


def test_an_unanswered_id_survives_any_number_of_rounds(tmp_path: Path) -> None:
    record = Recorder(tmp_path, 7, ring=16)
    unanswered = {3, 5}
    record.note([1, 2, 3, 4, 5], unanswered)
    for start in range(100, 400, 7):
        record.note(list(range(start, start + 7)), unanswered)
    crash(record)
    found = recorder.written_by(tmp_path, 7)
    assert found is not None
    assert unanswered <= found
    assert len(found) <= 16


def test_a_full_ring_round_in_one_note(tmp_path: Path) -> None:
    record = Recorder(tmp_path, 7, ring=16)
    record.note(list(range(1, 41)), set())
    crash(record)
    assert recorder.written_by(tmp_path, 7) == set(range(25, 41))


@pytest.mark.parametrize("damage", ["other boot", "cut short", "other run", "empty"])
def test_a_file_that_cannot_be_believed_says_nothing(
    tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Recorder(tmp_path, 7)
    record.note([1], {1})
    crash(record)
    path = record.path
    if damage == "other boot":
        monkeypatch.setattr(recorder, "boot_id", lambda: b"another")
    elif damage == "cut short":
        path.write_bytes(path.read_bytes()[:1000])
    elif damage == "empty":
        path.write_bytes(b"")
    run_id = 7
    if damage == "other run":
        run_id = 8
        path.rename(path.with_name("run-8.flight"))
    assert recorder.written_by(tmp_path, run_id) is None


def test_a_run_of_another_machine_is_not_known_to_be_gone(tmp_path: Path) -> None:
    assert not recorder.is_gone(tmp_path, 1)
    assert recorder.written_by(tmp_path, 1) is None


def test_the_lock_is_what_tells_the_living_from_the_dead(tmp_path: Path) -> None:
    record = Recorder(tmp_path, 7)
    with record.path.open("r+b") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    record.close(is_clean=True)


def test_a_second_platform_in_one_home_does_not_touch_the_file_of_the_first(tmp_path: Path) -> None:
    record = Recorder(tmp_path, 7)
    record.note([1, 2], {1, 2})
    with pytest.raises(OSError, match="held by another process"):
        Recorder(tmp_path, 7)
    record.note([3], {1, 2, 3})  # still mapped, still its own
    crash(record)
    assert recorder.written_by(tmp_path, 7) == {1, 2, 3}
