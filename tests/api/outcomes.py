"""What the network would have said, written where the gateway writes it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from carillon.models import Click, ClickCount, Reply
from tests.api.callers import TUESDAY_NOON


def message_ids(campaign_id: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM message WHERE campaign_id = %s ORDER BY id", [campaign_id])
        return [row[0] for row in cursor.fetchall()]


def deliver(message_id: int, status: int = 16, *, at: datetime = TUESDAY_NOON + timedelta(seconds=30)) -> None:
    """Handed over and answered by a final receipt."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ensure_submission_partition(%s::date)", [at])
        cursor.execute(
            "INSERT INTO submission (message_id, segment, segments, submitted_at, done_at, account_id, campaign_id, connector_id,"
            " status, price, carrier_message_id) SELECT id, 1, segments, %s, %s, account_id, campaign_id, connector_id, %s, price,"
            " 'carrier-' || id FROM message WHERE id = %s",
            [at, at + timedelta(seconds=2), status, message_id],
        )


def reply(message_id: int, text: str, *, kind: str = "reply") -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT account_id, campaign_id, msisdn FROM message WHERE id = %s", [message_id])
        account_id, campaign_id, msisdn = cursor.fetchone()
    Reply.objects.create(
        account_id=account_id, campaign_id=campaign_id, message_id=message_id, msisdn=msisdn, to="36184", text=text, kind=kind,
        received_at=TUESDAY_NOON + timedelta(minutes=Reply.objects.count() + 1),
    )  # fmt: skip


def click(message_id: int, *, n: int = 1, link: int = 0) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT account_id, campaign_id FROM message WHERE id = %s", [message_id])
        account_id, campaign_id = cursor.fetchone()
    first = TUESDAY_NOON + timedelta(minutes=10)
    ClickCount.objects.create(
        campaign_id=campaign_id, message_id=message_id, link_index=link, first_at=first, n=n, human_n=n
    )
    Click.objects.create(
        account_id=account_id, campaign_id=campaign_id, link_index=link, message_id=message_id, at=first, kind="click"
    )
