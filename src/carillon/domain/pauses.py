"""Why a campaign is paused: a code and its numbers, kept as one short text; pages, API and commands put it in words.

failure_rate:<failed>:<known>:<status>:<times>   it paused itself: so many of the last messages failed, most often by this status
account_closed
command_line
person:<name>                                    who pressed the button
"""

from __future__ import annotations

from dataclasses import dataclass

from carillon.domain.status import Status, label

FAILURE_RATE, ACCOUNT_CLOSED, COMMAND_LINE, PERSON = "failure_rate", "account_closed", "command_line", "person"
LONGEST = 300  # characters of the column


@dataclass(frozen=True, slots=True)
class Pause:
    """`code` "" is a text of before there were codes, shown as it is. The numbers count only for FAILURE_RATE."""

    code: str
    text: str = ""
    failed: int = 0
    known: int = 0
    status: int = 0
    times: int = 0


def failure_rate(*, failed: int, known: int, status: int, times: int) -> str:
    return f"{FAILURE_RATE}:{failed}:{known}:{status}:{times}"


def by_person(name: str) -> str:
    return f"{PERSON}:{name}"[:LONGEST]


def read(reason: str) -> Pause:
    code, _colon, rest = reason.partition(":")
    if code in (ACCOUNT_CLOSED, COMMAND_LINE) and not rest:
        return Pause(code)
    if code == PERSON:
        return Pause(PERSON, text=rest)
    numbers = rest.split(":")
    if code == FAILURE_RATE and len(numbers) == 4 and all(n.isascii() and n.isdigit() for n in numbers):
        failed, known, status, times = map(int, numbers)
        if status in set(Status):
            return Pause(FAILURE_RATE, failed=failed, known=known, status=status, times=times)
    return Pause("", text=reason)


def in_english(reason: str) -> str:
    """One sentence, for commands and programs; "by hand" for what nobody explained."""
    pause = read(reason)
    if pause.code == FAILURE_RATE:
        often = f"{pause.status} {label(Status(pause.status), language='en')} ({pause.times})"
        return f"{pause.failed} of the last {pause.known} messages failed; most often {often}"
    if pause.code == ACCOUNT_CLOSED:
        return "the account was closed"
    if pause.code == COMMAND_LINE:
        return "from the command line"
    if pause.code == PERSON:
        return f"by {pause.text}" if pause.text else "by hand"
    return pause.text or "by hand"
