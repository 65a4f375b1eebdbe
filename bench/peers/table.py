"""The comparison as a table: medians of repeated runs, each beside the best a peer did at the same SMSC latency."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.peers.measure import Result

HEADER = ("side", "what", "SMSC ms", "messages", "runs", "msg/s", "least–most", "CPU s/1,000", "MB")
OURS = "Carillon"


@dataclass
class Cell:
    """One thing measured. `run(messages)` measures it once; `guess_s` says how long that may take the first time."""

    side: str
    what: str
    latency_ms: int
    messages: int
    run: Callable[[int], Result]
    guess_s: float = 15.0
    results: list[Result] = field(default_factory=list)
    fault: str = ""

    @property
    def rate(self) -> float:
        return statistics.median(result.rate for result in self.results)


def table(cells: Sequence[Cell], *, peers: Sequence[str]) -> str:
    """Markdown. One column for each peer that was measured: how many times as fast as its best at that latency."""
    best = {(peer, ms): max(found) for peer in peers for ms in _latencies(cells) if (found := _rates(cells, peer, ms))}
    measured = [peer for peer in peers if any(peer == side for side, _ in best)]
    rows = [[*HEADER, *(f"× {peer}" for peer in measured)]]
    for cell in cells:
        if not cell.results:
            continue
        rates = [result.rate for result in cell.results]
        middle = cell.rate
        rows.append(
            [
                cell.side, cell.what, str(cell.latency_ms), f"{cell.results[-1].messages:,}", str(len(rates)),
                f"{middle:,.0f}", f"{min(rates):,.0f}–{max(rates):,.0f}",
                f"{statistics.median(result.cpu_per_1000 for result in cell.results):.3f}",
                f"{max(result.peak_mb for result in cell.results):,.0f}",
                *(_ratio(middle, best.get((peer, cell.latency_ms))) for peer in measured),
            ]
        )  # fmt: skip
    return _markdown(rows)


def faults(cells: Sequence[Cell]) -> list[str]:
    return [f"{cell.side}, {cell.what}, {cell.latency_ms} ms: {cell.fault}" for cell in cells if cell.fault]


def _latencies(cells: Sequence[Cell]) -> list[int]:
    return sorted({cell.latency_ms for cell in cells})


def _rates(cells: Sequence[Cell], side: str, latency_ms: int) -> list[float]:
    return [cell.rate for cell in cells if cell.side == side and cell.latency_ms == latency_ms and cell.results]


def _ratio(rate: float, other: float | None) -> str:
    if other is None:
        return "–"
    ratio = rate / other
    return f"{ratio:,.0f}" if ratio >= 20 else f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.2f}"


def _markdown(rows: list[list[str]]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = []
    for number, row in enumerate(rows):
        padded = (
            text.ljust(width) if at < 2 else text.rjust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("| " + " | ".join(padded) + " |")
        if number == 0:
            rules = ("-" * width if at < 2 else "-" * (width - 1) + ":" for at, width in enumerate(widths))
            lines.append("| " + " | ".join(rules) + " |")
    return "\n".join(lines)
