"""Texts that people sent us (MO), the answers to them, and opt-outs by link."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from carillon.models.accounts import Account, Brand, User


class Reply(models.Model):
    """One inbound text, answer or opt-out by link. Unmatched ones (no account known) keep account None for operators to see."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE)
    campaign_id = models.BigIntegerField(null=True)
    message_id = models.BigIntegerField(null=True)
    brand = models.ForeignKey(Brand, null=True, on_delete=models.SET_NULL)
    connector_id = models.SmallIntegerField(default=0)
    carrier_message_id = models.CharField(max_length=80, blank=True, default="")
    # SMPP numbers no text: what it consists of, the session it came by, and whether the SMSC surely got our answer
    fingerprint = models.BigIntegerField(default=0, db_default=0)
    session_id = models.BigIntegerField(default=0, db_default=0)
    is_answered = models.BooleanField(default=True, db_default=True)
    msisdn = models.BigIntegerField()
    to = models.CharField(max_length=20)
    text = models.TextField()
    kind = models.CharField(max_length=8, default="reply")  # reply | stop | start | help; answers: auto | hand
    direction = models.CharField(
        max_length=2, default="MO"
    )  # MO; MT: what we answered; LK: no text, an opt-out by link
    received_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    assigned_to = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    handled_at = models.DateTimeField(null=True)  # matched, and what it asks for done
    is_counted = models.BooleanField(default=False)  # a STOP whose message counts as 17

    class Meta:
        db_table = "reply"
        indexes: ClassVar = [
            models.Index(fields=["account", "-received_at"], name="reply_account"),
            models.Index(fields=["account", "msisdn", "-received_at"], name="reply_msisdn"),
            models.Index(fields=["message_id"], name="reply_message"),
            models.Index(fields=["campaign_id"], name="reply_campaign"),
            models.Index(fields=["id"], name="reply_waiting", condition=models.Q(handled_at=None)),
            models.Index(
                fields=["connector_id", "fingerprint"], name="reply_unanswered", condition=models.Q(is_answered=False)
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connector_id", "carrier_message_id"],
                name="reply_once",
                condition=~models.Q(carrier_message_id=""),
            )
        ]


class ReplyPart(models.Model):
    """One part of a long text whose other parts came elsewhere, or not yet. Kept a while after it is used: it may come again."""

    id = models.BigAutoField(primary_key=True)
    connector_id = models.SmallIntegerField()
    msisdn = models.BigIntegerField()
    to = models.CharField(max_length=20)
    reference = models.IntegerField()  # the phone's number of the text: 0 to 255, or 65535
    total = models.SmallIntegerField()
    number = models.SmallIntegerField()
    text = models.TextField()
    printed = models.BinaryField()  # domain.traffic.TextPart.printed
    at = models.DateTimeField(db_default=Now())
    until = models.DateTimeField()  # then the text is kept with what there is
    is_used = models.BooleanField(default=False)  # its text is a reply

    class Meta:
        db_table = "reply_part"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connector_id", "msisdn", "to", "reference", "total", "number"], name="reply_part_once"
            )
        ]


class AutoReply(models.Model):
    """An automatic answer of an account (campaign None) or of one campaign; `keyword` "" answers everything else."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    campaign_id = models.BigIntegerField(null=True)
    keyword = models.CharField(max_length=30, blank=True, default="")
    text = models.TextField()
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "auto_reply"
