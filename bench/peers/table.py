"""The comparison as a table: medians of repeated runs, each beside the best a peer did at the same SMSC latency.

The best in speed and the best in processor time need not be the same row of that peer.
"""

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

    @property
    def cpu(self) -> float:
        """Seconds for 1,000 messages."""
        return statistics.median(result.cpu_per_1000 for result in self.results)


def table(cells: Sequence[Cell], *, peers: Sequence[str]) -> str:
    """Markdown. Two columns for each peer that was measured: how many times as fast, and with what share of its CPU time."""
    shown = [cell for cell in cells if cell.results]
    measured = [peer for peer in peers if any(cell.side == peer for cell in shown)]
    rows = [[*HEADER, *(name for peer in measured for name in (f"× {peer}", "of its CPU"))]]
    for cell in shown:
        rates = [result.rate for result in cell.results]
        ratios = []
        for peer in measured:
            same = [other for other in shown if other.side == peer and other.latency_ms == cell.latency_ms]
            ratios.append(_ratio(cell.rate / max(other.rate for other in same)) if same else "–")
            least = min((other.cpu for other in same), default=0.0)
            ratios.append(_ratio(cell.cpu / least) if least else "–")
        rows.append(
            [
                cell.side, cell.what, str(cell.latency_ms), f"{cell.results[-1].messages:,}", str(len(rates)),
                f"{cell.rate:,.0f}", f"{min(rates):,.0f}–{max(rates):,.0f}", f"{cell.cpu:.3f}",
                f"{max(result.peak_mb for result in cell.results):,.0f}", *ratios,
            ]
        )  # fmt: skip
    return _markdown(rows)


def faults(cells: Sequence[Cell]) -> list[str]:
    return [f"{cell.side}, {cell.what}, {cell.latency_ms} ms: {cell.fault}" for cell in cells if cell.fault]


def _ratio(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 20 else f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.2g}"


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
