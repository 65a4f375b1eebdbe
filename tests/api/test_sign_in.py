"""auth/login gives a bearer; bearers end, long-lived tokens survive a change of password."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from carillon.models import ApiRequest, Token, User
from carillon.services import tokens
from tests.api.callers import TUESDAY_NOON, Caller, refusal
from tests.builders import PASSWORD, make_account, make_user


@pytest.fixture
def user(db: None) -> User:
    return make_user(login="alice@example.test")


def sign_in(username: str, password: str, **extra: Any) -> Any:
    body = json.dumps({"username": username, "password": password})
    return Client().post("/api/v1/auth/login", body, content_type="application/json", **extra)


def test_the_bearer_comes_in_the_header_and_in_the_body(user: User) -> None:
    response = sign_in("Alice@Example.test", PASSWORD)
    assert response.status_code == 200
    bearer = response["Authorization"]
    assert bearer.startswith("Bearer cr_sess_")
    assert response.json()["bearer"] == bearer == f"Bearer {response.json()['token']}"
    assert response.json()["userOwnerID"] == user.public_id
    assert Client(headers={"Authorization": bearer}).get("/MediasflowApi/v1/credits").json()["credits"] == 1000.0


def test_the_word_bearer_may_be_missing(user: User) -> None:
    token = sign_in(user.login, PASSWORD).json()["token"]
    assert Client(headers={"Authorization": token}).get("/api/v1/credits").status_code == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"username": "alice@example.test", "password": "%s"}', "application/json"),
        ("{'username': 'alice@example.test', 'password': '%s'}", "application/json"),
        (
            "data=%%7B%%22username%%22%%3A%%22a%%22%%2C%%22password%%22%%3A%%22%s%%22%%7D",
            "application/x-www-form-urlencoded",
        ),
    ],
    ids=["json", "not-json", "json-in-a-form"],
)
def test_no_password_stands_in_the_log(user: User, body: str, kind: str) -> None:
    for address in ("/api/v1/auth/login", "/api/v1/auth/login?data=%7B%22password%22%3A%22Secret-Secret-1%22%7D"):
        Client().post(address, body % "Secret-Secret-1", content_type=kind)
    logged = list(ApiRequest.objects.values_list("request_body", "response_body", "path"))
    assert len(logged) == 2 and "Secret-Secret-1" not in str(logged)


def test_the_secret_is_stored_hashed_only(user: User) -> None:
    secret = sign_in(user.login, PASSWORD).json()["token"]
    stored = Token.objects.get()
    assert secret not in (stored.hash, stored.prefix) and len(stored.hash) == 64


@pytest.mark.parametrize(("username", "password"), [("alice@example.test", "wrong"), ("nobody@example.test", PASSWORD)])
def test_a_wrong_name_and_a_wrong_password_are_told_alike(user: User, username: str, password: str) -> None:
    response = sign_in(username, password)
    assert refusal(response) == (401, "bad_credentials", None)
    assert response.json()["message"] == sign_in("x", "y").json()["message"]


def test_an_inactive_login_cannot_sign_in(user: User) -> None:
    User.objects.update(is_active=False)
    assert refusal(sign_in(user.login, PASSWORD))[:2] == (401, "bad_credentials")


def test_guessing_is_slowed_down(user: User) -> None:
    answers = [sign_in(user.login, f"guess {n}").status_code for n in range(12)]
    assert answers[0] == 401 and answers[-1] == 429
    response = sign_in(user.login, PASSWORD)
    assert refusal(response)[:2] == (429, "rate_limited") and int(response["Retry-After"]) > 0


def test_a_change_of_password_ends_the_bearer_but_not_the_token(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    bearer = sign_in(user.login, PASSWORD)["Authorization"]
    _, secret = tokens.create(user=user, name="crm")
    User.objects.update(password_changed_at=timezone.now() + timedelta(seconds=1))
    assert Client(headers={"Authorization": bearer}).get("/api/v1/credits").status_code == 401
    assert Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/credits").status_code == 200


def test_logout_ends_the_bearer(user: User) -> None:
    client = Client(headers={"Authorization": sign_in(user.login, PASSWORD)["Authorization"]})
    assert client.post("/api/v1/auth/logout").json() == {"signedOut": True}
    assert refusal(client.get("/api/v1/credits"))[:2] == (401, "unauthenticated")


def test_logout_does_not_end_a_long_lived_token(alice: Caller) -> None:
    assert alice.post("auth/logout").json() == {"signedOut": False}
    assert alice.get("credits").status_code == 200


def test_bearers_and_tokens_expire(user: User, db: None) -> None:
    _, secret = tokens.create(user=user, name="old", expires_at=TUESDAY_NOON)
    assert tokens.find(secret, now=TUESDAY_NOON - timedelta(seconds=1)) is not None
    assert tokens.find(secret, now=TUESDAY_NOON) is None
    _, bearer = tokens.open_session(user, now=TUESDAY_NOON)
    assert tokens.find(bearer, now=TUESDAY_NOON + tokens.SESSION_LIFE) is None


def test_the_bearer_of_a_test_account_says_so(db: None) -> None:
    user = make_user(account=make_account(is_test=True))
    assert sign_in(user.login, PASSWORD).json()["isTest"] is True
    assert sign_in(user.login, PASSWORD).json()["token"].startswith("cr_test_")
