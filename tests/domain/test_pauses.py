"""Why a campaign is paused: kept as a code, read back, said in English."""

from __future__ import annotations

import pytest

from carillon.domain import pauses


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (
            pauses.failure_rate(failed=110, known=150, status=29, times=90),
            "110 of the last 150 messages failed; most often 29 Unassigned number (90)",
        ),
        (pauses.ACCOUNT_CLOSED, "the account was closed"),
        (pauses.COMMAND_LINE, "from the command line"),
        (pauses.by_person("Zoé: the boss"), "by Zoé: the boss"),
        ("", "by hand"),
        ("an older text: 3 of 4", "an older text: 3 of 4"),
        ("failure_rate:1:2:999:1", "failure_rate:1:2:999:1"),
        ("failure_rate:¹:2:29:1", "failure_rate:¹:2:29:1"),
    ],
)
def test_a_reason_is_said_in_english(reason: str, sentence: str) -> None:
    assert pauses.in_english(reason) == sentence


def test_a_long_name_fits_its_column() -> None:
    assert len(pauses.by_person("x" * 400)) == pauses.LONGEST
