"""The hot path: bulk tables created in SQL (migrations/sql/hot_path.sql says why each column and index is there).

`managed = False`: Django reads them; services write them with plain SQL.
"""

from __future__ import annotations

from django.db import models


class Message(models.Model):
    """One text to one recipient, judged at preparation, written once by COPY, never updated.

    `status` is the judgement: 1 to be sent, else a refusal (2 3 4 5 6 7 14 15 18 19). What happened since stands in
    submission, doubt and the slice's cursor; `services.reports` joins them.
    """

    pk = models.CompositePrimaryKey("id", "connector_id")
    id = models.BigIntegerField()
    connector_id = models.SmallIntegerField()  # 0 = refused, goes nowhere
    account_id = models.BigIntegerField()
    campaign_id = models.BigIntegerField()
    recipient_id = models.BigIntegerField()
    msisdn = models.BigIntegerField(null=True)
    country = models.CharField(max_length=2)
    status = models.SmallIntegerField()
    segments = models.SmallIntegerField()
    price = models.IntegerField()
    sender = models.CharField(max_length=20, null=True)  # only when it differs from the campaign's
    text = models.TextField()  # "" for a refusal; then `reason` may say more
    reason = models.TextField(null=True)

    class Meta:
        db_table = "message"
        managed = False


class Slice(models.Model):
    """Some hundred messages of one campaign and connector: the unit of claiming. state 1 ready, 2 claimed, 3 done, 4 cancelled."""

    READY, CLAIMED, DONE, CANCELLED = 1, 2, 3, 4

    pk = models.CompositePrimaryKey("id", "connector_id")
    id = models.BigIntegerField()
    connector_id = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    campaign_id = models.BigIntegerField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    cursor_id = models.BigIntegerField()
    n = models.IntegerField()
    state = models.SmallIntegerField()
    priority = models.SmallIntegerField()  # 0 notification, 1 marketing
    calendar = models.TextField()  # "" = any hour; else a code of domain.hours
    not_before = models.DateTimeField(null=True)  # pacing
    run_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "slice"
        managed = False


class GatewayRun(models.Model):
    """One row per start of a gateway on a connector's seat: fence, heartbeat and idempotency key in one."""

    id = models.BigAutoField(primary_key=True)
    connector_id = models.SmallIntegerField()
    seat = models.SmallIntegerField()
    tick = models.BigIntegerField()
    alive = models.BooleanField()
    lease_until = models.DateTimeField()
    started_at = models.DateTimeField()
    host = models.TextField()
    pid = models.IntegerField()

    class Meta:
        db_table = "gateway_run"
        managed = False


class Submission(models.Model):
    """One segment handed over (or refused by the far end). Updated once, by its final receipt. Partitioned by submitted_at."""

    pk = models.CompositePrimaryKey("message_id", "segment", "submitted_at")
    message_id = models.BigIntegerField()
    segment = models.SmallIntegerField()
    segments = models.SmallIntegerField()
    submitted_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    account_id = models.BigIntegerField()
    campaign_id = models.BigIntegerField()
    connector_id = models.SmallIntegerField()
    status = models.SmallIntegerField()
    error = models.IntegerField()
    price = models.IntegerField()
    carrier_message_id = models.TextField()

    class Meta:
        db_table = "submission"
        managed = False


class ReceiptUnmatched(models.Model):
    pk = models.CompositePrimaryKey("connector_id", "carrier_message_id")
    connector_id = models.SmallIntegerField()
    carrier_message_id = models.TextField()
    status = models.SmallIntegerField()
    error = models.IntegerField()
    msisdn = models.BigIntegerField()
    received_at = models.DateTimeField()

    class Meta:
        db_table = "receipt_unmatched"
        managed = False


class Doubt(models.Model):
    """Intended, perhaps sent, never answered. Settled by a receipt for the same number, or at the end of validity."""

    pk = models.CompositePrimaryKey("connector_id", "message_id")
    connector_id = models.SmallIntegerField()
    message_id = models.BigIntegerField()
    account_id = models.BigIntegerField()
    campaign_id = models.BigIntegerField()
    msisdn = models.BigIntegerField()
    price = models.IntegerField()
    segments = models.SmallIntegerField()
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "doubt"
        managed = False


class CampaignDelta(models.Model):
    id = models.BigAutoField(primary_key=True)
    connector_id = models.SmallIntegerField()
    campaign_id = models.BigIntegerField()
    status = models.SmallIntegerField()
    n = models.IntegerField()

    class Meta:
        db_table = "campaign_delta"
        managed = False


class Outbox(models.Model):
    """Facts to tell (webhooks, mails), one row per batch: {campaign_id, status, messages: [ids]} or {reply_id} …"""

    id = models.BigAutoField(primary_key=True)
    connector_id = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    event = models.TextField()
    payload = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        db_table = "outbox"
        managed = False
