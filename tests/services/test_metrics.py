"""The page Prometheus reads, and the alarms behind it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from carillon.domain.traffic import Receipt
from carillon.models import Connector, Submission
from carillon.services import alarms, callbacks, live, metrics
from carillon.services.ticks import Run
from tests import builders

pytestmark = pytest.mark.django_db
SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? [0-9.e+-]+')


def raw() -> psycopg.Connection[Any]:
    """The test's own connection, as a gateway would hold one."""
    connection.ensure_connection()
    return connection.connection  # type: ignore[no-any-return]


def test_every_line_is_what_prometheus_reads() -> None:
    connector = builders.make_connector(
        name='two "quoted" words', state="bound", state_at=timezone.now(),
        health={"seats": {"0": {"submitted": 12, "rate": 3.5, "rates": {"7": 3.5}, "tick_ms": 4.0}}},
    )  # fmt: skip
    builders.make_sendable_campaign(connector, n=7)
    text = metrics.text(now=timezone.now())
    for line in text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or SAMPLE.fullmatch(line.replace('\\"', "")), line
    assert 'carillon_segments_submitted_total{connector="two \\"quoted\\" words",seat="0"} 12' in text
    assert 'carillon_queue_messages{connector="two \\"quoted\\" words"} 7' in text
    assert 'carillon_connector_up{connector="two \\"quoted\\" words"} 1' in text


def test_a_connector_that_is_down_with_messages_waiting_is_an_alarm() -> None:
    since = timezone.now() - timedelta(minutes=2)
    connector = builders.make_connector(
        state="down", state_reason="bind refused", state_at=timezone.now(), health={"down_since": since.isoformat()}
    )
    assert alarms.current(now=timezone.now()) == []
    builders.make_sendable_campaign(connector, n=3)
    (alarm,) = alarms.current(now=timezone.now())
    assert (alarm.code, alarm.connector) == ("connector_down", connector.name)
    assert alarm.sentence == "3 messages wait and it is down: bind refused"


def test_a_connector_that_accepts_and_never_tells_is_an_alarm() -> None:
    connector = builders.make_connector(
        state="bound", state_at=timezone.now(), health={"seats": {"0": {"untold": 150, "untold_s": 700}}}
    )
    builders.make_connector(
        state="bound", state_at=timezone.now(), health={"seats": {"0": {"untold": 5000, "untold_s": 20}}}
    )
    (alarm,) = alarms.current(now=timezone.now())
    assert (alarm.code, alarm.connector) == ("receipts_stopped", connector.name)


def test_a_gateway_that_hears_no_receipts_is_no_alarm_while_its_companion_hears_them() -> None:
    seats = {"0": {"untold": 150, "untold_s": 700}, "1": {"untold": 0, "untold_s": 0, "heard_s": 3}}
    builders.make_connector(state="bound", state_at=timezone.now(), health={"seats": seats})
    assert alarms.current(now=timezone.now()) == []


def test_what_a_callback_tells_reaches_the_gateways_with_their_next_report() -> None:
    connector = builders.make_connector(kind="kannel")
    assert live.report(raw(), Run(1, connector.pk), "bound", "", {}) is None
    receipt = Receipt("unknown", 16)
    callbacks.receive(connector, [receipt])
    told_at = live.report(raw(), Run(1, connector.pk), "bound", "", {})
    assert told_at is not None
    callbacks.receive(connector, [receipt])  # within five seconds: one write is enough
    assert live.report(raw(), Run(1, connector.pk), "bound", "", {}) == told_at


def test_a_connector_whose_latest_messages_mostly_fail_is_an_alarm() -> None:
    connector = builders.make_connector(name="broken", state="bound", state_at=timezone.now())
    campaign = builders.make_sendable_campaign(connector, n=200)
    builders.make_outcomes(campaign, 16, 27)
    assert alarms.current(now=timezone.now()) == []
    Submission.objects.filter(status=16, message_id__lt=campaign.first_message_id + 20).update(status=20)
    (alarm,) = alarms.current(now=timezone.now())
    assert (alarm.code, alarm.connector) == ("many_failures", "broken")
    assert alarm.sentence == "110 of its latest 200 messages failed"


def test_the_delay_of_receipts_is_read_from_the_latest_slices() -> None:
    connector = builders.make_connector(name="quick", state="bound", state_at=timezone.now())
    campaign = builders.make_sendable_campaign(connector, n=4)
    now = timezone.now()
    for number in range(4):
        Submission.objects.create(
            message_id=campaign.first_message_id + number, segment=1, segments=1, submitted_at=now - timedelta(seconds=2),
            done_at=now, account_id=campaign.account_id, campaign_id=campaign.pk, connector_id=connector.pk,
            status=16 if number else 20, error=0, price=100, carrier_message_id=f"q-{number}",
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("UPDATE slice SET state = 3, cursor_id = last_id WHERE connector_id = %s", [connector.pk])
    text = metrics.text(now=now)
    assert 'carillon_receipt_delay_seconds{connector="quick"} 2' in text
    assert 'carillon_delivered_ratio{connector="quick"} 0.75' in text


def test_progress_says_when_a_campaign_will_be_through() -> None:
    connector = builders.make_connector(state="bound", state_at=timezone.now())
    campaign = builders.make_sendable_campaign(connector, n=100, slice_size=50)
    now = timezone.now()
    Connector.objects.update(
        health={"seats": {"0": {"rates": {str(campaign.pk): 4.0}}, "1": {"rates": {str(campaign.pk): 1.0}}}}
    )
    found = live.progress(campaign.pk, total=100, now=now)
    assert (found.handed_over, found.waiting, found.rate) == (0, 100, 5.0)
    assert found.ends_at == now + timedelta(seconds=20)
    assert live.progress(campaign.pk, total=100, now=now + timedelta(minutes=1)).ends_at is None
