"""The charts as Vega-Lite specifications: what is drawn, not how. Colours are CSS variables of the page."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from cli.reports.days import Trend
from cli.reports.lake import HourCell
from cli.reports.timeline import UnitSpan

Spec = dict[str, Any]

# From hardest to softest answer: the order in which bars are stacked and legends read.
_ACTION_COLOURS: Final = {
    "block": "red",
    "connectionclose": "pink",
    "managedchallenge": "orange",
    "challenge": "yellow",
    "jschallenge": "sand",
    "log": "blue",
    "challengesolved": "violet",
    "skip": "teal",
    "allow": "green",
}
_SPARE_COLOURS: Final = ("violet", "pink", "green", "sand", "yellow")
_FEED_COLOURS: Final = ("blue", "teal", "violet", "orange", "pink", "green", "sand", "red")
_SHOWN_ACTIONS: Final = 7
_SHOWN_SLICES: Final = 600

# Width of a bar in time, the finest that fits; a year of hours would be a wall of hairlines.
_BIN_HOURS: Final = (1, 3, 6, 12, 24, 168, 720)
_TAIL: Final = 0.0025
_MOST_DAY_LABELS: Final = 6


@dataclass(frozen=True)
class Series:
    """One colour of a chart and what it stands for."""

    name: str
    colour: str
    total: int


@dataclass(frozen=True)
class Histogram:
    """Events over time, binned for a chart.

    Attributes:
        hidden: Events of hours so far off that they would squeeze the rest; they are in the table.
    """

    series: list[Series]
    bins: list[Spec]
    bin_hours: int
    hidden: int


def histogram(cells: list[HourCell], *, max_bins: int) -> Histogram:
    """Return the events in at most `max_bins` bars, the rarest actions together as "other"."""
    totals: dict[str, int] = defaultdict(int)
    for cell in cells:
        totals[cell.action] += cell.events
    series = _series(totals)
    names = {each.name for each in series}
    kept, hidden = _without_tails(cells)
    width = _bin_hours(kept, max_bins)
    counts: dict[tuple[datetime, str], int] = defaultdict(int)
    for cell in kept:
        counts[_floor(cell.hour, width), cell.action if cell.action in names else "other"] += cell.events
    order = {each.name: position for position, each in enumerate(series)}
    colours = {each.name: f"var(--{each.colour})" for each in series}
    floor: dict[datetime, int] = defaultdict(int)
    bins = []
    # Stacked here: Vega-Lite does not stack bars whose width is an interval of time.
    for (at, action), events in sorted(counts.items(), key=lambda item: (item[0][0], -order[item[0][1]])):
        bins.append(
            {
                "from": _ms(at),
                "to": _ms(at + timedelta(hours=width)),
                "bottom": floor[at],
                "top": floor[at] + events,
                "action": action,
                "colour": colours[action],
                "events": events,
                "tip": f"{_when(at, width)} · {action} · {events:,} events",
            }
        )
        floor[at] += events
    return Histogram(series, bins, width, hidden)


def events_chart(data: Histogram, *, width: int, height: int) -> Spec:
    """Events by hour and action, stacked."""
    return _framed(
        width,
        height,
        {
            "data": {"values": data.bins},
            "mark": {"type": "rect", "stroke": "var(--card)", "strokeWidth": 0.75},
            "encoding": {
                "x": {
                    "field": "from",
                    "type": "temporal",
                    "scale": {"type": "utc"},
                    "title": None,
                    "axis": _time_axis(width),
                },
                "x2": {"field": "to"},
                "y": {"field": "bottom", "type": "quantitative", "title": None, "axis": _VALUE_AXIS},
                "y2": {"field": "top"},
                "color": {"field": "colour", "type": "nominal", "scale": None},
                "description": {"field": "tip"},
            },
        },
    )


def work_chart(spans: list[UnitSpan], *, width: int) -> tuple[Spec, list[Series]]:
    """Slices over wall time, those of a unit in one row, and below each slice how fast it was."""
    begin = min(span.start for span in spans)
    pieces = [(span, piece) for span in spans for piece in span.slices]
    rows: dict[str, int] = defaultdict(int)
    for _, piece in pieces:
        rows[piece.feed] += piece.rows
    colour = {feed: _FEED_COLOURS[i % len(_FEED_COLOURS)] for i, feed in enumerate(sorted(rows))}
    # More marks than this cannot be told apart, and would only make the file large.
    shown = sorted(pieces, key=lambda pair: pair[1].seconds, reverse=True)[:_SHOWN_SLICES]
    values = []
    for span, piece in shown:
        start = (piece.start - begin).total_seconds() - span.cut
        values.append(
            {
                "from": start,
                "to": start + piece.seconds,
                "middle": start + piece.seconds / 2,
                "lane": span.lane + 1,
                # An object that cannot be read has no speed.
                "speed": round(piece.rows_per_second) if piece.rows else None,
                "colour": f"var(--{colour[piece.feed]})",
                "tip": (
                    f"{piece.key} · {piece.rows:,} rows in {piece.seconds:.2f} s · "
                    f"{piece.rows_per_second:,.0f} rows/s · unit {span.unit} of {span.run_id}"
                ),
            }
        )
    lanes = max(span.lane for span in spans) + 1
    end = max((span.end - begin).total_seconds() - span.cut for span in spans)
    along: Spec = {"type": "quantitative", "scale": {"domain": [0, end], "nice": False}, "title": None}
    gantt = {
        "width": width,
        "height": max(40, min(18 * lanes, 260)),
        "mark": {"type": "bar", "cornerRadius": 2, "stroke": "var(--card)", "strokeWidth": 1},
        "encoding": {
            "x": {"field": "from", **along, "axis": {**_SECONDS_AXIS, "labels": False}},
            "x2": {"field": "to"},
            "y": {
                "field": "lane",
                "type": "ordinal",
                "title": None,
                "axis": None,
                "scale": {"padding": 0.12},
            },
            "color": {"field": "colour", "type": "nominal", "scale": None},
            "description": {"field": "tip"},
        },
    }
    speed = {
        "width": width,
        "height": 130,
        "mark": {"type": "circle", "size": 46, "opacity": 0.85, "invalid": "filter"},
        "encoding": {
            "x": {"field": "middle", **along, "axis": _SECONDS_AXIS},
            "y": {
                "field": "speed",
                "type": "quantitative",
                "title": None,
                # A large parquet object is read a hundred times faster than a small gzip.
                "scale": {"type": "log"},
                "axis": {**_VALUE_AXIS, "tickCount": 3},
            },
            "color": {"field": "colour", "type": "nominal", "scale": None},
            "description": {"field": "tip"},
        },
    }
    spec = {"data": {"values": values}, "vconcat": [gantt, speed], "spacing": 8, **_FRAME}
    return spec, [Series(feed, colour[feed], rows[feed]) for feed in sorted(rows)]


def trend_chart(trend: Trend, *, width: int) -> tuple[Spec, list[Series]]:
    """A rule's figures over days, a line a feed, with the limits that they come near to."""
    feeds = sorted({point.feed for point in trend.points})
    colour = {feed: _FEED_COLOURS[i % len(_FEED_COLOURS)] for i, feed in enumerate(feeds)}
    figure = _PERCENT if trend.unit == "share" else _PLAIN
    values = [
        {
            "day": _midnight(point.day),
            "figure": point.figure,
            "feed": point.feed,
            "colour": f"var(--{colour[point.feed]})",
            "size": 60 if point.verdict.level == "pass" else 140,
            "tip": f"{point.day} · {point.feed} · {point.verdict.level} · {point.verdict.detail}",
        }
        for point in trend.points
    ]
    limits = sorted({point.verdict.limit for point in trend.points if point.verdict.limit is not None})
    along: Spec = {
        "field": "day",
        "type": "temporal",
        "scale": {"type": "utc"},
        "title": None,
        "axis": _day_axis(point.day for point in trend.points),
    }
    height: Spec = {
        "field": "figure",
        "type": "quantitative",
        "title": None,
        "scale": {"zero": False, "nice": True},
        "axis": {**_VALUE_AXIS, "tickCount": 3, "labelExpr": figure},
    }
    colours: Spec = {"field": "colour", "type": "nominal", "scale": None}
    layers: list[Spec] = [
        {
            "data": {"values": [{"limit": limit} for limit in limits]},
            "mark": {"type": "rule", "strokeDash": [4, 3], "stroke": "var(--bad)", "strokeWidth": 1},
            "encoding": {"y": {"field": "limit", "type": "quantitative"}},
        },
        {
            "mark": {"type": "line", "strokeWidth": 1.5, "opacity": 0.8},
            "encoding": {"x": along, "y": height, "color": colours, "detail": {"field": "feed"}},
        },
        {
            "mark": {"type": "circle", "opacity": 1},
            "encoding": {
                "x": along,
                "y": height,
                "color": colours,
                "size": {"field": "size", "type": "quantitative", "scale": None},
                "description": {"field": "tip"},
            },
        },
    ]
    spec = _framed(width, 150, {"data": {"values": values}, "layer": layers})
    return spec, [Series(feed, colour[feed], sum(point.feed == feed for point in trend.points)) for feed in feeds]


# ---------------------------------------------------------------- time


def _series(totals: dict[str, int]) -> list[Series]:
    known = list(_ACTION_COLOURS)
    frequent = sorted(totals, key=lambda action: -totals[action])[:_SHOWN_ACTIONS]
    spare = (colour for colour in _SPARE_COLOURS if colour not in {_ACTION_COLOURS.get(a) for a in frequent})
    frequent.sort(key=lambda action: (known.index(action) if action in known else len(known), -totals[action]))
    series = [Series(a, _ACTION_COLOURS.get(a) or next(spare, "grey"), totals[a]) for a in frequent]
    rest = sum(totals.values()) - sum(each.total for each in series)
    return [*series, Series("other", "grey", rest)] if rest else series


def _without_tails(cells: list[HourCell]) -> tuple[list[HourCell], int]:
    """Leave out at most 0.25 % of the events at each end, where that at least halves the time shown."""
    per_hour: dict[datetime, int] = defaultdict(int)
    for cell in cells:
        per_hour[cell.hour] += cell.events
    hours = sorted(per_hour)
    if not hours:
        return [], 0
    budget = _TAIL * sum(per_hour.values())
    first = _after_tail(hours, per_hour, budget)
    last = _after_tail(hours[::-1], per_hour, budget)
    if (last - first) * 2 > hours[-1] - hours[0]:
        return cells, 0
    kept = [cell for cell in cells if first <= cell.hour <= last]
    return kept, sum(per_hour.values()) - sum(cell.events for cell in kept)


def _after_tail(hours: Iterable[datetime], per_hour: dict[datetime, int], budget: float) -> datetime:
    passed = 0
    for hour in hours:
        passed += per_hour[hour]
        if passed > budget:
            return hour
    return hour


def _bin_hours(cells: list[HourCell], max_bins: int) -> int:
    if not cells:
        return 1
    span = (max(cell.hour for cell in cells) - min(cell.hour for cell in cells)) / timedelta(hours=1) + 1
    return next((width for width in _BIN_HOURS if span / width <= max_bins), _BIN_HOURS[-1])


def _floor(at: datetime, hours: int) -> datetime:
    seconds = hours * 3600
    return datetime.fromtimestamp(at.timestamp() // seconds * seconds, UTC)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _midnight(day: date) -> int:
    return _ms(datetime.combine(day, datetime.min.time(), UTC))


def _when(at: datetime, hours: int) -> str:
    return f"{at:%a %d %b %Y %H:%M}" if hours < 24 else f"{at:%d %b %Y}"  # noqa: PLR2004 - hours of a day


# ---------------------------------------------------------------- the look

_VALUE_AXIS: Final[Spec] = {
    "tickCount": 4,
    "labelExpr": "datum.value == 0 ? '0' : format(datum.value, '~s')",
    "domain": False,
    "ticks": False,
    "labelPadding": 8,
}
_SECONDS_AXIS: Final[Spec] = {
    "tickCount": 8,
    "labelExpr": "datum.value + ' s'",
    "grid": True,
    "domain": False,
    "ticks": False,
    "labelPadding": 8,
}
_PLAIN: Final = "format(datum.value, '~s')"
# Figures that break a limit of 100 % by little are told apart only by further digits.
_PERCENT: Final = "format(datum.value, '.5~p')"
_FRAME: Final[Spec] = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "background": "transparent",
    "padding": {"left": 2, "right": 14, "top": 6, "bottom": 4},
    "config": {
        "font": "Inter, system-ui, sans-serif",
        "view": {"stroke": None},
        "axis": {
            # Only marks say on hover what they are.
            "aria": False,
            "labelColor": "var(--muted)",
            "labelFontSize": 12,
            "gridColor": "var(--line)",
            "gridDash": [2, 3],
            "domainColor": "var(--line)",
            "tickColor": "var(--line)",
        },
    },
}


def _framed(width: int, height: int, spec: Spec) -> Spec:
    return {"width": width, "height": height, "autosize": {"type": "fit", "contains": "padding"}, **_FRAME, **spec}


def _day_axis(days: Iterable[date]) -> Spec:
    """Return an axis whose labels are days that there are, six at most."""
    known = sorted(set(days))
    return {
        "grid": False,
        "values": [_midnight(day) for day in known[:: -(-len(known) // _MOST_DAY_LABELS)]],
        "labelExpr": "utcFormat(datum.value, '%b %-d')",
        "labelPadding": 6,
    }


def _time_axis(width: int) -> Spec:
    return {
        "grid": False,
        "tickCount": max(4, width // 110),
        "labelExpr": "utchours(datum.value) == 0 ? utcFormat(datum.value, '%b %-d') : utcFormat(datum.value, '%H:%M')",
        "labelPadding": 6,
        "labelOverlap": True,
    }
