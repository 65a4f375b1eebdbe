"""Accounts are told what happened: signed, in order, retried, never into our own network, never in anyone's way."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from carillon.domain.errors import InvalidInput
from carillon.models import Account, Campaign, Message, Outbox, Reply, Webhook, WebhookDelivery
from carillon.services import (
    net_guard,
    optout_links,
    texts,
    webhook_calls,
    webhooks,
)
from tests.builders import make_account, make_connector

pytestmark = pytest.mark.django_db


class Receiver:
    """A real HTTP server on loopback that answers what it is told to and keeps what it got."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.location = ""
        self.size = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.calls.append((dict(self.headers), body))
                self.send_response(outer.answers.pop(0) if outer.answers else 200)
                if outer.location:
                    self.send_header("Location", outer.location)
                self.end_headers()
                try:
                    self.wfile.write(b"x" * outer.size)
                except OSError:
                    pass

            def log_message(self, *args: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.calls]


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_PRIVATE = True
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    receiver.thread.join()


def hook(receiver: Receiver, account: Account | None = None, **changes: Any) -> tuple[Webhook, str]:
    values: dict[str, Any] = {"url": receiver.url, "events": ["reply", "stop", "campaign.finished"]}
    return webhooks.create(account or make_account(), **(values | changes))


def fact(account: Account, text: str = "merci", *, message_id: int = 7, kind: str = "reply") -> None:
    reply = Reply.objects.create(
        account=account, message_id=message_id, msisdn=33612345678, to="36184", text=text, kind=kind,
        received_at=timezone.now(), handled_at=timezone.now(),
    )  # fmt: skip
    Outbox.objects.create(
        connector_id=0, account_id=account.pk, event=kind, payload={"reply_id": reply.pk}, at=timezone.now()
    )


def send(webhook: Webhook) -> None:
    webhooks.fan_out()
    webhook_calls.send_waiting(webhook.pk)


class Trickle(Receiver):
    """Answers byte by byte: `head` says how many lines of header come before the end of it, `body` how many bytes after."""

    def __init__(self, *, head: int, body: int) -> None:
        super().__init__()
        self.was_cut = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                pieces = [b"X-More: 1\r\n"] * head + [b"\r\n"] + [b"x"] * body
                try:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                    for piece in pieces:
                        self.wfile.write(piece)
                        self.wfile.flush()
                        time.sleep(0.02)
                except OSError:
                    outer.was_cut = True

            def log_message(self, *args: object) -> None: ...

        self.server.RequestHandlerClass = Handler


@pytest.mark.parametrize(("head", "body", "is_done"), [(1500, 0, False), (0, 1500, True)], ids=["head", "body"])
def test_a_receiver_that_trickles_its_answer_is_not_waited_for(
    settings: Any, monkeypatch: pytest.MonkeyPatch, head: int, body: int, is_done: bool
) -> None:
    settings.WEBHOOK_PRIVATE = True
    monkeypatch.setattr(webhook_calls, "CALL_S", 1.0)
    receiver = Trickle(head=head, body=body)
    try:
        webhook, _ = hook(receiver)
        fact(webhook.account)
        send(webhook)
        assert (WebhookDelivery.objects.get().state == "done") == is_done
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()
        receiver.thread.join()
    assert receiver.was_cut  # the trickle would last 30 s


def test_a_fact_becomes_one_signed_call(receiver: Receiver) -> None:
    webhook, secret = hook(receiver)
    fact(webhook.account)
    send(webhook)
    ((headers, body),) = receiver.calls
    stamp, mark = (part.split("=")[1] for part in headers["X-Carillon-Signature"].split(","))
    assert mark == hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    event = json.loads(body)
    assert (event["event"], event["data"]["text"], event["data"]["msisdn"]) == ("reply", "merci", "+33612345678")
    assert WebhookDelivery.objects.get().state == "done"
    assert webhooks.fan_out() == 0


def test_each_account_hears_only_what_it_asked_for(receiver: Receiver) -> None:
    webhook, _ = hook(receiver, events=["stop"])
    fact(webhook.account)
    fact(make_account(), kind="stop")
    send(webhook)
    assert receiver.calls == [] and Outbox.objects.count() == 0


def test_what_fails_comes_again_later_and_keeps_its_order(receiver: Receiver) -> None:
    webhook, _ = hook(receiver)
    receiver.answers = [404]
    fact(webhook.account, "one", message_id=1)
    fact(webhook.account, "two", message_id=1)
    fact(webhook.account, "other", message_id=2)
    send(webhook)
    assert [body["data"]["text"] for body in receiver.bodies()] == ["one", "other"]
    WebhookDelivery.objects.update(next_at=timezone.now())
    send(webhook)
    assert [body["data"]["text"] for body in receiver.bodies()] == ["one", "other", "one", "two"]


def test_an_ill_receiver_is_left_alone_then_paused_and_resumed(receiver: Receiver) -> None:
    webhook, _ = hook(receiver)
    receiver.answers = [500] * 20
    fact(webhook.account, "one", message_id=1)
    fact(webhook.account, "two", message_id=2)
    for calls in range(1, 21):
        WebhookDelivery.objects.update(next_at=timezone.now())
        send(webhook)
        assert len(receiver.calls) == calls  # the second event is not even tried
    webhook.refresh_from_db()
    assert webhook.paused_at is not None
    webhooks.resume(webhook)
    webhook_calls.send_waiting(webhook.pk)
    webhook.refresh_from_db()
    assert webhook.paused_at is None and webhook.failures == 0
    assert WebhookDelivery.objects.filter(state="done").count() == 2


def test_the_others_wait_until_an_ill_receiver_answers_again(receiver: Receiver) -> None:
    webhook, _ = hook(receiver)
    receiver.answers = [500]
    for message_id in (1, 2, 3):
        fact(webhook.account, str(message_id), message_id=message_id)
    webhooks.fan_out()
    for _ in range(3):
        ProcrastinateJob.objects.all()._raw_delete("default")  # the one that runs
        webhook_calls.send_waiting(webhook.pk)
    assert len(receiver.calls) == 1
    job = ProcrastinateJob.objects.get(task_name="webhooks.send")
    assert job.scheduled_at == WebhookDelivery.objects.get(attempts=1).next_at
    WebhookDelivery.objects.filter(attempts=1).update(next_at=timezone.now())
    send(webhook)
    assert [body["data"]["text"] for body in receiver.bodies()] == ["1", "1", "2", "3"]


def test_a_receiver_that_stays_silent_is_paused_and_asked_every_hour(receiver: Receiver) -> None:
    webhook, _ = hook(receiver)
    receiver.answers = [503] * 5
    fact(webhook.account)
    for _ in range(5):
        webhook.refresh_from_db()
        assert webhook.paused_at is None
        WebhookDelivery.objects.update(next_at=timezone.now())
        send(webhook)
    webhook.refresh_from_db()
    assert webhook.paused_at is not None
    assert WebhookDelivery.objects.get().next_at > timezone.now() + timedelta(minutes=55)
    WebhookDelivery.objects.update(next_at=timezone.now())
    send(webhook)  # it answers again
    webhook.refresh_from_db()
    assert webhook.paused_at is None


def test_receivers_that_failed_are_called_one_at_a_time(receiver: Receiver) -> None:
    webhook, _ = hook(receiver)
    receiver.answers = [503]
    fact(webhook.account)
    send(webhook)
    WebhookDelivery.objects.update(next_at=timezone.now())
    with psycopg.connect(**connection.get_connection_params()) as another:
        another.execute("SELECT pg_advisory_lock(%s, 0)", [webhook_calls.TURN_LOCK])
        webhook_calls.send_waiting(webhook.pk)
        assert len(receiver.calls) == 1
        assert ProcrastinateJob.objects.filter(task_name="webhooks.send", status="todo").exists()
        another.execute("SELECT pg_advisory_unlock(%s, 0)", [webhook_calls.TURN_LOCK])
    webhook_calls.send_waiting(webhook.pk)
    assert len(receiver.calls) == 2


def test_a_receiver_that_refuses_one_event_gets_the_others(receiver: Receiver) -> None:
    webhook, _ = hook(receiver)
    receiver.answers = [404]
    fact(webhook.account, "one", message_id=1)
    send(webhook)
    fact(webhook.account, "other", message_id=2)
    send(webhook)
    assert [body["data"]["text"] for body in receiver.bodies()] == ["one", "other"]


def test_after_48_hours_it_is_given_up(receiver: Receiver) -> None:
    webhook, _ = hook(receiver)
    receiver.answers = [503]
    fact(webhook.account)
    webhooks.fan_out()
    WebhookDelivery.objects.update(created_at=timezone.now() - timedelta(hours=49))
    webhook_calls.send_waiting(webhook.pk)
    assert WebhookDelivery.objects.get().state == "failed"
    webhooks.replay(WebhookDelivery.objects.get())
    webhook_calls.send_waiting(webhook.pk)
    assert len(receiver.calls) == 2 and WebhookDelivery.objects.filter(state="done").count() == 1


def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(receiver: Receiver) -> None:
    webhook, old = hook(receiver)
    now = timezone.now()
    new = webhooks.rotate_secret(webhook, now=now)
    assert webhooks.secrets_of(webhook, now=now) == [new, old]
    assert webhooks.secrets_of(webhook, now=now + timedelta(hours=25)) == [new]


def test_a_test_call_can_be_asked_for(receiver: Receiver) -> None:
    webhook, _ = hook(receiver)
    webhooks.send_test(webhook)
    webhook_calls.send_waiting(webhook.pk)
    assert receiver.bodies()[0]["event"] == "test"


def test_huge_answers_and_redirects_to_elsewhere_are_handled(receiver: Receiver) -> None:
    webhook, _ = hook(receiver)
    receiver.size = 30_000_000
    fact(webhook.account)
    send(webhook)
    assert WebhookDelivery.objects.get().state == "done"
    receiver.size, receiver.location = 0, "http://user:pw@127.0.0.1:9/"
    receiver.answers = [307]
    fact(webhook.account)
    send(webhook)
    assert "password" in WebhookDelivery.objects.latest("id").last_error


def test_a_redirect_into_our_own_network_is_not_followed(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook, _ = hook(receiver)
    settings.WEBHOOK_PRIVATE, settings.DEBUG = False, True  # http, and the rules of a public platform …
    monkeypatch.setattr(net_guard, "_is_allowed", lambda address: str(address) == "127.0.0.1")  # … but for the receiver
    receiver.answers, receiver.location = [307], receiver.url.replace("127.0.0.1", "127.0.0.2")
    fact(webhook.account)
    send(webhook)
    assert len(receiver.calls) == 1
    delivery = WebhookDelivery.objects.get()
    assert delivery.state == "waiting" and "inside a private network" in delivery.last_error


@pytest.mark.parametrize(
    "url",
    [
        "http://example.test/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.8/", "https://169.254.169.254/latest",
        "https://[::ffff:10.0.0.8]/", "https://user:pw@example.test/", "ftp://example.test/", "https://example.test:22/",
        "https://", "https://exa mple.test/", "javascript:alert(1)", "https://example.test:99999/",
    ],
)  # fmt: skip
def test_addresses_that_are_never_called(url: str) -> None:
    with pytest.raises(InvalidInput):
        webhooks.create(make_account(), url=url, events=["reply"])


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "fd00::1", "0.0.0.0"])
def test_a_name_that_points_inside_is_not_called(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "socket.getaddrinfo", lambda *a, **k: [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", (address, 443))]
    )
    with pytest.raises(net_guard.Forbidden):
        net_guard.resolve("https://rebinding.example.test/")


def test_unknown_events_and_sizes_are_refused(receiver: Receiver) -> None:
    for wrong in ({"events": ["nonsense"]}, {"events": []}, {"batch_size": 501}, {"format": "xml"}):
        with pytest.raises(InvalidInput):
            hook(receiver, **wrong)


def test_nobody_is_told_of_the_platforms_own_texts(receiver: Receiver) -> None:
    webhook, _ = hook(receiver, events=["receipt", "campaign.finished"])
    make_connector()
    message_id = texts.send_text(webhook.account, msisdn=33612345678, text="Votre code : 123456", is_free=True)
    message = Message.objects.get(id=message_id)
    for event, payload in (
        ("message.status", {"campaign_id": message.campaign_id, "status": 16, "messages": [message_id]}),
        ("campaign.finished", {"campaign_id": message.campaign_id, "counts": {"16": 1}}),
    ):
        Outbox.objects.create(
            connector_id=0, account_id=webhook.account_id, event=event, payload=payload, at=timezone.now()
        )
    send(webhook)
    assert receiver.calls == []
    Campaign.objects.filter(pk=message.campaign_id).update(origin="api")
    Outbox.objects.create(
        connector_id=0, account_id=webhook.account_id, event="message.status", at=timezone.now(),
        payload={"campaign_id": message.campaign_id, "status": 16, "messages": [message_id]},
    )  # fmt: skip
    send(webhook)
    assert receiver.bodies()[0]["data"]["message_id"] == message_id


def test_calls_that_no_job_has_taken_are_found_again(receiver: Receiver) -> None:
    webhook, _ = hook(receiver)
    fact(webhook.account)
    webhooks.fan_out()
    ProcrastinateJob.objects.all()._raw_delete("default")  # the job broke, and nothing else happens in this account
    assert webhooks.wake_due(now=timezone.now()) == 0
    assert webhooks.wake_due(now=timezone.now() + timedelta(minutes=1)) == 1
    assert ProcrastinateJob.objects.get().args == {"webhook_id": webhook.pk}


@pytest.mark.parametrize("format", ["carillon", "smsfactor"])
def test_an_opt_out_by_link_is_told_as_a_stop(receiver: Receiver, format: str) -> None:
    webhook, _ = hook(receiver, format=format)
    make_connector()
    message_id = texts.send_text(webhook.account, msisdn=33612345678, text="Bonjour", is_free=True)
    for _ in range(2):  # the second confirmation changes nothing, and is not told
        assert optout_links.confirm(message_id) is not None
    send(webhook)
    (body,) = receiver.bodies()
    number = body["data"]["msisdn"] if format == "carillon" else "+" + body["from"]
    assert number == "+33612345678"
