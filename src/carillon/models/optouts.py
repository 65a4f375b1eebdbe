"""Who must not be written to: opt-outs by level, NPAI numbers, and the chained log that proves it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class OptOut(models.Model):
    """`level` account (14), client (18), brand (18), platform (15, account_id 0). One row per number, medium, level and brand."""

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    msisdn = models.BigIntegerField()
    medium = models.CharField(max_length=6)  # MOBILE | VMS
    level = models.CharField(max_length=8)
    brand_id = models.BigIntegerField()  # 0 = none
    source = models.CharField(max_length=10)  # stop | web | api | import | link | cli
    description = models.TextField()
    campaign_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "optout"
        managed = False


class Npai(models.Model):
    pk = models.CompositePrimaryKey("account_id", "msisdn")
    account_id = models.BigIntegerField()
    msisdn = models.BigIntegerField()
    source = models.CharField(max_length=10)  # report | web | import
    campaign_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "npai"
        managed = False


class ConsentEntry(models.Model):
    """Append-only and hash-chained per account: hash = SHA-256(previous hash, canonical JSON of the entry)."""

    account_id = models.BigIntegerField()
    sequence = models.BigIntegerField()
    at = models.DateTimeField()
    event = models.CharField(max_length=12)  # optout | optin | removed
    body = models.JSONField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        db_table = "consent_entry"
        constraints: ClassVar = [models.UniqueConstraint(fields=["account_id", "sequence"], name="consent_sequence")]
