"""« Mon compte »: profile, credits, balance alert."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.test import Client
from django.utils import timezone

from carillon.models import Account, Campaign, User
from carillon.services import balance_alerts, credits
from tests.builders import PASSWORD, make_campaign
from tests.web.conftest import Letters, signed_in

PROFILE = {"first_name": "Alice", "last_name": "Martin", "email": "alice@maison.test", "mobile": "06.12.34.56.78",
           "default_sender": "Maison", "reply_email": "", "language": "fr", "theme": "dark"}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/account/", "/account/profile", "/account/credits", "/account/balance-alert"])
def test_a_stranger_must_sign_in(client: Client, path: str) -> None:
    assert client.get(path).status_code == 302


def test_the_profile_is_kept(alice: User) -> None:
    client = signed_in(alice)
    client.post("/account/", PROFILE | {"current": PASSWORD})
    alice.refresh_from_db()
    assert (alice.mobile, alice.default_sender, alice.theme, alice.has_shortcuts) == (
        "+33612345678", "Maison", "dark", False,
    )  # fmt: skip
    page = client.get("/account/").content.decode()
    assert 'data-theme="dark"' in page
    assert 'data-module="shortcuts"' not in page


def test_the_former_address_learns_that_the_address_has_changed(alice: User, letters: Letters) -> None:
    client = signed_in(alice)
    client.post("/account/", PROFILE | {"mobile": alice.mobile})
    assert letters.bodies() == []
    client.post("/account/", PROFILE | {"mobile": alice.mobile, "email": "other@elsewhere.test", "current": PASSWORD})
    assert "vient d'être changé" in letters.last()
    assert django_mail.outbox[-1].to == ["alice@maison.test"]


@pytest.mark.parametrize("change", [{"email": "thief@elsewhere.test"}, {"mobile": "06 99 99 99 99"}])
@pytest.mark.parametrize(
    ("current", "sentence"), [("", "Indiquez votre mot de passe"), ("guess", "pas votre mot de passe")]
)
def test_who_only_holds_the_browser_cannot_move_the_codes(
    alice: User, letters: Letters, change: dict[str, str], current: str, sentence: str
) -> None:
    before = (alice.email, alice.mobile)
    page = signed_in(alice).post("/account/", PROFILE | {"mobile": alice.mobile} | change | {"current": current})
    assert sentence in page.content.decode()
    alice.refresh_from_db()
    assert (alice.email, alice.mobile) == before


def test_an_administrator_changes_the_own_contacts_only_with_the_password(alice: User) -> None:
    form = {"login": "alice", "role": "admin", "email": "thief@elsewhere.test", "is_active": "on"}
    page = signed_in(alice).post(f"/admin/users/{alice.pk}", form).content.decode()
    assert "se changent dans « Mon compte »" in page
    alice.refresh_from_db()
    assert alice.email == "alice@maison.test"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("mobile", "0142000000", "pas un numéro de mobile"),
        ("default_sender", "Chez Rémi", "Par exemple"),
        ("reply_email", "nobody", "adresse"),
    ],
)
def test_a_wrong_value_is_said_beside_its_field(alice: User, field: str, value: str, sentence: str) -> None:
    page = signed_in(alice).post("/account/", PROFILE | {field: value}).content.decode()
    assert sentence in page
    assert 'aria-invalid="true"' in page


def test_the_ledger_shows_a_simple_user_only_the_own_campaigns(alice: User, bob: User) -> None:
    hers = make_campaign(alice.account, name="Hers", user=alice)
    his = make_campaign(alice.account, name="His", user=bob)
    for campaign in Campaign.objects.filter(pk__in=[hers.pk, his.pk]):
        credits.reserve(campaign, 500)
    everything = signed_in(alice).get("/account/credits").content.decode()
    assert "Hers" in everything
    assert "His" in everything
    his_page = signed_in(bob).get("/account/credits").content.decode()
    assert "Hers" not in his_page
    assert "+5" in his_page


def test_the_alert_needs_someone_to_tell(alice: User) -> None:
    form = {"is_on": "on", "threshold": "50", "email": "", "mobile": ""}
    assert "Indiquez qui prévenir" in signed_in(alice).post("/account/balance-alert", form).content.decode()


def test_a_simple_user_sets_no_alert(bob: User) -> None:
    assert signed_in(bob).get("/account/balance-alert").status_code == 404


def test_the_alert_is_sent_once_and_again_after_the_balance_has_risen(alice: User, letters: Letters) -> None:
    form = {"is_on": "on", "threshold": "50,5", "email": "boss@maison.test", "mobile": ""}
    signed_in(alice).post("/account/balance-alert", form)
    now, account = timezone.now(), Account.objects.get(pk=alice.account_id)
    assert account.alert_threshold == 5050
    assert balance_alerts.check_all(now) == 0
    credits.grant(account, -96_000)
    assert balance_alerts.check_all(now) == 1
    assert balance_alerts.check_all(now + timedelta(minutes=5)) == 0
    assert "Il reste 40 crédits" in letters.last()
    credits.grant(account, 10_000)
    assert balance_alerts.check_all(now + timedelta(minutes=10)) == 0
    credits.grant(account, -10_000)
    assert balance_alerts.check_all(now + timedelta(minutes=15)) == 1


def test_the_balance_stands_in_the_top_bar(alice: User) -> None:
    page = signed_in(alice).get("/account/").content.decode()
    assert re.search(r'<strong id="balance">1\s000</strong>', page)
