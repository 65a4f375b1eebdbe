"""The bench beside other gateways: its table, and what it reads from /proc."""

from __future__ import annotations

import os
from collections.abc import Callable

from bench.peers import comparison
from bench.peers.measure import Meter, Result
from bench.peers.table import OURS, Cell, faults, table


def result(rate: float, cpu_s: float = 0.1) -> Callable[[int], Result]:
    return lambda messages: Result(messages, messages / rate, cpu_s * messages / 1000, 10.0)


def test_medians_stand_beside_the_best_of_each_peer_at_that_latency() -> None:
    cells = [
        Cell(OURS, "1 gateway", 0, 1000, result(20_000)),
        Cell(OURS, "1 gateway", 20, 1000, result(10_000)),
        Cell("Kannel", "window 10", 0, 1000, result(400, 0.2)),
        Cell("Kannel", "window 100", 0, 1000, result(4000, 0.4)),
    ]
    for _ in range(3):
        comparison.one_round(cells, float("inf"), say=lambda cell: None)
    rows = [
        [word.strip() for word in line.strip("|").split("|")]
        for line in table(cells, peers=("Kannel", "Jasmin")).splitlines()
    ]
    assert rows[0][-2:] == ["× Kannel", "of its CPU"]
    assert [(row[0], row[2], row[4], row[5], *row[7:]) for row in rows[2:]] == [
        (OURS, "0", "3", "20,000", "0.100", "10", "5.0", "0.5"),
        (OURS, "20", "3", "10,000", "0.100", "10", "–", "–"),
        ("Kannel", "0", "3", "400", "0.200", "10", "0.1", "1.0"),
        ("Kannel", "0", "3", "4,000", "0.400", "10", "1.0", "2.0"),
    ]


def test_a_cell_that_fails_says_why_and_is_left_alone() -> None:
    tries = []

    def fail(messages: int) -> Result:
        tries.append(messages)
        raise ValueError("no such thing")

    cells = [Cell("Kannel", "window 10", 0, 7, fail), Cell(OURS, "1 gateway", 0, 7, result(10), guess_s=float("inf"))]
    for _ in range(2):
        comparison.one_round(cells, 1e12, say=lambda cell: None)
    assert tries == [7]
    assert faults(cells) == [
        "Kannel, window 10, 0 ms: failed: ValueError: no such thing",
        f"{OURS}, 1 gateway, 0 ms: not run, the minutes were over (--minutes)",
    ]
    assert "Kannel" not in table(cells, peers=("Kannel",))


def test_the_meter_counts_this_process() -> None:
    with Meter(os.getpid()) as meter:
        while os.times().user + os.times().system < 0.05:  # ticks of /proc are 10 ms
            sum(range(1000))
        before = os.times().user + os.times().system
        while os.times().user + os.times().system < before + 0.05:
            sum(range(1000))
    assert meter.cpu_s >= 0.04
    assert meter.peak_mb > 1
