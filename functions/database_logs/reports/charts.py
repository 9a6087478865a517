"""Charts as SVG: marks in colours of the page, with a text for the mouse and for those who do not see them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from database_logs.reports.words import seconds
from kernel.pages.words import number

_LEFT: Final = 64
# Below the floor are figures and the name of the axis.
_FLOOR: Final = 38
_SCATTER_HEIGHT: Final = 250
_LEAST_RADIUS: Final = 3.0
_LARGEST_RADIUS: Final = 22.0
_SPARK_WIDTH: Final = 64
_SPARK_HEIGHT: Final = 16


@dataclass(frozen=True)
class Dot:
    """A statement in the chart of calls and time.

    Attributes:
        calls: How often it ran.
        p95: Seconds.
        total: Seconds, which its area shows.
        name: Of the statement.
        is_new: Drawn as a ring.
    """

    calls: int
    p95: float
    total: float
    name: str
    is_new: bool


def scatter_chart(dots: Sequence[Dot], width: int) -> Markup:
    """Draw statements by calls and 95th percentile, both logarithmic; the area is the time that they took in all.

    Args:
        dots: At least one.
        width: That the page has for it, in its pixels, so that text keeps its size.
    """
    # So far from the edges that no circle covers their figures.
    across = _Scale.of([dot.calls for dot in dots], _LEFT + _LARGEST_RADIUS, width - _LARGEST_RADIUS)
    upward = _Scale.of([dot.p95 for dot in dots], _SCATTER_HEIGHT - _FLOOR - _LARGEST_RADIUS, _LARGEST_RADIUS)
    most = max(dot.total for dot in dots) or 1.0
    mark = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{:.1f}" class="{}" data-tip="{}"/>')
    # The large ones first, so that none hides another.
    circles = [
        mark.format(
            across.at(dot.calls),
            upward.at(dot.p95),
            max(_LARGEST_RADIUS * math.sqrt(dot.total / most), _LEAST_RADIUS),
            "new" if dot.is_new else "known",
            f"{dot.name} · {number(dot.calls)} calls, 95 % within {seconds(dot.p95)}, {seconds(dot.total)} in all",
        )
        for dot in sorted(dots, key=lambda dot: -dot.total)
    ]
    marks = [*_grid(across, upward, width), *circles]
    told = "Statements by calls and 95th percentile of their time; the figures are in the list of statements."
    return _svg(width, _SCATTER_HEIGHT, told, marks)


def spark(values: Sequence[float | None]) -> Markup:
    """Draw a row of values as bars of a line's height; None is a gap."""
    most = max((value or 0.0 for value in values), default=0.0) or 1.0
    step = _SPARK_WIDTH / max(len(values), 1)
    marks = [
        Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="var(--{})"/>').format(
            index * step,
            _SPARK_HEIGHT * (1 - value / most),
            step - 1.5,
            max(_SPARK_HEIGHT * value / most, 1),
            "blue" if index == len(values) - 1 else "grey",
        )
        for index, value in enumerate(values)
        if value is not None
    ]
    told = ", ".join("none" if value is None else seconds(value) for value in values)
    return _svg(_SPARK_WIDTH, _SPARK_HEIGHT, told, marks, name="spark")


@dataclass(frozen=True)
class _Scale:
    """Positive values to places, by their logarithm.

    Attributes:
        low, high: Exponents of ten at the ends.
        start, end: Places of the ends.
    """

    low: int
    high: int
    start: float
    end: float

    @classmethod
    def of(cls, values: Sequence[float], start: float, end: float) -> "_Scale":
        positive = [value for value in values if value > 0] or [1.0]
        low, high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
        return cls(low, max(high, low + 1), start, end)

    def at(self, value: float) -> float:
        exponent = math.log10(value) if value > 0 else self.low
        return self.start + (self.end - self.start) * (exponent - self.low) / (self.high - self.low)

    @property
    def ticks(self) -> list[int]:
        return list(range(self.low, self.high + 1))


def _grid(across: _Scale, upward: _Scale, width: int) -> Iterator[Markup]:
    line = Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="var(--line)"/>')
    floor = upward.start + _LARGEST_RADIUS
    for tick in across.ticks:
        at = across.at(10.0**tick)
        yield line.format(at, floor, at, 0)
        yield Markup('<text x="{:.1f}" y="{:.1f}" class="label">{}</text>').format(at, floor + 16, number(10.0**tick))
    for tick in upward.ticks:
        at = upward.at(10.0**tick)
        yield line.format(_LEFT, at, width, at)
        yield Markup('<text x="{:.1f}" y="{:.1f}" class="axis">{}</text>').format(
            _LEFT - 8, at + 4, f"{number(10.0**tick)} s" if tick > 0 else seconds(10.0**tick)
        )
    name = Markup('<text x="{:.1f}" y="{:.1f}" class="{}">{}</text>')
    yield name.format((across.start + across.end) / 2, floor + 34, "label", "calls")
    yield name.format(_LEFT - 8, 8, "axis", "95 % within")


def _svg(width: int, height: int, told: str, marks: Sequence[Markup], name: str = "chart") -> Markup:
    return Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        name, width, height, told, Markup("").join(marks)
    )
