"""The tables from an SMSC's codes to ours."""

from __future__ import annotations

import pytest

from carillon.carriers.smpp.statuses import (
    COMMAND_STATUSES,
    ERR_TABLES,
    MESSAGE_STATES,
    STATS,
    Reaction,
    command_status,
    explain,
    refine,
)
from carillon.domain.status import Status, is_final


@pytest.mark.parametrize(
    ("code", "status", "reaction"),
    [
        (0x0A, Status.REJECTED, Reaction.FINAL),
        (0x0B, Status.OPERATOR_REFUSED, Reaction.FINAL),
        (0x45, Status.OPERATOR_REJECTED, Reaction.FINAL),
        (0x14, Status.PROCESSING, Reaction.PAUSE),
        (0x58, Status.PROCESSING, Reaction.PAUSE),
        (0x08, Status.PROCESSING, Reaction.RETRY),
        (0x64, Status.PROCESSING, Reaction.RETRY),
        (0xFF, Status.UNKNOWN, Reaction.FINAL),
        (0x455, Status.UNKNOWN, Reaction.FINAL),
    ],
)
def test_command_statuses(code, status, reaction):
    row = command_status(code)
    assert (row.status, row.reaction) == (status, reaction)


def test_a_connectors_own_code_wins_and_is_final():
    row = command_status(0x58, own={0x58: Status.OPERATOR_REJECTED})
    assert (row.status, row.reaction) == (Status.OPERATOR_REJECTED, Reaction.FINAL)
    assert command_status(0x400, own={0x400: Status.REJECTED}).status == Status.REJECTED


def test_final_refusals_have_final_statuses():
    for code, row in COMMAND_STATUSES.items():
        if code and row.reaction is Reaction.FINAL:
            assert is_final(row.status), row.name


def test_stat_words_and_message_states_agree():
    words = [
        "SCHEDULED",
        "ENROUTE",
        "DELIVRD",
        "EXPIRED",
        "DELETED",
        "UNDELIV",
        "ACCEPTD",
        "UNKNOWN",
        "REJECTD",
        "SKIPPED",
    ]
    assert [STATS[word] for word in words] == [MESSAGE_STATES[number] for number in range(10)]


def test_err_says_why_something_was_not_delivered_and_nothing_else():
    errors = ERR_TABLES["map"]
    assert refine(Status.UNDELIVERED, 1, errors=errors) == Status.UNASSIGNED
    assert refine(Status.UNDELIVERED, 999, errors=errors) == Status.UNDELIVERED
    assert refine(Status.EXPIRED, 1, errors=errors) == Status.EXPIRED
    assert refine(Status.UNDELIVERED, 0, errors={0: Status.UNASSIGNED}) == Status.UNDELIVERED


def test_codes_are_explained_in_words():
    assert explain(0x0E) == "ESME_RINVPASWD (0x0E): password is wrong"
    assert explain(0x4FF).startswith("vendor specific (0x4FF)")
