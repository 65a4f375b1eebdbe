"""How Django finds the signed-in person: with the account, in one query; nobody once the login or the account is inactive."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend

from carillon.models import User
from carillon.services.tokens import is_usable


class People(BaseBackend):
    """Signing in itself is services.access and services.second_factor; this only reads sessions."""

    def get_user(self, user_id: Any) -> User | None:
        user = User.objects.select_related("account__parent").filter(pk=user_id).first()
        return user if user is not None and is_usable(user) else None
