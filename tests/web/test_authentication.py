"""« Ma méthode d'authentification »: changing the second factor, recovery codes, sessions, the password."""

from __future__ import annotations

import re

import pyotp
import pytest
from django.test import Client
from django.utils import timezone

from carillon.models import User, UserSession
from carillon.services import second_factor
from tests.browser.driving import session_for
from tests.builders import PASSWORD
from tests.web.conftest import Letters, signed_in

HERE = "/account/authentication"


def proven(user: User) -> Client:
    """Signed in, and has just given the password."""
    client = signed_in(user)
    assert client.post(f"{HERE}/proof", {"current": PASSWORD}).status_code == 302
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["", "/app", "/passkeys/options"])
def test_a_stranger_must_sign_in(client: Client, path: str) -> None:
    assert client.get(HERE + path)["Location"].startswith("/login?next=")


def test_the_app_counts_once_it_has_shown_a_right_code(alice: User, letters: Letters) -> None:
    client = proven(alice)
    page = client.get(f"{HERE}/app").content.decode()
    found = re.search(r'id="app-secret">([A-Z2-7 ]+)<', page)
    assert found
    secret = found[1].replace(" ", "")
    assert "data:image/svg+xml" in page
    assert "Ce n&#x27;est pas le code" in client.post(f"{HERE}/app", {"code": "123"}).content.decode()
    alice.refresh_from_db()
    assert alice.second_factor != "app"
    assert client.post(f"{HERE}/app", {"code": pyotp.TOTP(secret).now()})["Location"] == HERE
    alice.refresh_from_db()
    assert alice.second_factor == "app"
    assert secret not in alice.totp_secret  # sealed
    assert "méthode d'authentification vient d'être changée" in letters.last()


def test_sms_needs_a_mobile_number(alice: User, letters: Letters) -> None:
    client = proven(alice)
    User.objects.filter(pk=alice.pk).update(mobile="")
    page = client.post(f"{HERE}/channel", {"channel": "sms"}, follow=True).content.decode()
    assert "Indiquez d&#x27;abord votre numéro de mobile" in page
    User.objects.filter(pk=alice.pk).update(mobile="+33612345678")
    client.post(f"{HERE}/channel", {"channel": "sms"})
    alice.refresh_from_db()
    assert second_factor.channel_of(alice) == "sms"


def test_changing_the_method_forgets_trusted_devices(alice: User, letters: Letters) -> None:
    secret = second_factor.trust_device(alice, label="Firefox", now=timezone.now())
    proven(alice).post(f"{HERE}/channel", {"channel": "sms"})
    assert not second_factor.is_trusted(alice, secret, now=timezone.now())


def test_recovery_codes_are_shown_once_and_replace_the_former(alice: User) -> None:
    client = proven(alice)
    former = second_factor.new_recovery_codes(alice)
    page = client.post(f"{HERE}/recovery-codes").content.decode()
    codes = re.findall(r"<li>([a-z2-9]{5}-[a-z2-9]{5})</li>", page)
    assert len(codes) == 10
    assert codes[0] not in client.get(HERE).content.decode()
    with pytest.raises(second_factor.WrongCode):
        second_factor.check(alice, former[0], now=timezone.now())
    second_factor.check(alice, codes[0], now=timezone.now())


def test_sessions_are_listed_and_ended_but_only_ones_own(alice: User, charlie: User) -> None:
    client, key = Client(), session_for(alice)
    client.cookies["carillon_session"] = session_for(alice)
    page = client.get(HERE).content.decode()
    assert page.count("Chrome, Linux") == 3  # two rows, and the label of one button
    other = UserSession.objects.get(session_key=key)
    stranger = signed_in(charlie)
    assert stranger.post(f"{HERE}/sessions/{other.pk}/end").status_code == 404
    client.post(f"{HERE}/sessions/{other.pk}/end")
    elsewhere = Client()
    elsewhere.cookies["carillon_session"] = key
    assert elsewhere.get(HERE).status_code == 302
    assert client.get(HERE).status_code == 200


def test_the_password_changes_with_the_current_one_and_closes_other_sessions(alice: User, letters: Letters) -> None:
    client, elsewhere = Client(), Client()
    client.cookies["carillon_session"], elsewhere.cookies["carillon_session"] = session_for(alice), session_for(alice)
    new = {"password": "Nouveau-Carillon-7", "again": "Nouveau-Carillon-7"}
    wrong = client.post("/account/password", {"current": "no", **new})
    assert "pas votre mot de passe actuel" in wrong.content.decode()
    assert client.post("/account/password", {"current": PASSWORD, **new})["Location"] == HERE
    assert client.get(HERE).status_code == 200
    assert elsewhere.get(HERE).status_code == 302


def test_a_stranger_cannot_remove_a_passkey(charlie: User) -> None:
    assert signed_in(charlie).post(f"{HERE}/passkeys/1/remove").status_code == 404


@pytest.mark.parametrize(
    ("path", "form"), [("/channel", {"channel": "sms"}), ("/recovery-codes", {}), ("/app", {"code": "123456"})]
)
def test_who_only_holds_the_browser_is_asked_for_the_password(
    alice: User, letters: Letters, path: str, form: dict[str, str]
) -> None:
    client = signed_in(alice)
    before = (alice.second_factor, second_factor.recovery_codes_left(alice))
    for guess in ({}, {"current": "guess"}):
        assert "Confirmez que c" in client.post(HERE + path, form | guess).content.decode()
    alice.refresh_from_db()
    assert (alice.second_factor, second_factor.recovery_codes_left(alice)) == before
    assert client.get(f"{HERE}/passkeys/options").status_code == 403


def test_the_password_given_does_what_was_asked(alice: User, letters: Letters) -> None:
    client = signed_in(alice)
    page = client.post(f"{HERE}/channel", {"channel": "sms"}).content.decode()
    assert '<input type="hidden" name="channel" value="sms">' in page
    client.post(f"{HERE}/channel", {"channel": "sms", "current": PASSWORD})
    alice.refresh_from_db()
    assert alice.second_factor == "sms"
