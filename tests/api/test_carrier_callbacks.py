"""What HTTP carriers report to /carriers/<secret>."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from carillon.models import Connector, Reply, Submission
from carillon.services import counts
from tests import builders

pytestmark = pytest.mark.django_db
OPTIONS = {
    "url": "http://127.0.0.1:9/send",
    "callback": {
        "message_id": "id", "status": "state", "statuses": {"DELIVERED": 16, "FAILED": 20}, "number": "to",
        "inbound": {"from": "from", "to": "to", "text": "body", "message_id": "id"},
    },
}  # fmt: skip
KEY = "k" * 32


@pytest.fixture
def connector() -> Connector:
    return builders.make_connector(kind="generic", options=OPTIONS, callback_key=KEY)


def post(client: Client, body: object, *, key: str = KEY) -> int:
    answer = client.post(f"/carriers/{key}", json.dumps(body), content_type="application/json")
    return int(answer.status_code)


def test_a_receipt_is_applied_at_once(client: Client, connector: Connector) -> None:
    campaign = builders.make_sendable_campaign(connector, n=1)
    Submission.objects.create(
        message_id=campaign.first_message_id, segment=1, segments=1, submitted_at=campaign.launched_at,
        account_id=campaign.account_id, campaign_id=campaign.pk, connector_id=connector.pk, status=24, error=0, price=100,
        carrier_message_id="abc",
    )  # fmt: skip
    counts.add(campaign.pk, {1: -1, 24: 1})
    for _ in range(2):
        assert post(client, {"id": "abc", "state": "DELIVERED", "to": "33600000001"}) == 200
    assert counts.by_status(campaign.pk) == {16: 1}


def test_a_receipt_nobody_knows_yet_is_kept(client: Client, connector: Connector) -> None:
    from carillon.models import ReceiptUnmatched

    assert post(client, {"id": "early", "state": "FAILED", "to": "33600000001"}) == 200
    assert list(ReceiptUnmatched.objects.values_list("carrier_message_id", "status")) == [("early", 20)]


def test_a_text_is_stored(client: Client, connector: Connector) -> None:
    assert post(client, {"from": "33600000001", "to": "36184", "body": "STOP", "id": "mo-1"}) == 200
    assert list(Reply.objects.values_list("msisdn", "text", "connector_id")) == [(33600000001, "STOP", connector.pk)]


def test_an_unknown_path_is_nowhere(client: Client, connector: Connector) -> None:
    assert post(client, {"id": "abc", "state": "DELIVERED"}, key="x" * 32) == 404


def test_a_wrong_signature_changes_nothing(client: Client, connector: Connector) -> None:
    connector.options = OPTIONS | {"signature": {"header": "X-Signature", "algorithm": "sha256"}}
    connector.save()
    assert post(client, {"from": "33600000001", "to": "36184", "body": "STOP", "id": "mo-1"}) == 403
    assert not Reply.objects.exists()
