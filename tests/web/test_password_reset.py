"""Two e-mails, both needed; nothing is told to who asks for someone else."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from carillon.domain.errors import InvalidInput
from carillon.models import PasswordReset, User
from carillon.services import access, passwords
from carillon.services.tokens import BadCredentials
from tests.builders import PASSWORD, make_user
from tests.web.conftest import Letters, signed_in

NEW = "Nouveau-Carillon-7"


def both(letters: Letters) -> dict[str, str]:
    first, second = letters.bodies()[-2:]
    temporary = re.search(r"temporaire est : (\S+)", first)
    code = re.search(r"activation est : (\d{8})", second)
    assert temporary
    assert code
    return {"temporary": temporary[1], "code": code[1]}


def enters(login: str, password: str) -> bool:
    try:
        access.check_sign_in(login, password, address="127.0.0.1", now=timezone.now())
    except BadCredentials:
        return False
    return True


def test_asking_tells_nothing(client: Client, alice: User, letters: Letters) -> None:
    known = client.post("/password/forgotten", {"login": "alice"})
    unknown = client.post("/password/forgotten", {"login": "nobody"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert len(letters.bodies()) == 2


def test_both_letters_define_the_new_password(client: Client, alice: User, letters: Letters) -> None:
    client.post("/password/forgotten", {"login": "alice@maison.test"})
    assert enters("alice", PASSWORD)  # the old one works until both were used
    form = {"login": "alice", **both(letters), "password": NEW, "again": NEW}
    assert client.post("/password/new", form)["Location"] == "/login"
    assert enters("alice", NEW)
    assert not enters("alice", PASSWORD)
    assert "ont expiré ou déjà servi" in client.post("/password/new", form).content.decode()


@pytest.mark.parametrize("missing", ["temporary", "code"])
def test_one_letter_is_not_enough(client: Client, alice: User, letters: Letters, missing: str) -> None:
    client.post("/password/forgotten", {"login": "alice"})
    form = {"login": "alice", **both(letters), "password": NEW, "again": NEW, missing: "12345678"}
    assert "ont expiré ou déjà servi" in client.post("/password/new", form).content.decode()
    assert enters("alice", PASSWORD)


def test_they_expire_after_an_hour_and_after_five_wrong_tries(client: Client, alice: User, letters: Letters) -> None:
    client.post("/password/forgotten", {"login": "alice"})
    secrets = both(letters)
    form = {"login": "alice", **secrets, "password": NEW, "again": NEW}
    PasswordReset.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.post("/password/new", form).status_code == 200
    PasswordReset.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    for _attempt in range(5):
        client.post("/password/new", form | {"code": "00000000"})
    assert client.post("/password/new", form).status_code == 200
    assert enters("alice", PASSWORD)


def test_a_weak_password_is_refused_beside_its_field(client: Client, alice: User, letters: Letters) -> None:
    client.post("/password/forgotten", {"login": "alice"})
    form = {"login": "alice", **both(letters), "password": "toutpetit", "again": "toutpetit"}
    assert "Il faut au moins 11 caractères" in client.post("/password/new", form).content.decode()
    assert PasswordReset.objects.get().tries == 0


def test_asking_too_often_is_refused_whether_or_not_the_name_exists(
    client: Client, alice: User, letters: Letters
) -> None:
    for login in ("alice", "nobody"):
        for _attempt in range(3):
            client.post("/password/forgotten", {"login": login})
        assert "Trop d&#x27;essais" in client.post("/password/forgotten", {"login": login}).content.decode()
    assert len(letters.bodies()) == 6


def test_a_new_password_ends_the_sessions(client: Client, alice: User, letters: Letters) -> None:
    elsewhere = signed_in(alice)
    client.post("/password/forgotten", {"login": "alice"})
    client.post("/password/new", {"login": "alice", **both(letters), "password": NEW, "again": NEW})
    assert elsewhere.get("/account/password").status_code == 302


def test_activation_lets_the_person_choose_login_and_password(client: Client, alice: User, letters: Letters) -> None:
    newcomer = make_user(account=alice.account, login="temp", email="new@maison.test", password_changed_at=None)
    passwords.invite(newcomer, now=timezone.now())
    assert "/activate?login=temp" in letters.last()
    form = {"login": "temp", **both(letters), "new_login": "dora", "password": NEW, "again": NEW}
    assert client.post("/activate", form)["Location"] == "/login"
    assert enters("dora", NEW)


def test_nobody_is_invited_without_an_address(alice: User) -> None:
    with pytest.raises(InvalidInput):
        passwords.invite(make_user(account=alice.account, email=""), now=timezone.now())
