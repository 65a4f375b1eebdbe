"""Coming in: sessions, second factor, tokens. Secrets are stored hashed or encrypted, never in clear."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from carillon.models.accounts import Account, User


class LoginAttempt(models.Model):
    """One row per failed attempt (sign-in, code, reset), for rate limits that reveal nothing."""

    kind = models.CharField(max_length=12)
    key = models.CharField(max_length=200)  # login folded, or address
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "login_attempt"
        indexes: ClassVar = [models.Index(fields=["kind", "key", "at"], name="login_attempt_key")]


class SecondFactorCode(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    code_hash = models.CharField(max_length=128)
    channel = models.CharField(max_length=5)
    tries = models.SmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "second_factor_code"


class RecoveryCode(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    code_hash = models.CharField(max_length=128)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "recovery_code"


class TrustedDevice(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    token_hash = models.CharField(max_length=64, unique=True)
    label = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "trusted_device"


class Passkey(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    name = models.CharField(max_length=80)
    credential_id = models.BinaryField(unique=True)
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "passkey"


class PasswordReset(models.Model):
    """Two mails: a temporary password and an activation code; both are needed (A6). Also serves first activation (A7)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    temporary_hash = models.CharField(max_length=128)
    code_hash = models.CharField(max_length=128)
    tries = models.SmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "password_reset"


class UserSession(models.Model):
    """A signed-in browser, so that its owner can see and end it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    session_key = models.CharField(max_length=40, unique=True)
    label = models.CharField(max_length=120)
    address = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "user_session"


class Token(models.Model):
    """An API token: `hash` is SHA-256 of the secret; `is_session` for those that sign-in gives out."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="tokens")
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)  # what a person recognises it by
    hash = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=20), default=list, blank=True)  # empty = all
    is_test = models.BooleanField(default=False)  # sends to simulators only
    is_session = models.BooleanField(default=False)
    rate_per_minute = models.IntegerField(default=3000)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "token"
