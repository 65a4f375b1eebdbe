"""Brands, sender names, sub-accounts, settings of the account: rights first, then what they do."""

from __future__ import annotations

import pytest
from django.test import Client

from carillon.models import Account, Brand, Sender, User
from carillon.services import brands, subaccounts
from tests.builders import make_account, make_campaign
from tests.web.conftest import Letters, signed_in

PAGES = ["users", "brands", "senders", "accounts", "accounts/new", "settings"]


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_must_sign_in_and_a_simple_user_finds_nothing(client: Client, bob: User, page: str) -> None:
    assert client.get(f"/admin/{page}").status_code == 302
    assert signed_in(bob).get(f"/admin/{page}").status_code == 404


def test_another_houses_brand_does_not_exist(alice: User, charlie: User) -> None:
    brand = brands.add(alice.account, "Nord")
    client = signed_in(charlie)
    assert client.get(f"/admin/brands/{brand.pk}").status_code == 404
    assert client.post(f"/admin/brands/{brand.pk}/remove").status_code == 404
    assert Brand.objects.filter(pk=brand.pk).exists()


def test_brands_are_added_renamed_and_removed_until_they_are_used(alice: User) -> None:
    client = signed_in(alice)
    client.post("/admin/brands", {"name": "Nord"})
    assert "déjà pris" in client.post("/admin/brands", {"name": "nord"}).content.decode()
    brand = Brand.objects.get()
    client.post(f"/admin/brands/{brand.pk}", {"name": "Sud", "is_client": "on"})
    brand.refresh_from_db()
    assert (brand.name, brand.is_client) == ("Sud", True)
    make_campaign(alice.account, brand=brand)
    page = client.post(f"/admin/brands/{brand.pk}/remove", follow=True).content.decode()
    assert "ne peut plus être supprimée" in page
    assert Brand.objects.filter(pk=brand.pk).exists()


def test_a_sender_name_waits_for_the_operators_unless_the_account_is_for_tests(alice: User, charlie: User) -> None:
    signed_in(alice).post("/admin/senders", {"name": "Maison"})
    assert Sender.objects.get(name="Maison").state == Sender.State.ALLOWED
    signed_in(charlie).post("/admin/senders", {"name": "Ailleurs"})
    assert Sender.objects.get(name="Ailleurs").state == Sender.State.WAITING


def test_a_bad_sender_name_is_refused_with_a_proposal(alice: User) -> None:
    page = signed_in(alice).post("/admin/senders", {"name": "Chez Rémi !"}).content.decode()
    assert "Par exemple" in page
    assert not Sender.objects.exists()


def test_a_sender_name_is_withdrawn_by_its_own_house_only(alice: User, charlie: User) -> None:
    sender = Sender.objects.create(account=alice.account, name="Maison")
    assert signed_in(charlie).post(f"/admin/senders/{sender.pk}/withdraw").status_code == 404
    signed_in(alice).post(f"/admin/senders/{sender.pk}/withdraw")
    assert not Sender.objects.exists()


def test_a_sub_account_is_created_with_credits_and_gives_them_back(alice: User) -> None:
    client = signed_in(alice)
    client.post("/admin/accounts/new", {"name": "Branch", "mode": "limited", "amount": "100,50"})
    child = Account.objects.get(name="Branch")
    alice.account.refresh_from_db()
    assert (child.balance, alice.account.balance, child.parent) == (10_050, 89_950, alice.account)
    client.post(f"/admin/accounts/{child.pk}/give", {"amount": "10"})
    client.post(f"/admin/accounts/{child.pk}/reset")
    child.refresh_from_db()
    alice.account.refresh_from_db()
    assert (child.balance, alice.account.balance) == (0, 100_000)


def test_one_cannot_give_what_one_has_not(alice: User) -> None:
    child = subaccounts.create(alice, name="Branch", mode="limited")
    response = signed_in(alice).post(f"/admin/accounts/{child.pk}/give", {"amount": "5000"})
    assert response.status_code == 422
    assert "Crédit insuffisant" in response.content.decode()


def test_a_closed_sub_account_lets_nobody_in(alice: User) -> None:
    child = subaccounts.create(alice, name="Branch", mode="unlimited")
    form = {"name": "Branch", "credit_mode": "unlimited"}
    signed_in(alice).post(f"/admin/accounts/{child.pk}", form)
    child.refresh_from_db()
    assert child.is_active is False


def test_another_houses_sub_account_does_not_exist(alice: User, charlie: User) -> None:
    child = subaccounts.create(alice, name="Branch", mode="limited", amount=1000)
    client = signed_in(charlie)
    for path in ("", "/give", "/reset"):
        assert client.post(f"/admin/accounts/{child.pk}{path}", {"amount": "1"}).status_code == 404
    child.refresh_from_db()
    assert child.balance == 1000


def test_the_settings_are_kept_and_a_wrong_network_is_refused(alice: User) -> None:
    client = signed_in(alice)
    form = {"requires_second_factor": "on", "ip_allow_list": "203.0.113.7\n2001:db8::/48\n", "cap_messages": "4",
            "cap_days": "30", "closes_at_hour": "19", "stop_words": "Plus de  pub, ANNULER,"}  # fmt: skip
    assert "ni une adresse" in client.post("/admin/settings", form | {"ip_allow_list": "somewhere"}).content.decode()
    assert client.post("/admin/settings", form)["Location"] == "/admin/settings"
    account = Account.objects.get(pk=alice.account_id)
    assert account.ip_allow_list == ["203.0.113.7", "2001:db8::/48"]
    assert (account.closes_at_hour, account.cap_messages, account.sends_stop_confirmation) == (19, 4, False)
    assert account.stop_words == ["Plus de pub", "ANNULER"]


def test_hours_never_go_beyond_the_legal_ones(alice: User) -> None:
    form = {"cap_messages": "0", "cap_days": "30", "closes_at_hour": "23"}
    assert signed_in(alice).post("/admin/settings", form).status_code == 200
    assert Account.objects.get(pk=alice.account_id).closes_at_hour == 20


def test_people_are_added_to_a_sub_account_and_stay_in_it(alice: User, charlie: User, letters: Letters) -> None:
    child = subaccounts.create(alice, name="Branch", mode="limited")
    person = {"login": "eve", "role": "admin", "email": "eve@branch.test", "is_active": "on"}
    assert signed_in(charlie).post(f"/admin/accounts/{child.pk}/users/new", person).status_code == 404
    signed_in(alice).post(f"/admin/accounts/{child.pk}/users/new", person)
    eve = User.objects.get(login="eve")
    assert eve.account == child
    assert len(letters.bodies()) == 2
    assert "eve" in signed_in(alice).get(f"/admin/accounts/{child.pk}").content.decode()
    assert signed_in(eve).get(f"/admin/users/{alice.pk}").status_code == 404


def test_a_sub_account_inherits_limits_but_has_no_children(alice: User) -> None:
    alice.account.max_segments = 4
    alice.account.save()
    child = subaccounts.create(alice, name="Branch", mode="limited")
    assert child.max_segments == 4
    chief = User.objects.create(account=child, login="chief", role="admin")
    page = signed_in(chief).post("/admin/accounts/new", {"name": "Twig", "mode": "limited"}).content.decode()
    assert "ne peut pas avoir de sous-comptes" in page
    assert not Account.objects.filter(name="Twig").exists()


def test_other_accounts_names_are_taken_too(alice: User) -> None:
    make_account(name="Taken")
    page = signed_in(alice).post("/admin/accounts/new", {"name": "taken", "mode": "limited"}).content.decode()
    assert "déjà pris" in page
