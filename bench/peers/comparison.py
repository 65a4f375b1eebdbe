"""`make bench-gateway`: our whole send path beside the gateways people use today, same machine, same SMSC, same minutes.

    make bench-gateway [SIZE=200000] [SMSC=host:port | SMSCSINK=path] [JASMIN=folder of a venv] [ARGS="--runs 3 --minutes 5"]

SIZE is the campaign into which notifications are injected; the other runs are shares of it, or of 200,000. All cells are run once, then all
again, as long as the minutes last; the table has medians. A peer that is not installed is left out, with a sentence.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path

from bench.ground import ground, machine, size
from bench.peers import jasmin, kannel, ours
from bench.peers.measure import Result
from bench.peers.smsc import Centre
from bench.peers.table import OURS, Cell, faults, table

PROTOCOL = "our client"
SIDES = (OURS, PROTOCOL, kannel.NAME, jasmin.NAME)
INCLUDED = f"""\
{OURS}: from launch until the last receipt is committed and visible to others: claim, intent, submit, answer, receipt, status,
  counters, webhook outbox, ledger; fsync and synchronous_commit on. After each run rows and ledger are compared to the message.
  CPU and MB: gateways and PostgreSQL together. Not included: import, preparation, launch, the worker (folding of counters,
  webhooks), the web server, the SMSC, TLS, a network. With two gateways each has a connector and a login of its own.
{PROTOCOL}: the SMPP client alone, nothing stored.
TCP acks at once: the SMSC acknowledges each segment at once, which makes up for a peer's missing TCP_NODELAY. Our side runs
  without. The ratios are to a peer's best row, whichever that is.
{kannel.NAME}: everything in memory; receipts end in the bearerbox. CPU and MB: bearerbox and mtbatch.
{jasmin.NAME}: from its HTTP API until the last receipt arrived, which is thrown to nobody. CPU and MB: jasmind, RabbitMQ, Redis."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.peers")
    parser.add_argument("--runs", type=int, default=3, help="of each cell, at most (3)")
    parser.add_argument("--minutes", type=float, default=5.0, help="no run starts that would end later (5)")
    parser.add_argument("--only", default="", help="only cells with this in their name, such as Kannel or '200 ms'")
    given = parser.parse_args()
    deadline = time.monotonic() + given.minutes * 60
    total = size(200_000)
    load = os.getloadavg()[0]
    waits: list[ours.Waits] = []
    with ground() as home:
        centre = Centre(home)
        print(f"SMSC: {centre}; load {load:.1f} before the start of this bench", flush=True)
        most = min(total, 200_000)
        pairs = zip_longest(our_cells(home, centre, most), peer_cells(home, centre, most))
        cells = [cell for pair in pairs for cell in pair if cell is not None and given.only in name_of(cell)]
        for number in range(given.runs):
            if number < 2 and "notifications".startswith(given.only):
                inject(ours.Setting(home, centre), total, waits, deadline)
            one_round(cells, deadline, say=print_progress)
    cells.sort(key=lambda cell: SIDES.index(cell.side))
    print()
    print(table(cells, peers=(kannel.NAME, jasmin.NAME)))
    print("\n".join(["", *map(describe, waits), *faults(cells), "", INCLUDED, f"SMSC: {centre}. {machine()}."]))


def our_cells(home: Path, centre: Centre, total: int) -> list[Cell]:
    """Messages: enough for seconds, not minutes, at what each setting allows (window over latency)."""
    cells = []
    shapes = [(1, 1, 1000), (2, 1, 1000), (1, 1, 100), (1, 2, 1000), (1, 4, 1000), (2, 2, 1000), (2, 4, 1000)]
    slow = [*shapes[:2], (1, 4, 1000)]
    for latency, share, wanted in ((0, 2, shapes), (20, 5, slow), (200, 10, slow)):
        if latency not in centre.latencies_ms:
            continue
        for gateways, binds, window in wanted:
            setting = ours.Setting(home, centre, latency, gateways, binds, window)
            cells.append(Cell(OURS, str(setting), latency, share_of(total, share), bound(ours.send, setting)))
    for window in (100, 1000):
        setting = ours.Setting(home, centre, window=window)
        run = bound(ours.bare_protocol, setting)
        cells.append(Cell(PROTOCOL, f"protocol alone, window {window}", 0, share_of(total, 2), run))
    return cells


def peer_cells(home: Path, centre: Centre, total: int) -> list[Cell]:
    cells = []
    for reason in (kannel.why_not(), jasmin.why_not()):
        if reason:
            print(f"Left out: {reason}", flush=True)
    both = (False, True) if centre.can_ack_at_once else (False,)
    if not kannel.why_not():
        for latency, share, binds, window, ways in (
            (0, 10, 1, 100, both), (0, 10, 1, 1000, both[-1:]), (0, 10, 4, 100, both), (20, 20, 1, 100, both[-1:]),
            (20, 20, 4, 100, both[-1:]), (200, 100, 1, 100, both[-1:]), (200, 50, 4, 100, both[-1:]),
        ):  # fmt: skip
            if latency not in centre.latencies_ms:
                continue
            for at_once in ways:
                setting = kannel.Setting(home, centre, latency, binds, window, at_once)
                run = bound(kannel.send, setting)
                cells.append(Cell(kannel.NAME, str(setting), latency, share_of(total, share), run))
    if not jasmin.why_not():
        for at_once in both:
            place = jasmin.Setting(home, centre, acks_at_once=at_once)
            run = bound(jasmin.send, place)
            cells.append(Cell(jasmin.NAME, str(place), 0, 500 if at_once else 200, run, 30.0))
    return cells


def bound(run: Callable[..., Result], setting: object) -> Callable[[int], Result]:
    return lambda messages: run(setting, messages)


def share_of(total: int, divisor: int) -> int:
    return max(total // divisor, 200)


def name_of(cell: Cell) -> str:
    return f"{cell.side}, {cell.what}, {cell.latency_ms} ms"


def one_round(cells: Sequence[Cell], deadline: float, *, say: Callable[[Cell], None]) -> None:
    """Each cell once. One that fails says why and is not tried again; one that would end too late waits for a longer bench."""
    for cell in cells:
        if cell.fault:
            continue
        started = time.monotonic()
        if started + cell.guess_s > deadline:
            if not cell.results:
                cell.fault = "not run, the minutes were over (--minutes)"
            continue
        try:
            cell.results.append(cell.run(cell.messages))
        except Exception as error:
            cell.fault = f"failed: {type(error).__name__}: {error}"
        cell.guess_s = time.monotonic() - started
        say(cell)


def inject(setting: ours.Setting, total: int, waits: list[ours.Waits], deadline: float) -> None:
    if time.monotonic() + 20 + total / 10_000 > deadline:
        return
    try:
        waits.append(ours.notifications(setting, total))
    except Exception as error:
        print(f"notifications: failed: {type(error).__name__}: {error}", flush=True)
        return
    print(describe(waits[-1]), flush=True)


def describe(waits: ours.Waits) -> str:
    return (
        f"Notifications while a campaign of {waits.messages:,} ran at {waits.rate:,.0f}/s, from their launch until the answer"
        f" was on disk: p50 {waits.p50:,.0f} ms, p99 {waits.p99:,.0f} ms, longest {waits.most:,.0f} ms of {waits.n}."
    )


def print_progress(cell: Cell) -> None:
    said = cell.fault or f"{cell.results[-1].rate:,.0f} msg/s ({cell.guess_s:.0f} s with its start)"
    print(f"  {name_of(cell)}: {said}", flush=True)
