"""Draws small charts as SVG: axes with round ticks, bars, dots and curves, to stand inside an HTML page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from xml.etree import ElementTree

from eatrack_edge.reporting.colours import GRID, MARK, MEASURED

WIDTH = 900  # of every chart, in units of its view box; the page scales it
STYLE = f"""\
.chart {{ display: block; width: 100%; height: auto; margin: 6px 0; font-size: 11px; }} .chart text {{ fill: #5a5a5a; }}
.chart path {{ fill: none; stroke-width: 1.6; stroke-linejoin: round; }} .chart .grid {{ stroke: {GRID}; }}
.chart .mark {{ stroke: {MARK}; stroke-dasharray: 4 3; }}
"""


class Svg(str):
    """SVG markup, which a template inserts as it is instead of escaping it."""

    __slots__ = ()

    def __html__(self) -> str:
        """Markup that Jinja2 must not escape."""
        return str(self)


def ticks(low: float, high: float, most: int = 8, *, is_log: bool = False) -> list[float]:
    """Round numbers between two bounds, both included.

    Args:
        low: Lower bound; above 0 on a logarithmic axis.
        high: Upper bound.
        most: No more ticks than this.
        is_log: 1, 2 and 5 times powers of ten, or the powers alone where there would be too many.

    >>> ticks(0, 23.4)
    [0.0, 5.0, 10.0, 15.0, 20.0]
    >>> ticks(75.8, 138)
    [80.0, 90.0, 100.0, 110.0, 120.0, 130.0]
    >>> ticks(0.3, 7, is_log=True)
    [0.5, 1.0, 2.0, 5.0]
    """
    if high <= low:
        return [low]
    if is_log:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        found = [_round(factor * 10.0**power) for power in powers for factor in (1, 2, 5)]
        found = [tick for tick in found if low <= tick <= high]
        return found if len(found) <= most else [tick for tick in found if math.log10(tick).is_integer()]
    power = 10 ** math.floor(math.log10((high - low) / most))
    for factor in (1, 2, 2.5, 5, 10, 20):
        step = power * factor
        places = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
        if len(places) <= most:
            return [_round(step * place) for place in places]
    return [low, high]  # not reached: at the largest step there are fewer ticks than asked for


def _round(value: float) -> float:
    """The float nearest to what was meant: 0.3 rather than 0.30000000000000004."""
    return float(f"{value:.10g}")


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps values to places in a chart.

    Attributes:
        low, high: Values at the two ends.
        start, end: Places of the two ends, in units of the view box.
        is_log: Whether equal factors, not equal differences, are equally far apart; values must be above 0.
    """

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def at(self, value: float) -> float:
        """Place of a value."""
        low, high = self.low, self.high
        if self.is_log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.start + (self.end - self.start) * (value - low) / ((high - low) or 1.0)

    def ticks(self, most: int = 8) -> list[float]:
        """Round values along the axis."""
        return ticks(self.low, self.high, most, is_log=self.is_log)


class Point(NamedTuple):
    """A place in a chart, in units of its view box."""

    x: float
    y: float


class Chart:
    """A chart of the page's width, built shape by shape. Texts need no escaping.

    Args:
        label: What it shows, for readers who do not see it.
        height: In units of the view box; the width is ``WIDTH``.
    """

    def __init__(self, label: str, height: float) -> None:
        attributes = {"class": "chart", "viewBox": f"0 0 {WIDTH} {height:g}", "role": "img", "aria-label": label}
        self.height = height
        self._root = ElementTree.Element("svg", attributes)

    def svg(self) -> Svg:
        """The finished chart, to stand in a page."""
        return Svg(ElementTree.tostring(self._root, encoding="unicode"))

    def nested(self, y: float) -> ElementTree.Element:
        """The finished chart as a part of a larger SVG, at a height."""
        place = {"x": "0", "y": f"{y:g}", "width": f"{WIDTH}", "height": f"{self.height:g}"}
        self._root.attrib.update(place)
        return self._root

    def text(self, x: float, y: float, words: str, anchor: str = "start") -> None:
        """Write at a point; ``anchor`` is ``start``, ``middle`` or ``end``."""
        self._add("text", {"x": x, "y": y, "text-anchor": anchor}).text = words

    def line(self, start: tuple[float, float], end: tuple[float, float], style: str = "grid", note: str = "") -> None:
        """Draw a straight line; ``style`` is ``grid`` or ``mark``, which is dashed."""
        self._add("line", {"class": style, "x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}, note)

    def bar(
        self, corner: tuple[float, float], size: tuple[float, float], colour: str, note: str = "", **style: Any
    ) -> None:
        """Draw a filled rectangle from its top-left corner, at least half a unit wide so that nothing is invisible."""
        width, height = max(size[0], 0.5), max(size[1], 0)
        self._add(
            "rect", {"x": corner[0], "y": corner[1], "width": width, "height": height, "fill": colour, **style}, note
        )

    def dot(
        self, x: float, y: float, colour: str, radius: float = 5, note: str = "", *, is_hollow: bool = False
    ) -> None:
        """Draw a filled circle, or a ring."""
        style = {"fill": "#fff", "stroke": colour, "stroke-width": 2} if is_hollow else {"fill": colour}
        self._add("circle", {"cx": x, "cy": y, "r": radius, **style}, note)

    def curve(self, points: Iterable[Point | None], colour: str, note: str = "", dashes: Iterable[float] = ()) -> None:
        """Draw a line through points; ``None`` leaves a gap."""
        parts, is_down = [], False
        for point in points:
            if point is not None:
                parts.append(f"{'L' if is_down else 'M'}{point.x:.1f} {point.y:.1f}")
            is_down = point is not None
        style = {"stroke-dasharray": " ".join(f"{length:g}" for length in dashes)} if dashes else {}
        self._add("path", {"d": "".join(parts), "stroke": colour, **style}, note)

    def x_axis(
        self,
        axis: Axis,
        top: float,
        bottom: float,
        unit: str = "",
        name: Callable[[float], str] = "{:g}".format,
        most: int = 8,
    ) -> None:
        """Draw vertical grid lines with a label under each, and the unit at the right end."""
        for tick in axis.ticks(most):
            self.line((axis.at(tick), top), (axis.at(tick), bottom))
            self.text(axis.at(tick), bottom + 18, name(tick), "middle")
        self.text(WIDTH, bottom + 18, unit, "end")

    def y_axis(self, axis: Axis, left: float, right: float, title: str = "", most: int = 4) -> None:
        """Draw horizontal grid lines with a label left of each, and a short title turned by 90 degrees."""
        for tick in axis.ticks(most):
            self.line((left, axis.at(tick)), (right, axis.at(tick)))
            self.text(left - 6, axis.at(tick) + 4, f"{tick:g}", "end")
        if title:
            middle = (axis.start + axis.end) / 2
            turned = {"text-anchor": "middle", "transform": f"rotate(-90 11 {middle:g})"}
            self._add("text", {"x": 11, "y": middle, **turned}).text = title

    def _add(self, tag: str, attributes: dict[str, Any], note: str = "") -> ElementTree.Element:
        """Add a shape; ``note`` is shown when it is pointed at."""
        values = {
            key.replace("_", "-"): f"{round(value, 2):g}" if isinstance(value, float) else str(value)
            for key, value in attributes.items()
        }
        shape = ElementTree.SubElement(self._root, tag, values)
        if note:
            ElementTree.SubElement(shape, "title").text = note
        return shape


class RowChart(Chart):
    """A chart of one row for each name: names on the left, one horizontal axis under all of them.

    Args:
        label: What it shows, for readers who do not see it.
        names: Of the rows, from the top.
        axis: Its ``start`` is where names end.
        row_height: In units of the view box.
        unit: Of the axis.
        tick_name: Writes a value under the axis.
    """

    def __init__(
        self,
        label: str,
        names: Sequence[str],
        axis: Axis,
        *,
        row_height: float = 26,
        unit: str = "",
        tick_name: Callable[[float], str] = "{:g}".format,
    ) -> None:
        self.bottom = len(names) * row_height + 4  # of the rows; the axis is under it
        super().__init__(label, self.bottom + 23)
        self._row_height = row_height
        self.x_axis(axis, 0, self.bottom, unit, tick_name, most=12)
        for place, name in enumerate(names):
            self.text(axis.start - 10, self.middle(place) + 4, name, "end")

    def middle(self, place: int) -> float:
        """Height of the middle of a row, counted from 0."""
        return (place + 0.5) * self._row_height + 2

    def figure(self, place: int, words: str) -> None:
        """Write a row's figure at its right end."""
        self.text(WIDTH, self.middle(place) + 4, words, "end")


def line_chart(
    title: str, points: Sequence[tuple[float, float]], x_title: str, low: float, high: float, colour: str = MEASURED
) -> Chart:
    """Draw one curve with both axes.

    Args:
        title: What the values are, above the curve.
        points: Pairs of x and value, at least one.
        x_title: What x is, under the axis.
        low: Value at the lower end.
        high: Value at the upper end.
        colour: Of the curve.
    """
    bottom, right = 114.0, WIDTH - 70
    across, up = Axis(points[0][0], points[-1][0], 60, right), Axis(low, high, bottom, 24)
    chart = Chart(f"{title} over {x_title}", bottom + 22)
    chart.text(across.start, 14, title)
    chart.y_axis(up, across.start, right)
    chart.x_axis(across, bottom, bottom, x_title)
    chart.curve([Point(across.at(x), up.at(value)) for x, value in points], colour)
    return chart


def stack(title: str, charts: Sequence[Chart]) -> str:
    """Put charts below each other in one SVG file, which any browser shows."""
    top = 30.0
    height = top + sum(chart.height for chart in charts)
    attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {WIDTH} {height:g}",
        "font-family": "sans-serif",
    }
    root = ElementTree.Element("svg", attributes)
    ElementTree.SubElement(root, "style").text = STYLE
    ElementTree.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": "#fff"})
    ElementTree.SubElement(root, "text", {"x": "60", "y": "20", "font-size": "14"}).text = title
    for chart in charts:
        root.append(chart.nested(top))
        top += chart.height
    return ElementTree.tostring(root, encoding="unicode") + "\n"
