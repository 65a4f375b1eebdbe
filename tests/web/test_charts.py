"""Geometry of charts."""

from __future__ import annotations

from carillon.web.charts import line_chart


def test_one_moment_alone_is_a_level_line() -> None:
    chart = line_chart(["10:12"], [[5]])
    (start, end) = chart.lines[0].split()
    assert start.split(",")[1] == end.split(",")[1]
    assert (float(start.split(",")[0]), float(end.split(",")[0])) == (chart.left, chart.right)


def test_nothing_is_an_empty_line() -> None:
    assert line_chart([], [[]]).lines == ("",)
