"""The API's memory: a request log of seven days, idempotency keys of one, counters of one minute."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from carillon.models.accounts import Account


class ApiRequest(models.Model):
    id = models.BigAutoField(primary_key=True)
    request_id = models.CharField(max_length=36)
    account_id = models.BigIntegerField(null=True)
    token_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    method = models.CharField(max_length=7)
    path = models.CharField(max_length=300)
    status = models.SmallIntegerField()
    duration_ms = models.IntegerField()
    address = models.GenericIPAddressField(null=True)
    request_body = models.TextField(blank=True, default="")  # secrets masked, cut at 4 kB
    response_body = models.TextField(blank=True, default="")

    class Meta:
        db_table = "api_request"
        indexes: ClassVar = [
            models.Index(fields=["account_id", "-at"], name="api_request_account"),
            models.Index(fields=["at"], name="api_request_at"),
        ]


class IdempotencyKey(models.Model):
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)  # SHA-256 of the request
    status = models.SmallIntegerField(null=True)  # None while it is being answered
    body = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "idempotency_key"
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "key"], name="idempotency_once")]


class ApiRate(models.Model):
    """Requests of a token in one minute (`window_at` = minutes since the epoch), summed over the web processes."""

    pk = models.CompositePrimaryKey("token_id", "window_at")
    token_id = models.BigIntegerField()
    window_at = models.BigIntegerField()
    n = models.IntegerField(default=0)

    class Meta:
        db_table = "api_rate"
