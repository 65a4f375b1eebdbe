"""The log of opt-outs proves itself, in the database and as a file far from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from carillon.config.cli import main
from carillon.models import Account, ConsentEntry
from carillon.services import optouts
from tests.builders import make_account

pytestmark = pytest.mark.usefixtures("committed_db")


def logged() -> Account:
    account = make_account(name="Meuniers")
    for number in (33612345678, 33612345679, 33612345670):
        optouts.add(account, number, source="web", description="à la demande de la personne")
    optouts.remove(account, 33612345679, consent="Accord écrit du 1er décembre")
    return account


def test_an_export_verifies_until_a_word_of_it_is_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logged()
    assert main(["optout", "export", "Meuniers"]) == 0
    lines = capsys.readouterr().out.splitlines()
    file = tmp_path / "log.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    assert main(["optout", "verify", str(file)]) == 0
    assert capsys.readouterr().out == f"4 {json.loads(lines[-1])['hash']}\n"
    file.write_text("\n".join(lines).replace("écrit", "oral"), encoding="utf-8")
    assert main(["optout", "verify", str(file)]) == 9
    file.write_text("\n".join([lines[0], lines[2]]), encoding="utf-8")
    assert main(["optout", "verify", str(file)]) == 9
    assert "out of order" in capsys.readouterr().err


def test_an_entry_changed_in_the_database_is_found() -> None:
    account = logged()
    assert main(["optout", "verify", "--account", "Meuniers"]) == 0
    second = ConsentEntry.objects.get(account_id=account.pk, sequence=2)
    ConsentEntry.objects.filter(pk=second.pk).update(body=second.body | {"msisdn": 33600000000})
    assert main(["optout", "verify", "--account", "Meuniers"]) == 9


def test_what_is_no_export_is_said(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("hello\n", encoding="utf-8")
    assert main(["optout", "verify", str(tmp_path / "other.txt")]) == 2
    assert main(["optout", "verify", str(tmp_path / "nothing")]) == 2
    assert main(["optout", "verify", "--account", "Nobody"]) == 3
