"""Once an hour, what the API remembers for a while only is forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from carillon.jobs import api
from carillon.models import ApiRate, ApiRequest, IdempotencyKey, Token
from carillon.services import tokens
from tests.builders import make_user

pytestmark = pytest.mark.django_db


def test_old_things_go_and_fresh_ones_stay() -> None:
    user, now = make_user(), timezone.now()
    for age in (timedelta(0), timedelta(days=30)):
        tokens.open_session(user, now=now - age)
        IdempotencyKey.objects.create(account=user.account, key=str(age), fingerprint="f")
        IdempotencyKey.objects.filter(key=str(age)).update(created_at=now - age)
        ApiRequest.objects.create(request_id="r", at=now - age, method="GET", path="/", status=200, duration_ms=1)
        ApiRate.objects.create(token_id=1, window_at=int((now - age).timestamp() // 60))
    api.forget(0)
    assert [model.objects.count() for model in (Token, IdempotencyKey, ApiRequest, ApiRate)] == [1, 1, 1, 1]
