"""Arguments of the command: what they accept and how they refuse."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest

from carillon.config.cli.arguments import country_list, credit_amount, moment, status_list
from carillon.config.cli.frame import credits_text


@pytest.mark.parametrize(
    ("text", "hundredths"), [("0", 0), ("12", 1200), ("12.5", 1250), ("12,05", 1205), ("-3", -300), ("1_000", 100_000)]
)
def test_credits_are_read_as_hundredths(text: str, hundredths: int) -> None:
    assert credit_amount(text) == hundredths


@pytest.mark.parametrize(
    ("hundredths", "text"), [(0, "0"), (100, "1"), (1250, "12.5"), (1205, "12.05"), (-50, "-0.5"), (10_000, "100")]
)
def test_credits_are_written_without_idle_zeros(hundredths: int, text: str) -> None:
    assert credits_text(hundredths) == text


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (credit_amount, "ten"),
        (credit_amount, "1.005"),
        (credit_amount, "NaN"),
        (credit_amount, "Infinity"),
        (country_list, "FR,Belgium"),
        (country_list, "F1"),
        (moment, "tomorrow"),
        (status_list, "16,delivered"),
    ],
)
def test_what_cannot_be_meant_is_refused(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        read(text)


def test_a_moment_without_zone_is_one_of_this_machine() -> None:
    assert moment("2026-12-24T10:30").tzinfo is not None


def test_lists_skip_what_is_empty() -> None:
    assert country_list("fr, be,") == ["FR", "BE"]
    assert status_list("16,21,") == [16, 21]
