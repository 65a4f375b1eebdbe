"""What an operator types about a connector: options, secrets that nobody sees again, the address its provider calls."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.db import connection
from django.test import override_settings

from carillon.carriers.http.kannel import Kannel
from carillon.config.cli import main
from carillon.domain.traffic import Outbound
from carillon.gateway.main import Gateway
from carillon.models import Connector
from carillon.services import callbacks, connectors

pytestmark = pytest.mark.usefixtures("committed_db")
TOKEN = "token-of-the-callbacks"


def type_in(monkeypatch: pytest.MonkeyPatch, *arguments: str, password: str = "s3cret") -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    return main(["connector", *arguments])


@pytest.fixture
def kannel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Connector:
    secret = tmp_path / "token"
    secret.write_text(f"{TOKEN}\n", encoding="utf-8")
    assert not type_in(
        monkeypatch, "add", "box", "--kind", "kannel", "--password-stdin", "--option", "url=https://box.example",
        "--option", "username=me", "--option", f"callback_token=@{secret}",
    )  # fmt: skip
    return Connector.objects.get()


def kept() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT options::text || secret FROM connector")
        return str(cursor.fetchone()[0])


@override_settings(PUBLIC_URL="https://sms.example.org")
def test_the_callback_address_is_ours_without_being_given(
    kannel: Connector, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"https://sms.example.org/carriers/{kannel.callback_key}"
    assert main(["connector", "show", "box"]) == 0
    said = capsys.readouterr().out
    assert address in said and "CARILLON_PUBLIC_URL" not in said
    (lane,) = Gateway()._wanted()
    provider = Kannel(json.loads(lane.options), lane.secret)
    asked = provider.request(Outbound(1, 33612345678, "x", "ACME")).query["dlr-url"]
    assert asked.startswith(address) and f"token={TOKEN}" in asked


def test_an_address_only_this_machine_reaches_is_said(kannel: Connector, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["connector", "show", "box"]) == 0
    said = capsys.readouterr().out
    assert callbacks.url_of(kannel) in said and "CARILLON_PUBLIC_URL" in said


def test_a_second_secret_is_neither_kept_in_clear_nor_shown(
    kannel: Connector, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert TOKEN not in kept()
    assert connectors.options_of(kannel)["callback_token"] == TOKEN
    for more in ([], ["--json"]):
        assert main(["connector", "show", "box", *more]) == 0
        assert TOKEN not in capsys.readouterr().out
    assert not type_in(monkeypatch, "set", "box", "--option", "smsc=one")
    kannel.refresh_from_db()
    assert connectors.options_of(kannel)["callback_token"] == TOKEN
    assert TOKEN not in kept()


def test_options_are_changed_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not type_in(monkeypatch, "add", "orange", "--host", "smsc.example", "--system-id", "me", "--password-stdin")
    assert not type_in(
        monkeypatch, "set", "orange", "--rate", "50", "--option", 'sender_rates={"36184": 10, "long_number": 5}'
    )
    (lane,) = Gateway()._wanted()
    assert dict(lane.sender_rates) == {"36184": 10.0, "long_number": 5.0}
    assert type_in(monkeypatch, "set", "orange", "--option", 'sender_rates={"36184": 0}') == 2
    assert not type_in(monkeypatch, "set", "orange", "--option", "sender_rates=")
    (lane,) = Gateway()._wanted()
    assert lane.sender_rates == ()
    assert connectors.secret_of(Connector.objects.get()) == "s3cret"
