"""A token's requests of one minute, over several web processes, with few statements."""

from __future__ import annotations

from typing import Any

import pytest

from carillon.models import ApiRate
from carillon.services import rates

pytestmark = pytest.mark.django_db
MINUTE = 60.0


class Elsewhere:
    """Another web process: it has its own memory and the same database."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch, self.counts = monkeypatch, {}  # type: ignore[var-annotated]

    def take(self, token_id: int, limit: int, *, now_s: float) -> rates.Allowance:
        with self.monkeypatch.context() as patch:
            patch.setattr(rates, "_counts", self.counts)
            return rates.take(token_id, limit, now_s=now_s)


def test_a_small_limit_is_exact_over_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = Elsewhere(monkeypatch), Elsewhere(monkeypatch)
    taken = [(here if n % 2 else there).take(1, 10, now_s=0).is_allowed for n in range(14)]
    assert taken == [True] * 10 + [False] * 4


def test_a_large_limit_is_passed_by_a_twentieth_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = Elsewhere(monkeypatch), Elsewhere(monkeypatch)
    allowed = sum((here if n % 2 else there).take(2, 1000, now_s=0).is_allowed for n in range(1500))
    assert 1000 <= allowed <= 1050


def test_the_next_minute_counts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Elsewhere(monkeypatch)
    assert [here.take(3, 1, now_s=at).is_allowed for at in (0, 1, MINUTE, MINUTE + 1)] == [True, False, True, False]
    assert here.take(3, 5, now_s=MINUTE + 20).reset_s == 41


def test_many_requests_are_few_statements(monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any) -> None:
    here = Elsewhere(monkeypatch)
    with django_assert_max_num_queries(25):
        for _ in range(3000):
            here.take(4, 3000, now_s=0)


def test_old_minutes_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Elsewhere(monkeypatch)
    here.take(5, 10, now_s=0)
    here.take(5, 10, now_s=20 * MINUTE)
    rates.purge(now_s=20 * MINUTE)
    assert [row.window_at for row in ApiRate.objects.all()] == [20]
