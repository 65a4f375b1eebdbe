"""Addresses, HTTPS, scopes, rates: who is let in, and what a refusal says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from carillon.models import Account
from carillon.services import tokens
from tests.api.callers import Caller, refusal
from tests.builders import PASSWORD, make_account, make_user


@pytest.fixture
def production(settings: Any) -> Any:
    settings.PUBLIC_URL = "https://sms.example.test"
    settings.ALLOWED_HOSTS = ["sms.example.test", "testserver"]
    return settings


def credits_of(caller: Caller, address: str = "127.0.0.1", *, secure: bool = True) -> Any:
    return caller.client.get("/api/v1/credits", REMOTE_ADDR=address, secure=secure)


def test_without_a_token_nobody_is_let_in(db: None) -> None:
    response = Client().get("/api/v1/credits")
    assert refusal(response) == (401, "unauthenticated", None)
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer", "Bearer nonsense", "Basic YTpi", "Bearer " + "x" * 5000, "Bearer é"])
def test_nonsense_is_no_token(db: None, header: str) -> None:
    assert refusal(Client().get("/api/v1/credits", HTTP_AUTHORIZATION=header))[:2] == (401, "unauthenticated")


def test_a_revoked_token_ends_at_once(alice: Caller) -> None:
    tokens.revoke(actor=alice.user, token_id=alice.token.pk)
    assert refusal(alice.get("credits"))[:2] == (401, "unauthenticated")


def test_an_inactive_user_or_account_ends_its_tokens(alice: Caller, bob: Caller) -> None:
    type(bob.user).objects.filter(pk=bob.user.pk).update(is_active=False)
    assert bob.get("credits").status_code == 401
    Account.objects.update(is_active=False)
    assert alice.get("credits").status_code == 401


def test_an_unlisted_address_is_refused_by_name(alice: Caller, account: Account) -> None:
    account.ip_allow_list = ["192.0.2.0/24", "2001:db8::/32"]
    account.save()
    assert credits_of(alice, "192.0.2.77").status_code == 200
    assert credits_of(alice, "2001:db8::1").status_code == 200
    assert credits_of(alice, "::ffff:192.0.2.5").status_code == 200
    response = credits_of(alice, "198.51.100.9")
    assert refusal(response)[:2] == (403, "address_not_allowed")
    assert "198.51.100.9" in response.json()["message"]


def test_sign_in_from_an_unlisted_address_gives_no_bearer(account: Account) -> None:
    user = make_user(account=account)
    account.ip_allow_list = ["192.0.2.1"]
    account.save()
    body = json.dumps({"username": user.login, "password": PASSWORD})
    response = Client().post("/api/v1/auth/login", body, content_type="application/json", REMOTE_ADDR="198.51.100.9")
    assert refusal(response)[:2] == (403, "address_not_allowed")
    assert "Authorization" not in response


def test_in_production_an_empty_list_is_closed(alice: Caller, production: Any) -> None:
    response = credits_of(alice, "198.51.100.9")
    assert refusal(response)[:2] == (403, "address_not_allowed") and "198.51.100.9" in response.json()["message"]
    assert credits_of(alice, "127.0.0.1").status_code == 403


def test_in_the_demo_an_empty_list_is_open(alice: Caller) -> None:
    assert credits_of(alice, "198.51.100.9").status_code == 200


def test_a_sub_account_uses_its_parents_list(db: None, noon: None) -> None:
    parent = make_account(ip_allow_list=["192.0.2.1"])
    child = Caller(make_user(account=make_account(parent=parent)))
    assert credits_of(child, "192.0.2.1").status_code == 200
    assert credits_of(child, "192.0.2.2").status_code == 403


def test_forwarded_addresses_count_only_behind_trusted_proxies(alice: Caller, account: Account, settings: Any) -> None:
    account.ip_allow_list = ["192.0.2.1"]
    account.save()
    forged = {"HTTP_X_FORWARDED_FOR": "192.0.2.1", "REMOTE_ADDR": "198.51.100.9"}
    assert alice.client.get("/api/v1/credits", **forged).status_code == 403
    settings.TRUSTED_PROXIES = 1
    assert alice.client.get("/api/v1/credits", **forged).status_code == 200
    forged["HTTP_X_FORWARDED_FOR"] = (
        "192.0.2.1, 198.51.100.7"  # the proxy saw .7; what stands before is the caller's word
    )
    assert alice.client.get("/api/v1/credits", **forged).status_code == 403


def test_plain_http_is_refused_in_production(alice: Caller, production: Any, account: Account) -> None:
    account.ip_allow_list = ["127.0.0.1"]
    account.save()
    assert refusal(credits_of(alice, secure=False))[:2] == (403, "https_required")
    assert credits_of(alice).status_code == 200


def test_scopes_limit_a_token(account: Account, connector: Any, noon: None) -> None:
    reader = Caller(make_user(account=account), scopes=["reports"])
    assert reader.get("credits").status_code == 200
    response = reader.inject()
    assert refusal(response)[:2] == (403, "missing_scope") and "send" in response.json()["message"]


def test_the_rate_is_counted_and_told(account: Account, noon: None) -> None:
    caller = Caller(make_user(account=account), rate_per_minute=3)
    answers = [caller.get("credits") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers[:4]] == ["2", "1", "0", "0"]
    assert answers[0]["RateLimit-Limit"] == "3" and 0 < int(answers[0]["RateLimit-Reset"]) <= 61
    assert (
        refusal(answers[3])[:2] == (429, "rate_limited") and answers[3]["Retry-After"] == answers[3]["RateLimit-Reset"]
    )


def test_a_sub_accounts_token_acts_in_the_sub_account(alice: Caller, account: Account) -> None:
    child = make_account(parent=account, balance=500)
    caller = Caller(alice.user, account=child)
    assert caller.get("credits").json()["customerID"] == child.public_id
    sent = caller.inject(startNow=True).json()
    assert sent["customerID"] == child.public_id
    child.refresh_from_db()
    assert child.held == 100
    account.refresh_from_db()
    assert account.held == 0


def test_a_user_cannot_make_tokens_for_another_account(bob: Caller, account: Account) -> None:
    from carillon.domain.errors import Forbidden

    with pytest.raises(Forbidden):
        tokens.create(user=bob.user, name="x", account=make_account(parent=account))
    with pytest.raises(Forbidden):
        tokens.create(user=make_user(account=account, role="admin"), name="x", account=make_account())
