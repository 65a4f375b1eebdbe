"""Configured carriers, routes to them, and what a country costs."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from carillon.models.accounts import Account


class Connector(models.Model):
    """One configured carrier. `options` as the carrier's own options class reads them; `secret` is encrypted.

    `state…` columns are what the gateway that holds it last said.
    """

    id = models.SmallAutoField(primary_key=True)
    name = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=20)  # smpp | simulator | smsfactor | smsmode | twilio | kannel | generic
    medium = models.CharField(max_length=5, default="SMS")
    options = models.JSONField(default=dict)
    secret = models.TextField(blank=True, default="")
    is_enabled = models.BooleanField(default=True)
    is_simulator = models.BooleanField(default=False)  # test accounts and test tokens reach only these
    callback_key = models.CharField(max_length=43, blank=True, default="")  # secret path of HTTP carriers' callbacks
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    state = models.CharField(max_length=12, blank=True, default="")
    state_reason = models.CharField(max_length=300, blank=True, default="")
    state_at = models.DateTimeField(null=True)
    health = models.JSONField(default=dict)

    class Meta:
        db_table = "connector"

    def __str__(self) -> str:
        return self.name


class Route(models.Model):
    """Which connector for which traffic. An empty column matches all; the lowest `priority` wins, `weight` shares among equals."""

    name = models.CharField(max_length=60, unique=True)
    priority = models.IntegerField(default=100)
    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="routes")
    medium = models.CharField(max_length=5, default="SMS")
    traffic = models.CharField(max_length=12, blank=True, default="")  # MKG | NOTIFICATION | ""
    country = models.CharField(max_length=2, blank=True, default="")
    prefix = models.CharField(max_length=15, blank=True, default="")  # E.164 digits, e.g. 3367
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE)
    weight = models.IntegerField(default=1)
    cost = models.IntegerField(default=0)  # what we pay, hundredths of a credit a segment
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "route"
        ordering: ClassVar = ["priority", "id"]

    def __str__(self) -> str:
        return self.name


class Tariff(models.Model):
    """What a segment to `country` costs, in hundredths of a credit; an account's own row goes before the platform's."""

    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE)
    medium = models.CharField(max_length=5, default="SMS")
    country = models.CharField(max_length=2)
    price = models.IntegerField()

    class Meta:
        db_table = "tariff"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "medium", "country"], name="tariff_country", nulls_distinct=False
            )
        ]
