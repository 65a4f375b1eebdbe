"""What webhook calls say: built from facts, in batches, in our form or SMSFactor's."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from carillon.domain.visitors import Device
from carillon.models import Account, Message, Outbox, Reply, Webhook, WebhookDelivery
from carillon.services import campaigns, clicks, launching, preparation, webhooks
from carillon.services.clicks import Visit
from tests.builders import make_account, make_campaign, make_connector, make_list, make_sendable_campaign

pytestmark = pytest.mark.django_db


def hook(**changes: Any) -> Webhook:
    values: dict[str, Any] = {"url": "https://hooks.example/", "events": ["reply", "stop"]}
    return webhooks.create(make_account(), **(values | changes))[0]


def fact(account: Account, text: str, *, message_id: int = 7, kind: str = "reply") -> None:
    reply = Reply.objects.create(
        account=account, message_id=message_id, msisdn=33612345678, to="36184", text=text, kind=kind,
        received_at=timezone.now(), handled_at=timezone.now(),
    )  # fmt: skip
    Outbox.objects.create(
        connector_id=0, account_id=account.pk, event=kind, payload={"reply_id": reply.pk}, at=timezone.now()
    )


def bodies(webhook: Webhook) -> list[Any]:
    """Of the calls to make, once every fact is taken."""
    while webhooks.fan_out():
        pass
    return list(WebhookDelivery.objects.filter(webhook=webhook).order_by("id").values_list("body", flat=True))


def test_facts_are_taken_some_events_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "EVENTS_AT_ONCE", 4)
    webhook = hook(events=["receipt"], batch_size=500)
    campaign = make_sendable_campaign(make_connector(), n=9, account=webhook.account)
    first = campaign.first_message_id or 0
    for start in range(0, 9, 3):
        Outbox.objects.create(
            connector_id=0, account_id=webhook.account_id, event="message.status", at=timezone.now(),
            payload={"campaign_id": campaign.pk, "status": 16, "messages": [first + start + i for i in range(3)]},
        )  # fmt: skip
    assert [webhooks.fan_out(), webhooks.fan_out(), webhooks.fan_out()] == [2, 1, 0]
    told = [event["data"]["message_id"] for body in bodies(webhook) for event in body["events"]]
    assert told == list(range(first, first + 9))


def test_the_senders_reference_comes_from_its_list() -> None:
    webhook = hook(events=["receipt"], batch_size=500)
    make_connector()
    people = [("0612345678", 'R "1"\\'), ("0612345679", "R2")]
    item = make_list(webhook.account, people, header=["SMS", "Reference"])
    campaign = preparation.prepare(make_campaign(webhook.account, lists=[item], traffic="NOTIFICATION").pk)
    first = campaign.first_message_id or 0
    Outbox.objects.create(
        connector_id=0, account_id=webhook.account_id, event="message.status", at=timezone.now(),
        payload={"campaign_id": campaign.pk, "status": 21, "messages": [first, first + 1]},
    )  # fmt: skip
    (body,) = bodies(webhook)
    assert [event["data"]["reference"] for event in body["events"]] == ['R "1"\\', "R2"]


def test_smsfactors_click_names_the_link_and_the_person() -> None:
    webhook = hook(events=["click"], format="smsfactor")
    make_connector()
    people = [("0612345678", "A-17", "Zoé")]
    item = make_list(webhook.account, people, header=["SMS", "Ref", "Nom"])
    campaign = make_campaign(webhook.account, lists=[item], message="Venez ! ${track_1}")
    campaigns.set_links(campaign, [{"index": 0, "url": "https://shop.example/soldes", "domain": "clic.example"}])
    campaign = launching.launch(preparation.prepare(campaign.pk), actor=None, now=timezone.now())
    message = Message.objects.get(campaign_id=campaign.pk)
    device = Device("phone", "Apple", "iPhone", "iOS 17.4")
    visit = Visit(webhook.account_id, campaign.pk, 0, message.id, timezone.now(), "click", 95, device, "")
    clicks.store([visit])
    (body,) = bodies(webhook)
    assert body.pop("date").endswith(("+01:00", "+02:00"))
    assert body == {
        "campaign_id": str(campaign.pk), "gsmsid": "A-17", "long_url": "https://shop.example/soldes",
        "short_url": message.text.removeprefix("Venez ! "), "clicks_on_link": "1", "brand": "Apple", "model": "iPhone",
        "os": "iOS 17.4", "info1": "A-17", "info2": "Zoé", "info3": "", "info4": "",
    }  # fmt: skip


def test_batches_carry_many_events_in_one_call() -> None:
    webhook = hook(batch_size=500)
    for n in range(5):
        fact(webhook.account, str(n), message_id=n)
    (body,) = bodies(webhook)
    assert [event["data"]["text"] for event in body["events"]] == ["0", "1", "2", "3", "4"]


def test_smsfactors_form_can_be_chosen() -> None:
    webhook = hook(format="smsfactor")
    fact(webhook.account, "STOP", kind="stop")
    (body,) = bodies(webhook)
    assert set(body) == {"date", "message", "from", "account_id", "last_message_id"}
    assert (body["message"], body["from"]) == ("STOP", "33612345678")
