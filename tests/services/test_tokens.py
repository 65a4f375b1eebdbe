"""Tokens: found by their secret with everything the API needs, made for oneself or a sub-account, revoked, forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.forms.models import model_to_dict

from carillon.domain.errors import InvalidInput, NotFound
from carillon.models import Token
from carillon.services import tokens
from tests.builders import make_account, make_user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 1, 11, 0, tzinfo=UTC)


def test_what_is_found_is_what_django_would_read() -> None:
    """The statement is written by hand: a new column of another kind must not come back unconverted."""
    parent = make_account(countries=["FR", "BE"], alert_threshold=5)
    user = make_user(account=make_account(parent=parent, ip_allow_list=["192.0.2.1"]))
    made, secret = tokens.create(user=user, name="crm", scopes=["send", "reports"])
    found = tokens.find(secret, now=NOW)
    stored = Token.objects.select_related("user", "account__parent").get(pk=made.pk)
    assert found is not None and found.account.parent is not None
    pairs = (
        (found, stored),
        (found.user, stored.user),
        (found.account, stored.account),
        (found.account.parent, stored.account.parent),
    )
    for mine, its in pairs:
        for field in type(mine)._meta.concrete_fields:
            if field.attname != "used_at":
                assert getattr(mine, field.attname) == getattr(its, field.attname), field.attname
    assert model_to_dict(found.user)["login"] == user.login
    assert found.user.account is found.account


def test_it_costs_one_statement_a_minute_and_another(django_assert_num_queries: object) -> None:
    _, secret = tokens.create(user=make_user(), name="crm")
    tokens.find(secret, now=NOW)
    with django_assert_num_queries(0):  # type: ignore[operator]  # the reading itself is not Django's
        tokens.find(secret, now=NOW + timedelta(seconds=59))
    assert Token.objects.get().used_at == NOW
    tokens.find(secret, now=NOW + timedelta(seconds=61))
    assert Token.objects.get().used_at == NOW + timedelta(seconds=61)


@pytest.mark.parametrize("given", [{"scopes": ["everything"]}, {"name": "  "}, {"rate_per_minute": 0}])
def test_what_makes_no_sense_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        tokens.create(user=make_user(), **{"name": "x", **given})  # type: ignore[arg-type]


def test_who_sees_and_revokes_what() -> None:
    parent = make_account()
    admin, user = make_user(account=parent, role="admin"), make_user(account=parent)
    child = make_account(parent=parent)
    mine, _ = tokens.create(user=user, name="mine")
    theirs, _ = tokens.create(user=admin, account=child, name="child's")
    other, _ = tokens.create(user=make_user(), name="other")
    tokens.open_session(user, now=NOW)
    assert {t.pk for t in tokens.visible(admin)} == {mine.pk, theirs.pk}
    assert {t.pk for t in tokens.visible(user)} == {mine.pk}
    for token in (theirs, other):
        with pytest.raises(NotFound):
            tokens.revoke(actor=user, token_id=token.pk)
    assert tokens.revoke(actor=admin, token_id=mine.pk, now=NOW).revoked_at == NOW
    assert tokens.revoke(actor=admin, token_id=mine.pk, now=NOW + timedelta(days=1)).revoked_at == NOW


def test_sessions_long_over_are_forgotten() -> None:
    user = make_user()
    tokens.open_session(user, now=NOW)
    tokens.create(user=user, name="kept", expires_at=NOW)
    assert tokens.purge(now=NOW + tokens.SESSION_LIFE + timedelta(days=6)) == 0
    assert tokens.purge(now=NOW + tokens.SESSION_LIFE + timedelta(days=8)) == 1
    assert [token.name for token in Token.objects.all()] == ["kept"]
