"""`carillon token create`: for oneself, and by an administrator for a sub-account."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from carillon.config.cli import token as command
from carillon.domain.errors import Forbidden
from carillon.models import Token
from tests.builders import make_account, make_user

pytestmark = pytest.mark.django_db


def create(user: Any, **changes: Any) -> int:
    given = {"name": "crm", "user": user.login, "account": None, "scope": [], "test": False, "json": False}
    return command.run_create(argparse.Namespace(**(given | changes)))


def test_the_secret_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    user = make_user()
    assert create(user, scope=["send"], test=True) == 0
    stored = Token.objects.get()
    assert capsys.readouterr().out.strip().startswith(stored.prefix)
    assert (stored.account, stored.scopes, stored.is_test) == (user.account, ["send"], True)


def test_an_administrator_makes_one_for_a_sub_account(capsys: pytest.CaptureFixture[str]) -> None:
    parent = make_account()
    child = make_account(parent=parent)
    create(make_user(account=parent, role="admin"), account=child.name)
    assert Token.objects.get().account == child
    with pytest.raises(Forbidden):
        create(make_user(account=parent), account=child.name)
