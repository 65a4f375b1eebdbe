"""« Développeur »: tokens shown once, the log of one's own requests."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from carillon.models import ApiRequest, Token, User
from carillon.services import subaccounts, tokens
from tests.web.conftest import signed_in


def note(user: User, path: str, *, token: Token | None = None) -> ApiRequest:
    return ApiRequest.objects.create(
        request_id="r1", account_id=user.account_id, token_id=token.pk if token else None, at=timezone.now(), method="POST",
        path=path, status=422, duration_ms=12, request_body='{"a": 1}', response_body="no JSON",
    )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["", "tokens", "tokens/new", "log"])
def test_a_stranger_must_sign_in(client: Client, path: str) -> None:
    assert client.get(f"/developer/{path}").status_code == 302


def test_a_token_is_shown_once_and_works_until_it_is_revoked(alice: User) -> None:
    client = signed_in(alice)
    form = {"name": "site", "account": alice.account_id, "scopes": ["send"], "is_test": "on"}
    page = client.post("/developer/tokens/new", form).content.decode()
    found = re.search(r"cr_test_[\w-]+", page)
    assert found
    token = tokens.find(found[0], now=timezone.now())
    assert token is not None
    assert (token.scopes, token.is_test) == (["send"], True)
    assert found[0] not in client.get("/developer/tokens").content.decode()
    client.post(f"/developer/tokens/{token.pk}/revoke")
    assert tokens.find(found[0], now=timezone.now()) is None


def test_another_houses_token_does_not_exist(alice: User, charlie: User) -> None:
    token, _secret = tokens.create(user=alice, name="site")
    assert signed_in(charlie).post(f"/developer/tokens/{token.pk}/revoke").status_code == 404
    assert "site" not in signed_in(charlie).get("/developer/tokens").content.decode()


def test_a_token_is_for_ones_own_account_or_a_sub_account_by_an_administrator(
    alice: User, bob: User, charlie: User
) -> None:
    child = subaccounts.create(alice, name="Branch", mode="limited")
    for person, account, is_made in ((alice, child, True), (bob, child, False), (alice, charlie.account, False)):
        form = {"name": "site", "account": account.pk}
        page = signed_in(person).post("/developer/tokens/new", form).content.decode()
        assert ("cr_test_" in page) is is_made  # La Maison is a test account


def test_the_log_shows_an_administrator_the_accounts_requests_and_a_user_the_own(
    alice: User, bob: User, charlie: User
) -> None:
    mine, _secret = tokens.create(user=bob, name="bob's")
    hers, his = note(alice, "/api/v2/hers"), note(alice, "/api/v2/his", token=mine)
    page = signed_in(alice).get("/developer/log").content.decode()
    assert "/api/v2/hers" in page
    assert "/api/v2/his" in page
    page = signed_in(bob).get("/developer/log").content.decode()
    assert "/api/v2/hers" not in page
    assert "/api/v2/his" in page
    assert signed_in(bob).get(f"/developer/log/{hers.pk}").status_code == 404
    assert signed_in(charlie).get(f"/developer/log/{his.pk}").status_code == 404
    entry = signed_in(bob).get(f"/developer/log/{his.pk}").content.decode()
    assert "no JSON" in entry


def test_the_log_is_filtered_by_path_and_answer(alice: User) -> None:
    note(alice, "/api/v2/one")
    client = signed_in(alice)
    assert "/api/v2/one" in client.get("/developer/log", {"q": "one", "status": "4"}).content.decode()
    assert "/api/v2/one" not in client.get("/developer/log", {"status": "5"}).content.decode()
