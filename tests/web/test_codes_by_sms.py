"""Second-factor codes by SMS: on the platform's own road, and readable by nobody else afterwards."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from carillon.domain.errors import NotFound
from carillon.models import Campaign, Message, User
from carillon.services import campaigns, mailbox, message_history, second_factor
from tests.builders import PASSWORD, make_connector
from tests.web.conftest import Letters, signed_in


@pytest.fixture
def by_sms(alice: User) -> User:
    make_connector(name="simulator", kind="simulator", is_simulator=True)
    alice.second_factor = "sms"
    alice.save()
    return alice


def sent_code() -> tuple[Message, str]:
    message = Message.objects.get(msisdn=33612345678)
    found = re.match(r"(\d{6}) est votre code", message.text or "")
    assert found
    return message, found[1]


def test_the_code_leaves_by_the_gateway_free_of_charge_and_opens(client: Client, by_sms: User) -> None:
    client.post("/login", {"login": "alice", "password": PASSWORD})
    page = client.get("/login/code").content.decode()
    assert "envoyé un code par SMS" in page
    assert "78" in page
    message, code = sent_code()
    assert message.price == 0
    assert client.post("/login/code", {"code": code}).status_code == 302


def test_no_administrator_and_no_operator_reads_it(by_sms: User, bob: User, olga: User) -> None:
    bob.role = "admin"
    bob.save()
    second_factor.send_code(by_sms, now=timezone.now())
    message, code = sent_code()
    campaign = Campaign.objects.get(pk=message.campaign_id)
    for person in (bob, olga):
        with pytest.raises(NotFound):
            message_history.get(person, message.id)
        with pytest.raises(NotFound):
            campaigns.get(person, campaign.pk)
        client = signed_in(person)
        for path in (
            f"/campaigns/{campaign.pk}/report",
            f"/campaigns/{campaign.pk}/message",
            f"/campaigns/{campaign.pk}/messages/{message.id}",
        ):
            assert client.get(path).status_code == 404
        assert code not in client.get("/campaigns/").content.decode()


def test_without_a_connector_the_code_goes_by_email(alice: User, letters: Letters) -> None:
    alice.second_factor = "sms"
    alice.save()
    assert second_factor.send_code(alice, now=timezone.now()) == "email"
    assert re.search(r"\d{6}", letters.last())


def test_the_demonstration_mailbox_shows_letters_and_codes(client: Client, by_sms: User, settings, tmp_path) -> None:
    assert client.get("/mailbox/").status_code == 404
    second_factor.send_code(by_sms, now=timezone.now())
    (tmp_path / "20261201-090000-1.log").write_bytes(
        b"Content-Type: text/plain; charset=utf-8\nSubject: =?utf-8?q?Bonjour_=C3=A0_tous?=\nTo: bob@maison.test\n\nLe texte\n"
        + b"-" * 79
        + b"\n"
    )
    settings.MAILBOX = tmp_path
    page = client.get("/mailbox/").content.decode()
    assert "Bonjour à tous" in page
    assert sent_code()[1] in page
    assert {letter.is_sms for letter in mailbox.letters(tmp_path)} == {True, False}


def test_codes_of_real_accounts_are_never_in_the_mailbox(by_sms: User, tmp_path) -> None:
    second_factor.send_code(by_sms, now=timezone.now())
    by_sms.account.is_test = False
    by_sms.account.save()
    assert mailbox.letters(tmp_path) == []
