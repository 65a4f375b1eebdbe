"""Tracked links, hosted pages and files, clicks. A link's code is computed from message and link: no row per recipient."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from carillon.models.accounts import Account
from carillon.models.campaigns import Campaign


class ShortDomain(models.Model):
    name = models.CharField(max_length=60, unique=True)  # clic-ici.net
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE)  # None: of the platform
    is_default = models.BooleanField(default=False)

    class Meta:
        db_table = "short_domain"

    def __str__(self) -> str:
        return self.name


class Asset(models.Model):
    """A stored file: preview image, attached file, or the files of a hosted page (zip unpacked under `path`)."""

    class Kind(models.TextChoices):
        IMAGE = "image"
        FILE = "file"
        PAGE = "page"
        MINISITE = "minisite"

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=80, blank=True, default="")
    path = models.CharField(max_length=300)  # relative to the media folder
    entry = models.CharField(max_length=200, blank=True, default="")  # HTML file of a page
    size = models.BigIntegerField(default=0)
    settings = models.JSONField(default=dict)  # the form of a mini-site
    created_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "asset"


class Link(models.Model):
    """One tracked link of a campaign: index 0 is ${track_1}."""

    class Kind(models.TextChoices):
        REDIRECT = "REDIRECT"
        LOCAL = "LOCAL"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="links")
    index = models.SmallIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.REDIRECT)
    url = models.TextField(blank=True, default="")  # may hold ${Field}
    parameters = ArrayField(models.CharField(max_length=300), default=list, blank=True)  # listParameter as given
    renderer = models.CharField(max_length=12, blank=True, default="")
    domain = models.CharField(max_length=60)
    asset = models.ForeignKey(Asset, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    has_preview = models.BooleanField(default=False)
    title = models.CharField(max_length=80, blank=True, default="")
    description = models.CharField(max_length=160, blank=True, default="")
    image = models.ForeignKey(Asset, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    image_name = models.CharField(max_length=120, blank=True, default="")
    life_days = models.IntegerField(default=45)
    ends_at = models.DateTimeField(null=True)  # set at launch

    class Meta:
        db_table = "link"
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "index"], name="link_index")]


class Click(models.Model):
    """One visit to a short link. `is_human` with a stated `confidence` (0–100); previews, scanners and HEAD kept apart."""

    id = models.BigAutoField(primary_key=True)
    account_id = models.BigIntegerField()
    campaign_id = models.BigIntegerField()
    link_index = models.SmallIntegerField()
    message_id = models.BigIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=8)  # click | preview | image | scan | head
    confidence = models.SmallIntegerField(default=100)
    device = models.CharField(max_length=40, blank=True, default="")
    brand = models.CharField(max_length=40, blank=True, default="")
    model = models.CharField(max_length=60, blank=True, default="")
    os = models.CharField(max_length=40, blank=True, default="")
    address_hash = models.CharField(max_length=16, blank=True, default="")

    class Meta:
        db_table = "click"
        indexes: ClassVar = [
            models.Index(fields=["campaign_id", "at"], name="click_campaign"),
            models.Index(fields=["message_id"], name="click_message"),
        ]


class ClickCount(models.Model):
    """First visit and number of visits, per message and link: the TRACK_n and PREVIEW columns of a report.

    `link_index` -1 is the preview image.
    """

    id = models.BigAutoField(primary_key=True)
    campaign_id = models.BigIntegerField()
    message_id = models.BigIntegerField()
    link_index = models.SmallIntegerField()
    first_at = models.DateTimeField()
    n = models.IntegerField()
    human_n = models.IntegerField(default=0)
    first_human_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "click_count"
        constraints: ClassVar = [models.UniqueConstraint(fields=["message_id", "link_index"], name="click_count_once")]
