"""The API's log: written by a thread beside the requests, nothing lost at an orderly end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from carillon.models import ApiRequest
from carillon.services import request_log

ROW: dict[str, Any] = {
    "request_id": "r", "account_id": 1, "token_id": 1, "at": datetime(2026, 12, 1, 11, 0, tzinfo=UTC), "method": "GET",
    "path": "/api/v1/credits", "status": 200, "duration_ms": 3, "address": "127.0.0.1",
}  # fmt: skip


@pytest.mark.django_db
def test_without_the_thread_a_row_is_written_at_once() -> None:
    request_log.record(**ROW, request_body='{"password": "x"}')
    assert ApiRequest.objects.get().request_body == '{"password": "…"}'


def test_the_thread_writes_everything_before_it_ends(committed_db: str) -> None:
    request_log.start()
    try:
        for n in range(1200):
            request_log.record(**ROW | {"request_id": f"r{n}"})
    finally:
        request_log.stop(60)
    assert ApiRequest.objects.count() == 1200
    request_log.record(**ROW)  # and afterwards again at once
    assert ApiRequest.objects.count() == 1201


def test_a_row_that_cannot_be_written_harms_nobody(
    committed_db: str, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def refuse(rows: list[ApiRequest]) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(request_log, "_write", refuse)
    request_log.start()
    request_log.record(**ROW)
    request_log.stop(60)
    assert "could not be written" in caplog.text
