"""Campaigns, the lists they send to, their counters, and message templates."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from carillon.models.accounts import Account, Brand, User
from carillon.models.lists import List


class Campaign(models.Model):
    """States of the API guide (§2.1.3.1), plus FAILED inside:

        DRAFT → (SCHEDULED →) INJECTING → INPROGRESS → INJECTED
        SCHEDULED → DRAFT by cancelling; INJECTING → FAILED when preparation breaks.

    `is_sending` is the one flag the gateway looks at before each intent; pause and cancel clear it.
    Messages of one campaign have the ids first_message_id … last_message_id.
    """

    class State(models.TextChoices):
        DRAFT = "DRAFT"
        SCHEDULED = "SCHEDULED"
        INJECTING = "INJECTING"
        INPROGRESS = "INPROGRESS"
        INJECTED = "INJECTED"
        FAILED = "FAILED"

    class Traffic(models.TextChoices):
        MKG = "MKG"
        NOTIFICATION = "NOTIFICATION"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="campaigns")
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    brand = models.ForeignKey(Brand, null=True, blank=True, on_delete=models.SET_NULL)
    payer = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")  # whose credits
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    billing_code = models.CharField(max_length=80, blank=True, default="")
    medium = models.CharField(max_length=5, default="SMS")
    traffic = models.CharField(max_length=12, choices=Traffic.choices, default=Traffic.MKG)
    origin = models.CharField(max_length=8, default="web")  # web | api | cli | test | system
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL)  # of a test send
    is_unit = models.BooleanField(default=False)  # one inline recipient (B2)
    simulator_only = models.BooleanField(default=False)  # test account or test token

    # what is said
    message = models.TextField(blank=True, default="")
    sender = models.CharField(max_length=20, blank=True, default="")  # "" = the short code
    renderer = models.CharField(max_length=12, default="BASIC")
    defaults = models.JSONField(default=dict)  # column -> value for empty fields
    allow_ucs2 = models.BooleanField(default=False)
    auto_replace_emoji = models.BooleanField(default=False)
    auto_replace_gsm7 = models.BooleanField(default=True)
    check_duplicate = models.BooleanField(default=True)

    # when
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    is_sending = models.BooleanField(default=False)
    paused_at = models.DateTimeField(null=True)
    paused_reason = models.CharField(max_length=300, blank=True, default="")
    error = models.CharField(max_length=500, blank=True, default="")
    scheduled_at = models.DateTimeField(null=True)
    launched_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)  # every recipient final
    cancelled_at = models.DateTimeField(null=True)  # the rest was cancelled (23)
    pace_per_hour = models.IntegerField(default=0)  # 0 = as fast as routes allow
    weight = models.SmallIntegerField(default=0, db_default=0)  # share of a connector; 0 = the account's
    validity_hours = models.SmallIntegerField(default=48)

    # what preparation found
    prepared_at = models.DateTimeField(null=True)
    done_count = models.BigIntegerField(default=0)  # recipients judged so far, while preparing
    first_message_id = models.BigIntegerField(null=True)
    last_message_id = models.BigIntegerField(null=True)
    recipient_count = models.BigIntegerField(default=0)
    valid_count = models.BigIntegerField(default=0)
    segment_count = models.BigIntegerField(default=0)  # of valid messages
    max_segments = models.SmallIntegerField(default=0)
    price = models.BigIntegerField(default=0)  # of valid messages, hundredths of a credit
    reserved = models.BigIntegerField(default=0)
    is_test_confirmed = models.BooleanField(default=False)
    warnings = models.JSONField(default=list)

    version = models.IntegerField(default=0)  # raised by each edit: two tabs never overwrite each other silently
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)
    lists = models.ManyToManyField(List, through="CampaignList")

    class Meta:
        db_table = "campaign"
        indexes: ClassVar = [
            models.Index(fields=["account", "-created_at"], name="campaign_account"),
            models.Index(fields=["user", "-created_at"], name="campaign_user"),
            models.Index(fields=["account", "-updated_at"], name="campaign_draft", condition=models.Q(state="DRAFT")),
            models.Index(fields=["state", "scheduled_at"], name="campaign_due", condition=models.Q(state="SCHEDULED")),
            models.Index(
                fields=["id"], name="campaign_open", condition=models.Q(state__in=["INJECTING", "INPROGRESS"])
            ),
            models.Index(fields=["first_message_id"], name="campaign_first_message"),
            models.Index(
                fields=["account", "scheduled_at"],
                name="campaign_started",
                condition=models.Q(launched_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_marketing(self) -> bool:
        return self.traffic == self.Traffic.MKG

    @property
    def short_code(self) -> str:
        return self.account.short_code_mkg if self.is_marketing else self.account.short_code_notification

    @property
    def effective_sender(self) -> str:
        return self.sender or self.short_code


class CampaignList(models.Model):
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE)
    list = models.ForeignKey(List, on_delete=models.PROTECT)
    is_excluded = models.BooleanField(default=False)
    position = models.SmallIntegerField(default=0)

    class Meta:
        db_table = "campaign_list"
        ordering: ClassVar = ["position", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "list"], name="campaign_list_once")]


class CampaignCount(models.Model):
    """Messages of a campaign by status. Folded from campaign_delta: read both through services.counts."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE)
    status = models.SmallIntegerField()
    n = models.BigIntegerField(default=0)

    class Meta:
        db_table = "campaign_count"
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "status"], name="campaign_count_once")]


class Template(models.Model):
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    name = models.CharField(max_length=120)
    message = models.TextField()
    traffic = models.CharField(max_length=12, default="MKG")
    renderer = models.CharField(max_length=12, default="BASIC")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "template"
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "name"], name="template_name")]

    def __str__(self) -> str:
        return self.name
