"""The live line: a bar on a terminal, a line now and then in a log, nothing on stdout."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from carillon.config.cli.list import import_now
from carillon.config.cli.progress import Bar
from tests.builders import make_account


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_the_bar_fill(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    with Bar("Sending", unit="messages") as bar:
        bar.at(5, 10)
        bar.at(10, 10, "paused")

    last = terminal.getvalue().split("\r")[-1]
    assert "Sending" in last and "100%" in last and "10/10 messages" in last and "paused" in last
    assert capsys.readouterr().out == ""


def test_a_log_is_left_alone_when_it_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar("Sending", unit="messages") as bar:
        bar.at(10, 10)

    assert capsys.readouterr().err == ""


@pytest.mark.django_db
def test_an_import_shows_its_rows_on_a_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    file = tmp_path / "clients.csv"
    file.write_text("Nom;SMS\nGirard;0624170064\n")

    item = import_now(make_account(), file)

    assert item.valid_count == 1
    assert "1 rows" in terminal.getvalue()
