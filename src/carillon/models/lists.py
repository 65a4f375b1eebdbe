"""Recipient lists and their rows."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from carillon.models.accounts import Account, Brand, User


class List(models.Model):
    """A list of recipients. `analysis` holds the JSON of API guide §2.11.1 once READY.

    A `kind` of INLINE is the list of one campaign's own recipients (typed in, or the API's listRecipient): not shown in "Listes".
    """

    class Kind(models.TextChoices):
        CSV = "CSV"
        VIRTUAL = "VIRTUAL"  # list of lists and/or single recipients
        INLINE = "INLINE"

    class State(models.TextChoices):
        WAITING = "waiting"  # file stored, import not begun
        IMPORTING = "importing"
        READY = "ready"
        FAILED = "failed"
        CANCELLED = "cancelled"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="lists")
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    brand = models.ForeignKey(Brand, null=True, blank=True, on_delete=models.SET_NULL)
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=200, blank=True, default="")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.CSV)
    origin = models.CharField(max_length=8, default="web")  # web | api | cli
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    error = models.CharField(max_length=500, blank=True, default="")
    file_name = models.CharField(max_length=200, blank=True, default="")  # as the person named it
    file_path = models.CharField(max_length=300, blank=True, default="")  # relative to the media folder; never shown
    file_size = models.BigIntegerField(default=0)
    charset = models.CharField(max_length=30, blank=True, default="")
    delimiter = models.CharField(max_length=1, blank=True, default="")
    has_header = models.BooleanField(default=True)
    header = ArrayField(models.CharField(max_length=200), default=list)
    mobile_column = models.CharField(max_length=200, blank=True, default="")
    size = models.BigIntegerField(default=0)  # lines
    valid_count = models.BigIntegerField(default=0)
    invalid_count = models.BigIntegerField(default=0)
    duplicate_count = models.BigIntegerField(default=0)
    done_bytes = models.BigIntegerField(default=0)  # progress of the import
    done_rows = models.BigIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    analysis = models.JSONField(default=dict)
    members = models.ManyToManyField("self", symmetrical=False, blank=True, db_table="list_member")  # of a VIRTUAL list
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "list"
        indexes: ClassVar = [models.Index(fields=["account", "-created_at"], name="list_account")]

    def __str__(self) -> str:
        return self.name


class Recipient(models.Model):
    """One row of a list. `fields` in the order of `List.header`; `verdict` 1 valid, 2 malformed, 4 duplicate within its list.

    Bulk table, written by COPY; created in SQL (migration 0002).
    """

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    list_id = models.BigIntegerField()
    line = models.IntegerField()  # 1-based, without the header
    msisdn = models.BigIntegerField(null=True)
    country = models.CharField(max_length=2)
    verdict = models.SmallIntegerField()
    fields = ArrayField(models.TextField())

    class Meta:
        db_table = "recipient"
        managed = False
