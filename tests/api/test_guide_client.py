"""examples/client.py, written from the guide alone, does its whole round over real HTTP."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.db import connection

from tests.api.outcomes import deliver
from tests.api.serving import served
from tests.builders import PASSWORD, make_account, make_connector, make_user

PATH = Path(__file__).parents[2] / "examples" / "client.py"


def client_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("guide_client", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def deliver_what_waits(_: float = 0) -> None:
    """Plays the network while the client waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, launched_at FROM (SELECT m.id, c.launched_at FROM message m JOIN campaign c ON c.id = m.campaign_id"
            " WHERE m.status = 1 AND NOT EXISTS (SELECT 1 FROM submission s WHERE s.message_id = m.id)) w WHERE launched_at"
            " IS NOT NULL"
        )
        for message_id, launched_at in cursor.fetchall():
            deliver(message_id, 21, at=launched_at)


def test_it_is_short() -> None:
    assert len(PATH.read_text().splitlines()) <= 100


def test_the_whole_round(
    committed_db: str,
    tmp_path: Path,
    settings: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.MEDIA_ROOT = tmp_path
    user = make_user(account=make_account(is_test=True, ignores_legal_hours=True), role="admin")
    make_connector(is_simulator=True)
    module = client_module()
    monkeypatch.setattr(module.time, "sleep", deliver_what_waits)
    with served() as address:
        module.main(f"{address}/MediasflowApi/v1", user.login, PASSWORD)
    said = capsys.readouterr().out
    assert "prepared" in said and "DRAFT 1.0 credit" in said
    assert "sender MyShop" in said and "INPROGRESS" in said
    assert "2 valid of 2" in said
    assert "scheduled SCHEDULED then cancelled: DRAFT" in said
    assert "blacklist ['+33632545313']" in said
    assert "('33632545312', '21', 'Délivré')" in said
    assert "period ['33632545312']" in said
