"""Charts as SVG: marks in colours of the page, with a text for the mouse and for those who do not see them."""

from collections.abc import Iterator, Sequence
from typing import Final

from markupsafe import Markup

from data_protection.reports.report import Point

_WIDTH: Final = 1040
_HEIGHT: Final = 230
_LEFT: Final = 46
_TOP: Final = 14
_FLOOR: Final = 196
_RIGHT: Final = 24
_WHOLE: Final = 100.0
_TICKS: Final = (0, 50, 100)
_LABELS: Final = 8


def trend_chart(points: Sequence[Point]) -> Markup:
    """Draw score and coverage of runs, evenly spaced in their order; a run of which nothing is known has no score.

    Args:
        points: At least one.
    """
    marks = [*_grid(), *_line(points, "coverage"), *_line(points, "percent"), *_dots(points), *_times(points)]
    told = "; ".join(_told(point) for point in points[-_LABELS:])
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _HEIGHT, f"Score and coverage of the last runs: {told}.", Markup("").join(marks)
    )


def percent(value: float | None) -> str:
    """Return a score as people read it; a whole is called so only where it is whole."""
    if value is None:
        return "not known"
    return f"{value:.0f} %" if value == int(value) else f"{value:.1f} %"


def _told(point: Point) -> str:
    score = point.score
    return f"{point.time:%d %B %Y, %H:%M} {percent(score.percent)} with {percent(score.coverage)} known"


def _across(index: int, count: int) -> float:
    room = _WIDTH - _LEFT - _RIGHT
    return _LEFT + (room / 2 if count == 1 else room * index / (count - 1))


def _up(value: float) -> float:
    return _FLOOR - (_FLOOR - _TOP) * value / _WHOLE


def _grid() -> Iterator[Markup]:
    for tick in _TICKS:
        at = _up(tick)
        yield Markup(
            '<line x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}" stroke="var(--line)"/>'
            '<text x="{}" y="{:.1f}" class="axis">{} %</text>'
        ).format(_LEFT, at, _WIDTH - _RIGHT, at, _LEFT - 8, at + 4, tick)


def _line(points: Sequence[Point], figure: str) -> Iterator[Markup]:
    """Yield a line through each stretch of runs in which the figure is known."""
    stretch: list[str] = []
    for index, point in enumerate(points):
        value = getattr(point.score, figure)
        if value is None:
            yield from _stretch(stretch, figure)
            stretch = []
        else:
            stretch.append(f"{_across(index, len(points)):.1f},{_up(value):.1f}")
    yield from _stretch(stretch, figure)


def _stretch(places: Sequence[str], figure: str) -> Iterator[Markup]:
    if len(places) > 1:
        yield Markup('<path d="M{}" class="{}"/>').format(" L".join(places), figure)


def _dots(points: Sequence[Point]) -> Iterator[Markup]:
    for index, point in enumerate(points):
        # Where nothing is known, a dot at the coverage says so.
        value = point.score.percent if point.score.percent is not None else point.score.coverage
        yield Markup('<circle cx="{:.1f}" cy="{:.1f}" r="4" class="{}" data-tip="{}"/>').format(
            _across(index, len(points)),
            _up(value),
            "percent" if point.score.percent is not None else "coverage",
            _told(point),
        )


def _times(points: Sequence[Point]) -> Iterator[Markup]:
    """Yield a label for every so many runs: its day, or its time where all are of one day."""
    every = -(-len(points) // _LABELS)
    shown = "%d %b" if len({point.time.date() for point in points}) > 1 else "%H:%M"
    for index in range(len(points) - 1, -1, -every):
        yield Markup('<text x="{:.1f}" y="{}" class="label">{}</text>').format(
            _across(index, len(points)), _HEIGHT - 12, points[index].time.strftime(shown)
        )
