"""Three people: alice administers an account, bob is her colleague, charlie is a stranger. It is a Tuesday noon."""

from __future__ import annotations

import pytest

from carillon.models import Account, Connector
from tests.api.callers import TUESDAY_NOON, Caller, at
from tests.builders import make_account, make_connector, make_user


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, TUESDAY_NOON)


@pytest.fixture
def account(db: None) -> Account:
    return make_account()


@pytest.fixture
def connector(db: None) -> Connector:
    return make_connector()


@pytest.fixture
def alice(account: Account, connector: Connector, noon: None) -> Caller:
    return Caller(make_user(account=account, role="admin"))


@pytest.fixture
def bob(account: Account, connector: Connector, noon: None) -> Caller:
    return Caller(make_user(account=account))


@pytest.fixture
def charlie(db: None, connector: Connector, noon: None) -> Caller:
    return Caller(make_user(role="admin"))
