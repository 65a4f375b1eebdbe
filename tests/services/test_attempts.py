"""Limits on guessing, when many guesses come at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from carillon.models import LoginAttempt
from carillon.services import attempts
from carillon.services.attempts import Limit
from carillon.services.tokens import TooManyAttempts


def guess(_number: int) -> bool:
    try:
        attempts.take("test", [Limit("login:alice", 5), Limit("address:192.0.2.1", 8)], now=timezone.now())
    except TooManyAttempts:
        return False
    finally:
        connection.close()
    return True


def test_of_many_guesses_at_once_only_so_many_are_heard(committed_db: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(guess, range(40)))
    assert sum(heard) == 5
    assert LoginAttempt.objects.count() == 10  # under both limits; a refusal counts nothing


@pytest.mark.django_db
def test_what_was_no_mistake_is_given_back() -> None:
    limit = Limit("login:alice", 1)
    for _time in range(3):
        attempts.give_back(attempts.take("test", [limit], now=timezone.now()))
    attempts.take("test", [limit], now=timezone.now())
    with pytest.raises(TooManyAttempts):
        attempts.take("test", [limit], now=timezone.now())
