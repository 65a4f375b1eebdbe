"""Webhooks from the pages: the account's administrators, the secret once, try, pause, play again."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from carillon.models import User, Webhook, WebhookDelivery
from carillon.services import webhooks
from tests.web.conftest import signed_in

FORM = {"url": "https://example.org/hook", "events": ["receipt", "stop"], "format": "carillon", "batch_size": "10",
        "is_enabled": "on"}  # fmt: skip


def make_webhook(user: User) -> Webhook:
    return webhooks.create(user.account, url="https://example.org/hook", events=["reply"], user=user)[0]


def test_a_stranger_must_sign_in_and_a_simple_user_finds_nothing(client: Client, bob: User) -> None:
    for page in ("webhooks", "webhooks/new"):
        assert client.get(f"/developer/{page}").status_code == 302
        assert signed_in(bob).get(f"/developer/{page}").status_code == 404


def test_another_houses_webhook_does_not_exist(alice: User, charlie: User) -> None:
    hook = make_webhook(alice)
    call = webhooks.send_test(hook)
    client = signed_in(charlie)
    assert client.get(f"/developer/webhooks/{hook.pk}").status_code == 404
    assert client.get(f"/developer/deliveries/{call.pk}").status_code == 404
    for deed in ("test", "resume", "rotate", "delete"):
        assert client.post(f"/developer/webhooks/{hook.pk}/{deed}").status_code == 404
    assert client.post(f"/developer/deliveries/{call.pk}/replay").status_code == 404
    assert Webhook.objects.filter(pk=hook.pk).exists()


def test_the_secret_is_shown_once_and_again_when_it_is_replaced(alice: User) -> None:
    client = signed_in(alice)
    page = client.post("/developer/webhooks/new", FORM).content.decode()
    hook = Webhook.objects.get()
    found = re.search(r"whsec_[\w-]+", page)
    assert found
    assert webhooks.secrets_of(hook, now=timezone.now()) == [found[0]]
    assert found[0] not in client.get(f"/developer/webhooks/{hook.pk}").content.decode()
    replaced = client.post(f"/developer/webhooks/{hook.pk}/rotate").content.decode()
    assert "whsec_" in replaced
    assert found[0] not in replaced


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"url": "http://example.org/"}, "commencer par https"),
        ({"url": "https://127.0.0.1/"}, "réseau privé"),
        ({"events": []}, "obligatoire"),
        ({"batch_size": "501"}, "500"),
    ],
)
def test_what_cannot_be_called_is_refused_beside_its_field(alice: User, change: dict, sentence: str) -> None:
    page = signed_in(alice).post("/developer/webhooks/new", FORM | change).content.decode()
    assert sentence in page
    assert not Webhook.objects.exists()


def test_a_call_is_tried_shown_and_played_again(alice: User) -> None:
    client, hook = signed_in(alice), make_webhook(alice)
    client.post(f"/developer/webhooks/{hook.pk}/test")
    call = WebhookDelivery.objects.get()
    assert "Essai" in client.get(f"/developer/webhooks/{hook.pk}").content.decode()
    assert "Carillon" in client.get(f"/developer/deliveries/{call.pk}").content.decode()
    client.post(f"/developer/deliveries/{call.pk}/replay")
    assert WebhookDelivery.objects.count() == 2


def test_a_paused_webhook_says_so_and_resumes(alice: User) -> None:
    client, hook = signed_in(alice), make_webhook(alice)
    Webhook.objects.update(paused_at=timezone.now(), failures=30)
    assert "Suspendu le" in client.get(f"/developer/webhooks/{hook.pk}").content.decode()
    client.post(f"/developer/webhooks/{hook.pk}/resume")
    assert Webhook.objects.get().paused_at is None


def test_it_is_changed_and_deleted(alice: User) -> None:
    client, hook = signed_in(alice), make_webhook(alice)
    client.post(f"/developer/webhooks/{hook.pk}", FORM | {"is_enabled": ""})
    hook.refresh_from_db()
    assert (hook.events, hook.batch_size, hook.is_enabled) == (["receipt", "stop"], 10, False)
    client.post(f"/developer/webhooks/{hook.pk}/delete")
    assert not Webhook.objects.exists()
