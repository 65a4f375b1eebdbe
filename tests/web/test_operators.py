"""What only operators see: health, accounts, connectors, routes, tariffs, sender names to decide."""

from __future__ import annotations

import pytest
from django.test import Client

from carillon.models import Account, Connector, Route, Sender, Tariff, User
from carillon.services import callbacks, connectors
from tests.builders import make_account, make_connector
from tests.web.conftest import Letters, signed_in

PAGES = ["", "accounts", "accounts/new", "connectors", "connectors/new", "routes", "senders"]
SMPP = {"name": "North", "kind": "smpp", "options": "host=smsc.example\nport=2775\nsystem_id=us\n", "secret": "s3cret",
        "is_enabled": "on"}  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_must_sign_in_and_an_administrator_finds_nothing(client: Client, alice: User, page: str) -> None:
    assert client.get(f"/ops/{page}").status_code == 302
    assert signed_in(alice).get(f"/ops/{page}").status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_an_operator_sees_them(olga: User, page: str) -> None:
    make_connector(name="North", state="down", state_reason="refused")
    assert signed_in(olga).get(f"/ops/{page}").status_code == 200


def test_an_administrator_changes_nothing_there(alice: User) -> None:
    connector, sender = make_connector(), Sender.objects.create(account=alice.account, name="Maison")
    client = signed_in(alice)
    for path in (
        f"connectors/{connector.pk}/switch", f"connectors/{connector.pk}/remove", f"senders/{sender.pk}/decide",
        f"accounts/{alice.account_id}/grant", "routes/add", "tariffs/set",
    ):  # fmt: skip
        assert client.post(f"/ops/{path}", {"amount": "100", "state": "allowed"}).status_code == 404
    alice.account.refresh_from_db()
    assert alice.account.balance == 100_000


def test_a_connector_is_added_checked_and_its_password_stays_hidden(olga: User) -> None:
    client = signed_in(olga)
    page = client.post("/ops/connectors/new", SMPP | {"options": "host=smsc.example\nsystem_id=us\nwindow=many"})
    assert page.status_code == 200
    assert "window" in page.content.decode()
    assert not Connector.objects.exists()
    client.post("/ops/connectors/new", SMPP)
    connector = Connector.objects.get()
    assert connectors.secret_of(connector) == "s3cret"
    assert "s3cret" not in client.get(f"/ops/connectors/{connector.pk}").content.decode()
    client.post(f"/ops/connectors/{connector.pk}", SMPP | {"name": "South", "secret": ""})
    connector.refresh_from_db()
    assert (connector.name, connectors.secret_of(connector)) == ("South", "s3cret")
    client.post(f"/ops/connectors/{connector.pk}/switch")
    connector.refresh_from_db()
    assert not connector.is_enabled


def test_a_second_secret_of_a_provider_stays_hidden_and_is_kept(olga: User) -> None:
    client = signed_in(olga)
    kannel = {"name": "box", "kind": "kannel", "secret": "s3cret", "is_enabled": "on",
              "options": "url=https://box.example\nusername=us\ncallback_token=hush-hush"}  # fmt: skip
    client.post("/ops/connectors/new", kannel)
    connector = Connector.objects.get()
    page = client.get(f"/ops/connectors/{connector.pk}")
    assert "hush-hush" not in page.content.decode() + str(connector.options)
    assert callbacks.url_of(connector) in page.content.decode()
    shown = page.context["form"].initial["options"]
    client.post(f"/ops/connectors/{connector.pk}", kannel | {"secret": "", "options": f"{shown}\nsmsc=one"})
    connector.refresh_from_db()
    assert connectors.options_of(connector) == {
        "url": "https://box.example", "username": "us", "callback_token": "hush-hush", "smsc": "one",
    }  # fmt: skip


def test_a_route_and_a_tariff_are_added_and_explained(olga: User) -> None:
    client, connector, account = signed_in(olga), make_connector(name="North"), make_account(name="House")
    form = {"name": "all", "connector": connector.pk, "priority": "10", "weight": "1", "country": "fr"}
    assert client.post("/ops/routes/add", form).status_code == 302
    assert Route.objects.get().country == "FR"
    assert client.post("/ops/routes/add", form).status_code == 422
    client.post("/ops/tariffs/set", {"country": "BE", "price": "1,5"})
    assert Tariff.objects.get(country="BE").price == 150
    page = client.get("/ops/routes", {"number": "06 12 34 56 78", "account": account.pk, "traffic": "MKG"})
    assert "all : la plus petite priorité qui convient (10)." in page.content.decode()
    assert "all → North : convient (priorité 10)" in page.content.decode()
    client.post(f"/ops/routes/{Route.objects.get().pk}/remove")
    assert not Route.objects.exists()


def test_an_account_is_opened_with_credits_and_an_administrator(olga: User, letters: Letters) -> None:
    client = signed_in(olga)
    form = {"name": "House", "credit_mode": "limited", "max_segments": "3", "countries": "fr, be", "is_active": "on",
            "short_code_mkg": "36184", "short_code_notification": "38184", "closes_at_hour": "20", "weight": "3"}  # fmt: skip
    client.post("/ops/accounts/new", form)
    account = Account.objects.get(name="House")
    assert (account.max_segments, account.countries, account.weight) == (3, ["FR", "BE"], 3)
    assert client.post(f"/ops/accounts/{account.pk}", form | {"weight": "101"}).status_code == 200
    client.post(f"/ops/accounts/{account.pk}/grant", {"amount": "250", "note": "opening"})
    account.refresh_from_db()
    assert account.balance == 25_000
    person = {"login": "boss", "role": "admin", "email": "boss@house.test", "is_active": "on"}
    client.post(f"/ops/accounts/{account.pk}/users/new", person)
    assert User.objects.get(login="boss").account == account
    assert len(letters.bodies()) == 2


def test_a_sender_name_is_allowed_or_refused_with_a_reason(olga: User, charlie: User) -> None:
    sender = Sender.objects.create(account=charlie.account, name="Ailleurs")
    client = signed_in(olga)
    client.post(f"/ops/senders/{sender.pk}/decide", {"state": "refused", "reason": "Marque d'un autre"})
    sender.refresh_from_db()
    assert (sender.state, sender.reason) == ("refused", "Marque d'un autre")
    assert "Marque d&#x27;un autre" in signed_in(charlie).get("/admin/senders").content.decode()


def test_health_says_what_is_wrong(olga: User) -> None:
    page = signed_in(olga).get("/ops/").content.decode()
    assert "Aucun connecteur n&#x27;est activé" in page
    make_connector()
    assert "Aucune passerelle ne tourne" in signed_in(olga).get("/ops/").content.decode()


def test_metrics_are_for_operators_and_for_the_token(client: Client, alice: User, olga: User, settings) -> None:
    make_connector(name='No"rth')
    assert client.get("/metrics").status_code == 404
    assert signed_in(alice).get("/metrics").status_code == 404
    assert 'carillon_connector_up{connector="No\\"rth"} 0' in signed_in(olga).get("/metrics").content.decode()
    settings.METRICS_TOKEN = "prometheus"
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer prometheus"}).status_code == 200


@pytest.mark.django_db
def test_the_process_says_that_it_lives(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"


def test_refusals_are_in_the_words_of_a_person(olga: User) -> None:
    client, connector, account = signed_in(olga), make_connector(), make_account(balance=1000)
    route = {"name": "r", "connector": connector.pk, "priority": "1", "weight": "1", "prefix": "+33"}
    assert "ne contient que des chiffres" in client.post("/ops/routes/add", route).content.decode()
    tariff = {"country": "F1", "price": "1"}
    assert "en deux lettres" in client.post("/ops/tariffs/set", tariff).content.decode()
    page = client.post(f"/ops/accounts/{account.pk}/grant", {"amount": "-50"}).content.decode()
    assert "pas tant de crédits" in page
