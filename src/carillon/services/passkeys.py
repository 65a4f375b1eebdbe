"""Passkeys: signing in with the device's own lock, instead of a password and a code. An addition, never the only way.

A passkey is bound to the host of CARILLON_PUBLIC_URL; browsers refuse it on a bare IP address.
"""

from __future__ import annotations

import ipaddress
import json
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import QuerySet
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from carillon.domain.errors import InvalidInput, NotFound
from carillon.models import Passkey, User
from carillon.services import mail
from carillon.services.tokens import BadCredentials, is_usable

MOST = 10  # of one person


def is_possible() -> bool:
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(host)
    return False


def _host() -> str:
    return urlsplit(settings.PUBLIC_URL).hostname or ""


def of(user: User) -> QuerySet[Passkey]:
    return Passkey.objects.filter(user=user).order_by("created_at")


def creation_options(user: User) -> tuple[dict[str, Any], str]:
    """What the browser needs to make a passkey, and the challenge to keep in the session until it has."""
    options = generate_registration_options(
        rp_id=_host(),
        rp_name="Carillon",
        user_id=user.public_id.encode(),
        user_name=user.login,
        user_display_name=user.full_name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=bytes(key.credential_id)) for key in of(user)],
    )
    return json.loads(options_to_json(options)), bytes_to_base64url(options.challenge)


def add(user: User, *, name: str, credential: dict[str, Any], challenge: str) -> Passkey:
    """Raises InvalidInput when the browser's answer does not hold."""
    if of(user).count() >= MOST:
        raise InvalidInput(f"At most {MOST} passkeys.", code="passkeys_full")
    try:
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=_host(),
            expected_origin=settings.PUBLIC_URL,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise InvalidInput("This passkey could not be checked.", code="passkey") from None
    mail.tell_of_change(user, "passkey")
    return Passkey.objects.create(
        user=user,
        name=name.strip()[:80] or "Passkey",
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
    )


def sign_in_options() -> tuple[dict[str, Any], str]:
    """What the browser needs to offer any passkey it has for us, and the challenge to keep in the session."""
    options = generate_authentication_options(rp_id=_host(), user_verification=UserVerificationRequirement.REQUIRED)
    return json.loads(options_to_json(options)), bytes_to_base64url(options.challenge)


def check_sign_in(*, credential: dict[str, Any], challenge: str, now: datetime) -> User:
    """The owner of the passkey that answered. Raises BadCredentials."""
    refused = BadCredentials("This passkey is not known here, or its login is not active.")
    try:
        identifier = base64url_to_bytes(str(credential["rawId"]))
    except (KeyError, ValueError, TypeError):
        raise refused from None
    key = Passkey.objects.select_related("user__account__parent").filter(credential_id=identifier).first()
    if key is None or not is_usable(key.user):
        raise refused
    try:
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=_host(),
            expected_origin=settings.PUBLIC_URL,
            credential_public_key=bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise refused from None
    Passkey.objects.filter(pk=key.pk).update(sign_count=verified.new_sign_count, used_at=now)
    return key.user


def remove(user: User, passkey_id: int) -> None:
    gone, _each = of(user).filter(pk=passkey_id).delete()
    if not gone:
        raise NotFound(f"There is no passkey {passkey_id}.")
