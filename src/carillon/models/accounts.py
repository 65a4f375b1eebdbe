"""Accounts, their users, brands and sender names. Amounts are hundredths of a credit."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models


def new_public_id() -> str:
    """24 hexadecimal characters, the form of `customerID` and `userOwnerID` (API guide v2.8 §2.1.3.1)."""
    return secrets.token_hex(12)


class Account(models.Model):
    """A customer, or a sub-account of one (`parent`). `balance` counts what is owned, `held` the part reserved by launches:
    what may still be spent is `balance - held`. An UNLIMITED sub-account spends its parent's.
    """

    class CreditMode(models.TextChoices):
        LIMITED = "limited"
        UNLIMITED = "unlimited"  # each send debits the parent
        POSTPAID = "postpaid"  # may go below zero; never status 8

    name = models.CharField(max_length=120, unique=True)
    public_id = models.CharField(max_length=24, unique=True, default=new_public_id)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    is_active = models.BooleanField(default=True)
    is_test = models.BooleanField(default=False)  # reaches simulators only; may ignore legal hours
    ignores_legal_hours = models.BooleanField(default=False)  # only with is_test
    credit_mode = models.CharField(max_length=10, choices=CreditMode.choices, default=CreditMode.LIMITED)
    balance = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    # what its messages may be
    max_segments = models.SmallIntegerField(default=1)
    countries = ArrayField(models.CharField(max_length=2), default=list)  # ISO codes; empty = FR and its territories
    time_zone = models.CharField(max_length=40, default="Europe/Paris")
    closes_at_hour = models.SmallIntegerField(default=20)  # marketing window 08:00 to this hour, never beyond 22
    short_code_mkg = models.CharField(max_length=20, default="36184")
    short_code_notification = models.CharField(max_length=20, default="38184")
    default_sender = models.CharField(max_length=20, blank=True, default="")
    default_renderer = models.CharField(max_length=12, default="BASIC")
    default_check_duplicate = models.BooleanField(default=True)
    allows_sender_spaces = models.BooleanField(default=False)
    link_life_days = models.IntegerField(default=45)
    weight = models.SmallIntegerField(default=1, db_default=1)  # share of a connector: of each campaign without its own
    is_multi_brand = models.BooleanField(default=False)

    # choices
    optout_spares_notifications = models.BooleanField(default=False)  # X23: let alerts through after a marketing STOP
    resends_notifications_in_doubt = models.BooleanField(default=False)
    lists_are_admin_only = models.BooleanField(default=False)  # X35
    cap_messages = models.IntegerField(default=0)  # marketing messages per person …
    cap_days = models.IntegerField(default=30)  # … in so many days; 0 = no cap
    sends_stop_confirmation = models.BooleanField(default=True)
    stop_words = ArrayField(
        models.CharField(max_length=30), default=list, blank=True
    )  # the account's own, besides STOP
    requires_second_factor = models.BooleanField(default=True)
    ip_allow_list = ArrayField(models.CharField(max_length=43), default=list, blank=True)
    reply_emails = ArrayField(models.EmailField(), default=list, blank=True)

    # balance alert (M7)
    alert_threshold = models.BigIntegerField(null=True, blank=True)
    alert_email = models.EmailField(blank=True, default="")
    alert_mobile = models.CharField(max_length=20, blank=True, default="")
    alerted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "account"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(closes_at_hour__range=(9, 22)), name="account_window"),
            models.CheckConstraint(condition=models.Q(max_segments__range=(1, 6)), name="account_segments"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def available(self) -> int:
        return self.balance - self.held


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(login__iexact=username)


class User(AbstractBaseUser):
    class Role(models.TextChoices):
        USER = "user"
        ADMIN = "admin"  # of the account
        OPERATOR = "operator"  # of the platform

    class SecondFactor(models.TextChoices):
        SMS = "sms"
        EMAIL = "email"
        APP = "app"

    login = models.CharField(max_length=150, unique=True)
    public_id = models.CharField(max_length=24, unique=True, default=new_public_id)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="users")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.USER)
    first_name = models.CharField(max_length=80, blank=True, default="")
    last_name = models.CharField(max_length=80, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    mobile = models.CharField(max_length=20, blank=True, default="")
    is_active = models.BooleanField(default=True)
    language = models.CharField(max_length=2, default="fr")
    theme = models.CharField(max_length=6, default="system")  # system | light | dark
    has_shortcuts = models.BooleanField(default=True)
    default_sender = models.CharField(max_length=20, blank=True, default="")
    reply_email = models.EmailField(blank=True, default="")
    second_factor = models.CharField(max_length=5, choices=SecondFactor.choices, default=SecondFactor.EMAIL)
    totp_secret = models.CharField(max_length=200, blank=True, default="")  # encrypted
    password_changed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "login"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "user"

    def __str__(self) -> str:
        return self.login

    @property
    def is_admin(self) -> bool:
        return self.role in (self.Role.ADMIN, self.Role.OPERATOR)

    @property
    def is_operator(self) -> bool:
        return self.role == self.Role.OPERATOR

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.login

    @property
    def initials(self) -> str:
        words = self.full_name.replace("@", " ").split()
        return "".join(w[0] for w in words[:2]).upper() or "?"


class Brand(models.Model):
    """STOPs attach to the brand given with a campaign (K2)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="brands")
    name = models.CharField(max_length=80)
    is_client = models.BooleanField(default=False)  # the brand is the account's own client (agency): status 18
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "brand"
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "name"], name="brand_name")]

    def __str__(self) -> str:
        return self.name


class Sender(models.Model):
    """A sender name of the account and what the operators said of it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        ALLOWED = "allowed"
        REFUSED = "refused"
        DISABLED = "disabled"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="senders")
    name = models.CharField(max_length=20)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "sender"
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "name"], name="sender_name")]

    def __str__(self) -> str:
        return self.name


Actor = User | None  # who does it: None means the platform itself (command line, jobs)
