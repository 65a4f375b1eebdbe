"""The command's frame: errors are one sentence and an exit code, data is JSON or a table."""

from __future__ import annotations

import io
import json
import sys

import pytest

from carillon.config.cli import main
from carillon.models import Account, User

pytestmark = pytest.mark.usefixtures("committed_db")


def test_an_account_is_created_with_its_credits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["account", "create", "Meuniers", "--credits", "12.5", "--countries", "fr,be", "--json"]) == 0

    assert json.loads(capsys.readouterr().out)["credits"] == "12.5"
    account = Account.objects.get()
    assert (account.balance, account.countries) == (1250, ["FR", "BE"])


def test_a_taken_name_is_one_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    main(["account", "create", "Meuniers"])

    assert main(["account", "create", "MEUNIERS"]) == 2

    error = capsys.readouterr().err
    assert "already an account" in error
    assert error.count("\n") == 1


def test_an_unknown_account_is_exit_code_3() -> None:
    assert main(["account", "grant", "Nobody", "5"]) == 3


def test_a_grant_adds_and_takes_no_more_than_there_is() -> None:
    main(["account", "create", "Meuniers", "--credits", "10"])

    assert main(["account", "grant", "Meuniers", "5"]) == 0
    assert main(["account", "grant", "Meuniers", "-20"]) == 2

    assert Account.objects.get().balance == 1500


def test_a_user_gets_the_password_of_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    main(["account", "create", "Meuniers"])
    monkeypatch.setattr(sys, "stdin", io.StringIO("Farine-blanche-9\n"))

    assert (
        main(["user", "create", "alice@example.test", "--account", "meuniers", "--role", "admin", "--password-stdin"])
        == 0
    )

    user = User.objects.get()
    assert user.check_password("Farine-blanche-9")
    assert (user.role, user.email) == ("admin", "alice@example.test")


@pytest.mark.parametrize(
    "password", ["Court-9", "sans-majuscule-9", "SANS-MINUSCULE-9", "Sans-chiffre-ici", "SansSpecial99"]
)
def test_a_weak_password_is_refused(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    main(["account", "create", "Meuniers"])
    monkeypatch.setattr(sys, "stdin", io.StringIO(password + "\n"))

    assert main(["user", "create", "alice", "--account", "Meuniers", "--password-stdin"]) == 2

    assert not User.objects.exists()
