"""The second factor: a code by SMS or e-mail (5 minutes), or of an authenticator app (30 seconds); recovery codes; devices
trusted for seven days (features A3 to A5). Codes are kept as keyed hashes and heard five times at most.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import pyotp
from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from carillon.domain.errors import CarillonError, InvalidInput
from carillon.models import RecoveryCode, SecondFactorCode, TrustedDevice, User
from carillon.services import attempts, mail, texts
from carillon.services.attempts import Limit
from carillon.services.campaigns import SIGN_IN_CODE
from carillon.services.sealing import seal, unseal
from carillon.services.tokens import TooManyAttempts

CODE_LIFE = timedelta(minutes=5)
TRUST_LIFE = timedelta(days=7)
RESEND_AFTER = timedelta(seconds=30)
TRIES = 5
STEP_S = 30
RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without l, i, o, 0 and 1, which are misread

SMS, EMAIL, APP = User.SecondFactor.SMS, User.SecondFactor.EMAIL, User.SecondFactor.APP


class WrongCode(CarillonError):
    """Wrong, expired or already used: one answer for all three."""

    code = "wrong_code"


def channel_of(user: User) -> str:
    """The chosen channel if it can work, else one that can; "" when nothing reaches this person yet."""
    able = {APP: bool(user.totp_secret), SMS: bool(user.mobile), EMAIL: bool(user.email)}
    if able.get(User.SecondFactor(user.second_factor)):
        return user.second_factor
    return next((channel for channel in (APP, EMAIL, SMS) if able[channel]), "")


def is_needed(user: User) -> bool:
    return user.account.requires_second_factor and channel_of(user) != ""


def send_code(user: User, *, now: datetime) -> str:
    """Sends a new code and gives the channel it took. Raises TooManyAttempts when asked too often.

    When no SMS can leave (no connector), the code goes by e-mail if there is an address.
    """
    channel = channel_of(user)
    if channel == APP:
        return channel
    limit = Limit(f"hour:{user.pk}", 10, timedelta(hours=1))
    code = f"{secrets.randbelow(10**6):06d}"
    with transaction.atomic():
        attempts.take("code-sent", [limit], now=now)  # its lock lets one code of a person be sent at a time
        _check_not_too_soon(user, now)
        if channel == SMS:
            channel = _by_sms(user, code)
        if channel == EMAIL:
            mail.send(user.email, template="code", language=user.language, code=code, user=user)
        SecondFactorCode.objects.filter(user=user, used_at=None).update(used_at=now)
        SecondFactorCode.objects.create(
            user=user, code_hash=_hash(user, code), channel=channel, expires_at=now + CODE_LIFE
        )
    return channel


def _check_not_too_soon(user: User, now: datetime) -> None:
    """One code at a time: another only once the last one was used, or half a minute later."""
    waiting = SecondFactorCode.objects.filter(user=user, used_at=None, created_at__gt=now - RESEND_AFTER)
    if waiting.exclude(channel=APP).exists():
        raise TooManyAttempts("A code has just left.", retry_after_s=int(RESEND_AFTER.total_seconds()))


def _by_sms(user: User, code: str) -> str:
    with translation.override(user.language):
        text = _("%(code)s est votre code Carillon, valable 5 minutes. Ne le donnez à personne.") % {"code": code}
    try:
        with transaction.atomic():
            texts.send_text(
                user.account, msisdn=int(user.mobile.lstrip("+")), text=text, purpose=SIGN_IN_CODE, is_free=True
            )
    except CarillonError:
        if not user.email:
            raise
        return EMAIL
    return SMS


def check(user: User, code: str, *, now: datetime) -> None:
    """Accepts a code of the person's channel or a recovery code, once. Raises WrongCode or TooManyAttempts."""
    limit = Limit(f"user:{user.pk}", 10)
    attempts.take("code", [limit], now=now)
    given = "".join(code.split()).replace("-", "").lower()
    is_right = _is_sent_code(user, given, now) or _is_app_code(user, given, now) or _is_recovery_code(user, given, now)
    if not is_right:
        raise WrongCode("The code is wrong, has expired or was already used.")
    attempts.forget("code", limit.key)


def _is_sent_code(user: User, code: str, now: datetime) -> bool:
    with transaction.atomic():
        sent = (
            SecondFactorCode.objects.select_for_update()
            .filter(user=user, used_at=None, expires_at__gt=now, tries__lt=TRIES)
            .exclude(channel=APP)
            .order_by("-id")
            .first()
        )
        if sent is None:
            return False
        is_right = secrets.compare_digest(sent.code_hash, _hash(user, code))
        sent.tries += 1
        sent.used_at = now if is_right else None
        sent.save(update_fields=["tries", "used_at"])
    return is_right


def _is_app_code(user: User, code: str, now: datetime) -> bool:
    if user.second_factor != APP or not user.totp_secret:
        return False
    step = matching_step(unseal(user.totp_secret), code, now)
    if step is None:
        return False
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        mark = _hash(user, f"step:{step}")
        if SecondFactorCode.objects.filter(user=user, channel=APP, code_hash=mark).exists():
            return False  # seen over a shoulder and typed again
        SecondFactorCode.objects.create(
            user=user, channel=APP, code_hash=mark, used_at=now, expires_at=now + timedelta(minutes=2)
        )
    return True


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The 30-second step whose code this is: now, or one step to each side for clocks that differ."""
    if len(code) != 6 or not code.isdigit():
        return None
    app = pyotp.TOTP(secret)
    current = int(now.timestamp()) // STEP_S
    for step in (current, current - 1, current + 1):
        if secrets.compare_digest(app.generate_otp(step), code):
            return step
    return None


def _is_recovery_code(user: User, code: str, now: datetime) -> bool:
    unused = RecoveryCode.objects.filter(user=user, code_hash=_hash(user, code), used_at=None)
    return unused.update(used_at=now) == 1


def _hash(user: User, code: str) -> str:
    return salted_hmac("carillon.second_factor", f"{user.pk}:{code}", algorithm="sha256").hexdigest()


# ---- the authenticator app ----


def new_app_secret() -> str:
    """A secret for an authenticator app, in base32; nothing is kept until `use_app`."""
    return pyotp.random_base32()


def app_address(user: User, secret: str) -> str:
    """What the QR code says: otpauth://totp/Carillon:login?secret=…&issuer=Carillon"""
    return pyotp.TOTP(secret).provisioning_uri(name=user.login, issuer_name="Carillon")


def use_app(user: User, *, secret: str, code: str, now: datetime) -> None:
    """The app becomes the second factor once it has shown a right code. Raises WrongCode."""
    if matching_step(secret, "".join(code.split()), now) is None:
        raise WrongCode("This is not the code that the app shows now.")
    user.totp_secret = seal(secret)
    user.second_factor = APP
    user.save(update_fields=["totp_secret", "second_factor"])
    forget_devices(user)
    mail.tell_of_change(user, "method")


def use_channel(user: User, channel: str) -> None:
    """SMS or e-mail becomes the second factor. Raises InvalidInput when it has nowhere to go."""
    if channel == SMS and not user.mobile:
        raise InvalidInput("Give your mobile number first.", field="channel", code="no_mobile")
    if channel == EMAIL and not user.email:
        raise InvalidInput("Give your e-mail address first.", field="channel", code="no_email")
    if channel not in (SMS, EMAIL):
        raise InvalidInput("The channel is sms or email.", field="channel", code="channel")
    user.second_factor = channel
    user.totp_secret = ""
    user.save(update_fields=["second_factor", "totp_secret"])
    forget_devices(user)
    mail.tell_of_change(user, "method")


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Ten codes, shown once; the former ones stop working."""
    codes = ["".join(secrets.choice(_ALPHABET) for _position in range(10)) for _number in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create([RecoveryCode(user=user, code_hash=_hash(user, code)) for code in codes])
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def recovery_codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


# ---- trusted devices ----


def trust_device(user: User, *, label: str, now: datetime) -> str:
    """A secret for this browser's cookie: no second factor on it for seven days."""
    secret = secrets.token_urlsafe(32)
    TrustedDevice.objects.create(
        user=user, token_hash=_device_hash(secret), label=label[:120], expires_at=now + TRUST_LIFE
    )
    return secret


def is_trusted(user: User, secret: str, *, now: datetime) -> bool:
    if not secret:
        return False
    return TrustedDevice.objects.filter(user=user, token_hash=_device_hash(secret), expires_at__gt=now).exists()


def forget_devices(user: User) -> int:
    gone, _each = TrustedDevice.objects.filter(user=user).delete()
    return gone


def _device_hash(secret: str) -> str:
    return hashlib.sha256((settings.SECRET_KEY + secret).encode()).hexdigest()
