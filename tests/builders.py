"""Plain functions that make one thing with sensible values, changed by keyword. Everyone extends them, carefully."""

from __future__ import annotations

import itertools
from typing import Any

from carillon.models import Account, User

_numbers = itertools.count(1)
PASSWORD = "Carillon-2026!"


def make_account(**changes: Any) -> Account:
    """A customer with 1,000 credits. Amounts are hundredths of a credit."""
    number = next(_numbers)
    values: dict[str, Any] = {"name": f"Account {number}", "balance": 100_000}
    account = Account.objects.create(**(values | changes))
    return account


def make_user(*, account: Account | None = None, password: str = PASSWORD, **changes: Any) -> User:
    """A colleague of `account` (or of a new one) who can sign in with `password`."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "login": f"user{number}@example.test",
        "email": f"user{number}@example.test",
        "account": account or make_account(),
        "role": User.Role.USER,
    }
    user = User(**(values | changes))
    user.set_password(password)
    user.save()
    return user
