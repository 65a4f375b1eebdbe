"""Signing in, from the pages: password, second factor, what a stranger learns (nothing)."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
from django.test import Client
from django.utils import timezone

from carillon.models import LoginAttempt, SecondFactorCode, TrustedDevice, User, UserSession
from carillon.services import second_factor
from carillon.services.sealing import seal
from tests.builders import PASSWORD, make_user
from tests.web.conftest import Letters

REFUSED = "Identifiant ou mot de passe incorrect"


def give_password(client: Client, login: str, password: str = PASSWORD, **more: str):
    return client.post("/login", {"login": login, "password": password, **more})


def code_in(text: str) -> str:
    found = re.search(r"\b\d{6}\b", text)
    assert found
    return found[0]


def is_in(client: Client) -> bool:
    return client.get("/account/authentication").status_code == 200


@pytest.fixture(autouse=True)
def _people(alice: User, bob: User) -> None:
    """Everyone exists in every test."""


def test_an_unknown_name_a_wrong_password_and_an_inactive_login_look_alike(client: Client, bob: User) -> None:
    answers = [give_password(client, "nobody"), give_password(client, "alice", "wrong")]
    User.objects.filter(pk=bob.pk).update(is_active=False)
    answers.append(give_password(client, "bob"))
    for answer in answers:
        assert answer.status_code == 200
        assert REFUSED in answer.content.decode()
    assert not is_in(client)


def test_guessing_stops_for_a_name_that_exists_and_for_one_that_does_not(client: Client) -> None:
    for login in ("alice", "nobody"):
        for _attempt in range(8):
            give_password(client, login, "wrong")
        assert "Trop d&#x27;essais" in give_password(client, login).content.decode()
    assert not is_in(client)


def test_a_lockout_passes(client: Client, letters: Letters) -> None:
    for _attempt in range(8):
        give_password(client, "alice", "wrong")
    LoginAttempt.objects.update(at=timezone.now() - timedelta(minutes=16))
    assert give_password(client, "alice")["Location"] == "/login/code"


def test_the_password_alone_opens_nothing(client: Client, letters: Letters) -> None:
    assert give_password(client, "alice")["Location"] == "/login/code"
    assert not is_in(client)


def test_the_code_by_email_opens_the_page_one_came_for(client: Client, letters: Letters) -> None:
    give_password(client, "ALICE", next="/account/password")
    page = client.get("/login/code").content.decode()
    assert "a•••@maison.test" in page
    response = client.post("/login/code", {"code": code_in(letters.last())})
    assert response["Location"] == "/account/password"
    assert is_in(client)
    assert UserSession.objects.get().address == "127.0.0.1"


def test_someone_without_a_second_factor_gets_in_and_is_told_to_choose_one(client: Client, alice: User) -> None:
    make_user(account=alice.account, login="new", email="")
    page = give_password(client, "new", next="/account/").url
    assert page == "/account/"
    assert "choisissez un second facteur" in client.get(page).content.decode()


def test_a_wrong_code_is_refused_and_five_of_them_end_the_code(client: Client, letters: Letters) -> None:
    give_password(client, "alice")
    right = code_in(letters.last())
    wrong = "000000" if right != "000000" else "111111"
    for _attempt in range(5):
        assert "Ce code est faux" in client.post("/login/code", {"code": wrong}).content.decode()
    assert "Ce code est faux" in client.post("/login/code", {"code": right}).content.decode()


def test_a_code_lives_five_minutes_and_serves_once(alice: User, letters: Letters) -> None:
    now = timezone.now()
    second_factor.send_code(alice, now=now)
    code = code_in(letters.last())
    with pytest.raises(second_factor.WrongCode):
        second_factor.check(alice, code, now=now + timedelta(minutes=5, seconds=1))
    second_factor.check(alice, code, now=now + timedelta(minutes=4, seconds=59))
    with pytest.raises(second_factor.WrongCode):
        second_factor.check(alice, code, now=now + timedelta(minutes=4, seconds=59))


def test_asking_again_sends_another_code_but_not_within_thirty_seconds(client: Client, letters: Letters) -> None:
    give_password(client, "alice")
    client.post("/login/code/resend")
    assert len(letters.bodies()) == 1
    SecondFactorCode.objects.update(created_at=timezone.now() - timedelta(seconds=31))
    client.post("/login/code/resend")
    first, second = map(code_in, letters.bodies())
    assert "Ce code est faux" in client.post("/login/code", {"code": first}).content.decode() or first == second
    assert client.post("/login/code", {"code": second}).status_code == 302


def test_two_devices_in_a_row_each_get_a_code(letters: Letters) -> None:
    for number in (1, 2):
        device = Client()
        give_password(device, "alice")
        assert len(letters.bodies()) == number
        assert device.post("/login/code", {"code": code_in(letters.last())}).status_code == 302


def test_a_trusted_device_needs_no_code_for_seven_days(client: Client, letters: Letters) -> None:
    give_password(client, "alice")
    client.post("/login/code", {"code": code_in(letters.last()), "trust": "on"})
    client.post("/logout")
    assert not is_in(client)
    assert give_password(client, "alice")["Location"] == "/"
    client.post("/logout")
    TrustedDevice.objects.update(expires_at=timezone.now())
    assert give_password(client, "alice")["Location"] == "/login/code"


def test_the_authenticator_app_opens_once_per_code(client: Client, alice: User) -> None:
    secret = second_factor.new_app_secret()
    User.objects.filter(pk=alice.pk).update(second_factor="app", totp_secret=seal(secret))
    give_password(client, "alice")
    assert "valable 30 secondes" in client.get("/login/code").content.decode()
    code = pyotp.TOTP(secret).now()
    assert client.post("/login/code", {"code": code}).status_code == 302
    assert is_in(client)
    again = Client()
    give_password(again, "alice")
    assert "Ce code est faux" in again.post("/login/code", {"code": code}).content.decode()


def test_a_recovery_code_replaces_the_app_once(client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(second_factor="app", totp_secret=seal(second_factor.new_app_secret()))
    alice.refresh_from_db()
    code = second_factor.new_recovery_codes(alice)[3]
    give_password(client, "alice")
    assert client.post("/login/code", {"code": code.upper()}).status_code == 302
    again = Client()
    give_password(again, "alice")
    assert "Ce code est faux" in again.post("/login/code", {"code": code}).content.decode()


def test_a_stored_code_cannot_be_read(alice: User, letters: Letters) -> None:
    second_factor.send_code(alice, now=timezone.now())
    assert code_in(letters.last()) not in SecondFactorCode.objects.get().code_hash


def test_one_is_never_sent_elsewhere_after_signing_in(client: Client, letters: Letters) -> None:
    give_password(client, "alice", next="https://elsewhere.example/")
    assert client.post("/login/code", {"code": code_in(letters.last())})["Location"] == "/"


def test_signing_out_ends_the_session(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert is_in(client)
    client.post("/logout")
    assert not is_in(client)


def test_a_closed_account_closes_the_sessions_of_its_people(client: Client, alice: User) -> None:
    client.force_login(alice)
    alice.account.is_active = False
    alice.account.save()
    assert not is_in(client)
