"""Someone with a token who calls the API through Django's test client."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from carillon.api import doors
from carillon.models import User
from carillon.services import tokens

TUESDAY_NOON = datetime(2026, 12, 1, 11, 0, tzinfo=UTC)  # 12:00 in Paris
SUNDAY = datetime(2026, 12, 6, 11, 0, tzinfo=UTC)
BASE = "/api/v1/"


class Caller:
    """`user`'s token; every method gives Django's response. A dict is sent as JSON."""

    def __init__(self, user: User, **options: Any) -> None:
        self.user = user
        self.token, self.secret = tokens.create(user=user, name="test", **options)
        self.client = Client(headers={"Authorization": f"Bearer {self.secret}"})

    def call(self, method: str, path: str, body: Any = None, **extra: Any) -> Any:
        data = json.dumps(body) if isinstance(body, (dict, list)) else body if body is not None else ""
        extra.setdefault("content_type", "application/json")
        address = path if path.startswith("/") else BASE + path
        return self.client.generic(method, address, data, **extra)

    def get(self, path: str, **extra: Any) -> Any:
        return self.call("GET", path, **extra)

    def post(self, path: str, body: Any = None, **extra: Any) -> Any:
        return self.call("POST", path, body, **extra)

    def put(self, path: str, body: Any = None, **extra: Any) -> Any:
        return self.call("PUT", path, body, **extra)

    def delete(self, path: str, body: Any = None, **extra: Any) -> Any:
        return self.call("DELETE", path, body, **extra)

    def inject(self, **body: Any) -> Any:
        given = {"listRecipient": [{"mobile": "0632545311"}], "msg": "Hello", "typeSelect": "NOTIFICATION"}
        return self.post("campaigns/inject", given | body)


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def refusal(response: HttpResponse) -> tuple[int, str, str | None]:
    """(status, code, param), after a look at what every error must have."""
    body = json.loads(response.content)
    assert body["request_id"] == response["X-Request-Id"]
    assert body["doc_url"].endswith(f"/api/errors/{body['code']}")
    assert body["message"]
    return response.status_code, body["code"], body["param"]


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """From now on every request comes in at this moment."""
    monkeypatch.setattr(doors, "clock", lambda: moment)
