"""« Utilisateurs »: the account's administrators manage its logins, and only theirs."""

from __future__ import annotations

import pytest
from django.test import Client

from carillon.models import User, UserSession
from tests.browser.driving import session_for
from tests.builders import make_account, make_user
from tests.web.conftest import Letters, signed_in

NEW = {"login": "dora", "role": "user", "first_name": "Dora", "last_name": "Petit", "email": "dora@maison.test",
       "mobile": "06 12 34 56 70", "is_active": "on"}  # fmt: skip


@pytest.mark.django_db
def test_a_stranger_must_sign_in(client: Client) -> None:
    assert client.get("/admin/users")["Location"].startswith("/login")


def test_another_house_does_not_exist(bob: User, charlie: User) -> None:
    client = signed_in(charlie)
    assert client.get(f"/admin/users/{bob.pk}").status_code == 404
    assert client.post(f"/admin/users/{bob.pk}", NEW).status_code == 404
    assert client.post(f"/admin/users/{bob.pk}/invite").status_code == 404
    assert "bob@maison.test" not in client.get("/admin/users").content.decode()


def test_a_simple_user_does_not_see_the_page(bob: User) -> None:
    assert signed_in(bob).get("/admin/users").status_code == 404
    assert signed_in(bob).post("/admin/users/new", NEW).status_code == 404


def test_adding_sends_the_two_letters(alice: User, letters: Letters) -> None:
    assert signed_in(alice).post("/admin/users/new", NEW)["Location"] == "/admin/users"
    dora = User.objects.get(login="dora")
    assert (dora.account, dora.mobile, dora.password_changed_at) == (alice.account, "+33612345670", None)
    assert len(letters.bodies()) == 2
    assert "Pas encore activé" in signed_in(alice).get("/admin/users").content.decode()


def test_an_inactive_login_is_invited_when_it_is_switched_on(alice: User, letters: Letters) -> None:
    client = signed_in(alice)
    client.post("/admin/users/new", {key: value for key, value in NEW.items() if key != "is_active"})
    assert letters.bodies() == []
    client.post(f"/admin/users/{User.objects.get(login='dora').pk}", NEW)
    assert len(letters.bodies()) == 2


def test_what_cannot_be_meant_is_said_beside_the_field(alice: User, bob: User) -> None:
    client = signed_in(alice)
    page = client.post("/admin/users/new", NEW | {"login": "BOB"}).content.decode()
    assert "Cet identifiant est déjà pris" in page
    page = client.post("/admin/users/new", NEW | {"mobile": "01 42 00 00 00"}).content.decode()
    assert "pas un numéro de mobile" in page
    assert not User.objects.filter(login="dora").exists()


def test_an_administrator_cannot_make_an_operator(alice: User) -> None:
    assert signed_in(alice).post("/admin/users/new", NEW | {"role": "operator"}).status_code == 200
    assert not User.objects.filter(login="dora").exists()


def test_switching_a_login_off_ends_its_sessions(alice: User, bob: User) -> None:
    inside = Client()
    inside.cookies["carillon_session"] = session_for(bob)
    form = {"login": "bob", "role": "user", "email": "bob@maison.test"}
    signed_in(alice).post(f"/admin/users/{bob.pk}", form)
    assert inside.get("/account/").status_code == 302
    assert not UserSession.objects.filter(user=bob).exists()


def test_one_cannot_take_ones_own_rights_away(alice: User) -> None:
    form = {"login": "alice", "role": "user", "email": "alice@maison.test", "is_active": "on"}
    page = signed_in(alice).post(f"/admin/users/{alice.pk}", form).content.decode()
    assert "retirer vos propres droits" in page
    alice.refresh_from_db()
    assert alice.role == "admin"


def test_people_of_a_sub_account_are_managed_from_above(alice: User) -> None:
    child = make_account(name="Branch", parent=alice.account)
    person = make_user(account=child, login="eve")
    assert signed_in(alice).get(f"/admin/users/{person.pk}").status_code == 200
