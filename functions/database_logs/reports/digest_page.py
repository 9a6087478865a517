"""The report of a day's digest."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any, Final

import polars as pl
from jinja2 import Template
from markupsafe import Markup

from database_logs.reports import words
from database_logs.reports.charts import Dot, scatter_chart, spark
from kernel.pages.templating import templates_of
from kernel.pages.words import counted, number, seen

# Days before that a digest is compared with.
WEEK: Final = 7
# What history is made of: the digests of those days.
HISTORY: Final = pl.Schema(
    {"day": pl.Date(), "fingerprint_id": pl.String(), "calls": pl.Int64(), "query_time_sum": pl.Float64()}
)
INSTANCES: Final = pl.Schema({"instance_id": pl.String(), "calls": pl.Int64(), "query_time_sum": pl.Float64()})

_LISTED: Final = 100
_BARS: Final = 15
_DOTS: Final = 200
# Two drawings, so that text keeps its size: the page shows the one that fits.
_WIDE: Final = 500
_NARROW: Final = 320
_MOST: Final = 0.8
# What of a statement is in its line; more would not be seen, and a hundred of 100 kB would make a page of 10 MB.
_SUMMARY: Final = 400


@dataclass(frozen=True)
class Bar:
    """One line of a list of bars.

    Attributes:
        value: Seconds; None where nobody knows.
        note: Its share.
        tip: What hovering says beside the name.
    """

    name: str
    value: float | None
    note: str = ""
    tip: str = ""
    is_new: bool = False


def render(day: date, digest: pl.DataFrame, history: pl.DataFrame, instances: pl.DataFrame) -> str:
    """Return the report as HTML.

    The same digests always become the same page.

    Args:
        day: Of the digest.
        digest: Columns of `ranking.DIGEST`, by rank.
        history: Columns of HISTORY, of the days before that have a digest.
        instances: Columns of INSTANCES: the statements of the day by instance.
    """
    # What is left of others has sums alone.
    rows = digest.filter(pl.col("fingerprint_id").is_not_null()).head(_DOTS).to_dicts()
    days = [day - timedelta(days=back) for back in range(WEEK, -1, -1)]
    total = float(digest["query_time_sum"].sum())
    has_history = history.height > 0
    dots = [_dot(row, has_history=has_history) for row in rows]
    return _template().render(
        day=day,
        has_history=has_history,
        total=total,
        calls=int(digest["calls"].sum()),
        rows=rows[:_LISTED],
        statements=digest.height,
        new=int(digest["is_new"].sum()),
        instances=instances.height,
        most=_most(digest),
        days=_by_day(days, history, total),
        scatters=[scatter_chart(dots, width) for width in (_WIDE, _NARROW)] if dots else [],
        costly=[_bar(row) for row in rows[:_BARS]],
        by_instance=_by_instance(instances),
        sparks=_sparks(days, rows[:_LISTED], history),
    )


@cache
def _template() -> Template:
    templates = templates_of("database_logs.reports")
    templates.filters.update(
        seconds=words.seconds,
        share=words.share,
        day=words.day,
        seen=seen,
        fits=lambda text: words.short(text, _SUMMARY),
    )
    return templates.get_template("digest.html.j2")


def _most(digest: pl.DataFrame) -> int:
    """Return how many of the first statements took most of the time."""
    return int((digest["share"].cum_sum() < _MOST).sum()) + 1


def _by_day(days: list[date], history: pl.DataFrame, total: float) -> list[Bar]:
    """Return the days as they were, the latest first; a day without digest says so."""
    sums = dict(history.group_by("day").agg(pl.col("query_time_sum").sum()).iter_rows()) | {days[-1]: total}
    return [Bar(f"{day:%a} {day.day} {day:%b}", sums.get(day)) for day in reversed(days)]


def _dot(row: dict[str, Any], *, has_history: bool) -> Dot:
    return Dot(
        calls=row["calls"],
        p95=row["query_time_p95"],
        total=row["query_time_sum"],
        name=words.short(row["fingerprint"]),
        is_new=row["is_new"] and has_history,
    )


def _bar(row: dict[str, Any]) -> Bar:
    return Bar(
        name=words.short(row["fingerprint"]),
        value=row["query_time_sum"],
        note=words.share(row["share"]),
        tip=f"{number(row['calls'])} calls on {counted(len(row['instances']), 'instance')}",
        is_new=row["is_new"],
    )


def _by_instance(instances: pl.DataFrame) -> list[Bar]:
    first = instances.sort("query_time_sum", "instance_id", descending=[True, False]).head(_BARS)
    total = float(instances["query_time_sum"].sum()) or 1.0
    return [
        Bar(seen(name) if name else "(unknown)", spent, words.share(spent / total), f"{number(calls)} calls")
        for name, calls, spent in first.iter_rows()
    ]


def _sparks(days: list[date], rows: list[dict[str, Any]], history: pl.DataFrame) -> dict[str, Markup]:
    """Return the time that each statement took day by day; nothing where it did not run, a gap without digest."""
    known = set(history["day"])
    listed = history.filter(pl.col("fingerprint_id").is_in([row["fingerprint_id"] for row in rows]))
    spent = {(day, statement): took for day, statement, _, took in listed.iter_rows()}
    return {
        row["fingerprint_id"]: spark(
            [
                *(spent.get((day, row["fingerprint_id"]), 0.0) if day in known else None for day in days[:-1]),
                row["query_time_sum"],
            ]
        )
        for row in rows
    }
