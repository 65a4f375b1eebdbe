"""Secrets kept in the database: sealed with a key drawn from CARILLON_SECRET_KEY, so that a dump alone opens nothing."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from carillon.domain.errors import CarillonError


@lru_cache(maxsize=4)
def _fernet(secret_key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"carillon.sealing:" + secret_key.encode()).digest()))


def seal(text: str) -> str:
    """ASCII; "" stays ""."""
    return _fernet(settings.SECRET_KEY).encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str) -> str:
    """Raises CarillonError when CARILLON_SECRET_KEY is not the one it was sealed with."""
    if not sealed:
        return ""
    try:
        return _fernet(settings.SECRET_KEY).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise CarillonError(
            "A stored secret cannot be read: CARILLON_SECRET_KEY is not the one it was stored with",
            code="wrong_secret_key",
        ) from None
