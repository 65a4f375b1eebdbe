"""Where an account wants to be told, and what was told."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from carillon.models.accounts import Account, User


class Webhook(models.Model):
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="webhooks")
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    url = models.URLField(max_length=500)
    events = ArrayField(models.CharField(max_length=24), default=list)
    format = models.CharField(max_length=12, default="carillon")  # carillon | smsfactor
    batch_size = models.SmallIntegerField(default=1)  # 1 … 500
    secret = models.TextField(blank=True, default="")  # encrypted
    previous_secret = models.TextField(blank=True, default="")  # during a rotation
    rotated_at = models.DateTimeField(null=True)
    is_enabled = models.BooleanField(default=True)
    paused_at = models.DateTimeField(null=True)  # the receiver is dead
    failures = models.IntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "webhook"


class WebhookDelivery(models.Model):
    """One call to make or made. `events` is what its body holds, in order."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"  # given up after 48 h

    id = models.BigAutoField(primary_key=True)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE)
    account_id = models.BigIntegerField()
    event = models.CharField(max_length=24)
    body = models.JSONField()
    count = models.IntegerField(default=1)
    order_key = models.BigIntegerField(default=0)  # message id: events of one message keep their order
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.SmallIntegerField(default=0)
    next_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)
    last_status = models.SmallIntegerField(null=True)
    last_error = models.CharField(max_length=300, blank=True, default="")
    duration_ms = models.IntegerField(null=True)

    class Meta:
        db_table = "webhook_delivery"
        indexes: ClassVar = [
            models.Index(fields=["webhook", "id"], name="delivery_waiting", condition=models.Q(state="waiting")),
            models.Index(fields=["account_id", "-id"], name="delivery_account"),
        ]
