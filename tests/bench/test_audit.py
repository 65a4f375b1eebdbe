"""The independent account of a bench agrees with what the platform writes, and sees what does not add up."""

from __future__ import annotations

import pytest
from django.db import connection

from bench.audit import audit
from carillon.models import Campaign, Message
from carillon.services import counts, credits
from tests import builders

pytestmark = pytest.mark.django_db


def half_failed() -> Campaign:
    """One message of two segments: the first was not delivered, nobody knows of the second."""
    campaign = builders.make_sendable_campaign(builders.make_connector(), n=1, segments=2, price=200)
    message = Message.objects.get(campaign_id=campaign.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO submission (message_id, segment, segments, submitted_at, account_id, campaign_id, connector_id, status, price,"
            " carrier_message_id) VALUES (%s, 1, 2, now(), %s, %s, %s, 20, 0, 'a')",
            [message.id, campaign.account_id, campaign.pk, message.connector_id],
        )
        cursor.execute(
            "INSERT INTO doubt (connector_id, message_id, account_id, campaign_id, msisdn, price, segments, reason)"
            " VALUES (%s, %s, %s, %s, %s, 200, 2, 'lost')",
            [message.connector_id, message.id, campaign.account_id, campaign.pk, message.msisdn],
        )
    counts.add(campaign.pk, {1: -1, 20: 1})
    return campaign


def faults(campaign: Campaign) -> list[str]:
    connection.ensure_connection()
    return audit(connection.connection, opening={campaign.account_id: 200}).faults


def test_the_price_of_a_message_in_doubt_waits_though_a_segment_failed() -> None:
    assert faults(half_failed()) == []


def test_credits_taken_for_nothing_are_seen() -> None:
    campaign = half_failed()
    credits.write(campaign.account_id, "settle", balance=-100, held=-100, campaign_id=campaign.pk)
    assert any("ledger says" in fault for fault in faults(campaign))
