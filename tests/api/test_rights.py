"""Every route against everyone: nobody without a token, nobody from elsewhere, no stranger sees that a thing exists."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from carillon.api import urls  # noqa: F401 - fills the table
from carillon.api.endpoints import ENDPOINTS, Endpoint
from carillon.models import Account, Template, Webhook
from tests.api.callers import Caller, refusal
from tests.builders import make_account, make_list, make_user

PUBLIC = {"signIn"}
ROUTES = [(endpoint, method) for endpoint in ENDPOINTS for method in endpoint.methods]
SIGNED = [(endpoint, method) for endpoint, method in ROUTES if endpoint.scope is not None]
IDS = [f"{method} {endpoint.path}" for endpoint, method in SIGNED]
each_signed_route = pytest.mark.parametrize(("endpoint", "method"), SIGNED, ids=IDS)


def address(endpoint: Endpoint, numbers: dict[str, int] | None = None, base: str = "/api/v1/") -> str:
    return base + re.sub(r"\{(\w+)\}", lambda found: str((numbers or {}).get(found[1], 1)), endpoint.path)


def test_only_sign_in_is_public() -> None:
    assert {endpoint.name for endpoint in ENDPOINTS if endpoint.scope is None} == PUBLIC


def test_names_and_addresses_are_unique() -> None:
    assert len({endpoint.name for endpoint in ENDPOINTS}) == len(ENDPOINTS)
    assert len({(endpoint.path, method) for endpoint, method in ROUTES}) == len(ROUTES)


@each_signed_route
def test_without_a_token(db: None, endpoint: Endpoint, method: str) -> None:
    for base in ("/api/v1/", "/MediasflowApi/v1/"):
        assert refusal(Client().generic(method, address(endpoint, base=base)))[:2] == (401, "unauthenticated")
    assert Client().generic(method, address(endpoint) + "/").status_code == 401


@each_signed_route
def test_with_an_expired_token(db: None, endpoint: Endpoint, method: str) -> None:
    caller = Caller(make_user(), expires_at=timezone.now() - timedelta(days=1))
    assert refusal(caller.call(method, address(endpoint)))[:2] == (401, "unauthenticated")


@each_signed_route
def test_from_an_address_that_is_not_listed(db: None, endpoint: Endpoint, method: str) -> None:
    caller = Caller(make_user(account=make_account(ip_allow_list=["192.0.2.1"])))
    response = caller.call(method, address(endpoint), REMOTE_ADDR="198.51.100.1")
    assert refusal(response)[:2] == (403, "address_not_allowed")


@each_signed_route
def test_with_a_token_of_another_scope(db: None, endpoint: Endpoint, method: str) -> None:
    if not endpoint.scope:
        return
    other = "webhooks" if endpoint.scope != "webhooks" else "send"
    assert refusal(Caller(make_user(), scopes=[other]).call(method, address(endpoint)))[:2] == (403, "missing_scope")


NUMBERED = [(endpoint, method) for endpoint, method in SIGNED if "{" in endpoint.path]


@pytest.fixture
def things(alice: Caller, account: Account) -> dict[str, int]:
    """One of each, alice's."""
    from tests.api.outcomes import message_ids

    campaign_id = alice.inject(startNow=True, scheduleOn="2026-12-03T10:30:00").json()["id"]
    template = Template.objects.create(account=account, user=alice.user, name="t", message="m")
    return {
        "campaign_id": campaign_id,
        "message_id": message_ids(campaign_id)[0],
        "list_id": make_list(account, ["0611111111"], user=alice.user).pk,
        "template_id": template.pk,
        "webhook_id": Webhook.objects.create(account=account, url="https://example.com/", events=["reply"]).pk,
    }


BODIES: dict[str, Any] = {"testCampaign": {"phoneNumbers": "0611111111"}, "removeFromBlacklist": {}}


@pytest.mark.parametrize(("endpoint", "method"), NUMBERED, ids=[f"{m} {e.path}" for e, m in NUMBERED])
def test_a_stranger_and_a_parents_user_find_nothing(
    charlie: Caller, things: dict[str, int], endpoint: Endpoint, method: str, account: Account
) -> None:
    """Also the administrator of the parent account, with his own token: a sub-account has its own tokens."""
    account.parent = charlie.user.account
    account.save()
    response = charlie.call(method, address(endpoint, things), BODIES.get(endpoint.name))
    assert refusal(response)[0] == 404


def test_a_colleague_without_the_role_finds_only_what_is_shared(bob: Caller, things: dict[str, int]) -> None:
    for endpoint, method in NUMBERED:
        if endpoint.path.startswith(("campaigns", "messages", "lists")):
            assert bob.call(method, address(endpoint, things), BODIES.get(endpoint.name)).status_code == 404, (
                endpoint.path
            )
    assert bob.get(f"templates/{things['template_id']}").status_code == 200


def test_their_owner_finds_them(alice: Caller, things: dict[str, int]) -> None:
    """So that the 404 above prove something."""
    for endpoint, method in NUMBERED:
        if method == "GET":
            assert alice.get(address(endpoint, things)).status_code == 200, endpoint.path
