"""Geometry of the charts that templates draw as SVG: numbers only, no markup and no words.

A chart is a picture of a table that stands beside it: every figure can be read without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """Round values for horizontal lines: (value, y)."""

    ticks: tuple[tuple[int, float], ...]
    top: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Points in a view box of `width` × `height`; series are "x,y x,y …" lines, `areas` the same closed at the bottom."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    axis: Axis
    labels: tuple[tuple[str, float, str], ...]  # words, x, text-anchor
    lines: tuple[str, ...]
    areas: tuple[str, ...]


def line_chart(
    labels: Sequence[str], series: Sequence[Sequence[int]], *, width: int = 640, height: int = 220, most_labels: int = 6
) -> Chart:
    left, right, top, bottom = 52, width - 12, 12, height - 28
    axis = _axis(max((max(s, default=0) for s in series), default=0), top=top, bottom=bottom)
    n = max((len(s) for s in series), default=0)

    def x(i: int) -> float:
        return round(left + (right - left) * (i / (n - 1) if n > 1 else 0.5), 1)

    def y(value: int) -> float:
        return round(bottom - (bottom - top) * value / axis.top, 1)

    places = (left, right) if n == 1 else tuple(x(i) for i in range(n))  # one moment alone is a level line, not nothing
    lines = tuple(
        " ".join(f"{at},{y(value)}" for at, value in zip(places, list(s) * (2 if n == 1 else 1), strict=False))
        for s in series
    )
    areas = tuple(f"{places[0]},{bottom} {line} {places[-1]},{bottom}" for line in lines) if n else ()
    every = max(1, -(-n // most_labels))
    shown = [i for i in range(n) if i % every == 0]
    return Chart(
        width, height, left, right, bottom, axis, tuple((labels[i], x(i), _anchor(i, n)) for i in shown), lines, areas
    )


def bar_widths(values: Sequence[int], *, full: int = 100) -> list[float]:
    """Length of each bar, the largest being `full`. A value above zero is never invisible."""
    most = max(values, default=0) or 1
    return [round(max(full * value / most, 0.6), 1) if value else 0 for value in values]


def _anchor(i: int, n: int) -> str:
    if n > 1 and i == 0:
        return "start"
    return "end" if n > 1 and i == n - 1 else "middle"


def _axis(largest: int, *, top: int, bottom: int) -> Axis:
    step = _round_step(max(largest, 1) / 3)
    highest = step * max(1, -(-largest // step))
    values = range(0, highest + 1, step)
    return Axis(tuple((v, round(bottom - (bottom - top) * v / highest, 1)) for v in values), highest)


def _round_step(rough: float) -> int:
    size = 1
    while True:
        for factor in (1, 2, 5):
            if size * factor >= rough:
                return size * factor
        size *= 10
