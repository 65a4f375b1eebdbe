"""Three people: alice (administrator of a house), bob (her colleague), charlie (of another house); and their letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.core import mail as django_mail
from django.test import Client

from carillon.models import User
from carillon.services import mail
from tests.builders import make_account, make_user


@pytest.fixture
def alice(db: None) -> User:
    return make_user(
        account=make_account(name="La Maison", is_test=True),
        login="alice", role="admin", first_name="Alice", last_name="Martin", email="alice@maison.test", mobile="+33612345678",
    )  # fmt: skip


@pytest.fixture
def bob(alice: User) -> User:
    return make_user(account=alice.account, login="bob", email="bob@maison.test", mobile="+33612345679")


@pytest.fixture
def charlie(db: None) -> User:
    return make_user(account=make_account(name="Elsewhere"), login="charlie", role="admin", email="charlie@other.test")


@pytest.fixture
def olga(db: None) -> User:
    return make_user(account=make_account(name="The house"), login="olga", role="operator", email="olga@carillon.test")


@dataclass
class Letters:
    """E-mails that have left, oldest first."""

    def bodies(self) -> list[str]:
        return [str(letter.body) for letter in django_mail.outbox]

    def last(self) -> str:
        return self.bodies()[-1]


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Letters:
    """The job that hands e-mails over runs at once."""

    def at_once(name: str, **arguments: Any) -> None:
        assert name == "mail.deliver"
        mail.deliver(**arguments)

    monkeypatch.setattr(mail, "defer", at_once)
    return Letters()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
