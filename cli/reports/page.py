"""The page: evidence, verdict and figures poured into one HTML file that needs nothing but itself."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from markupsafe import Markup

from cli.reports import words
from cli.reports.charts import Histogram, Series, Spec, events_chart, histogram, trend_chart, work_chart
from cli.reports.days import DayRow, Trend
from cli.reports.draw import draw
from cli.reports.evidence import Evidence
from cli.reports.lake import HourCell, LakeFigures, QuarantineCell, Ranked
from cli.reports.timeline import UnitSpan, busy_window, unit_spans
from cli.reports.verdict import Verdict
from firewall_logs.contracts import Account, Omitted
from firewall_logs.names import add_up
from kernel import prices
from kernel.pages.templating import templates_of
from kernel.pages.words import counted, number

# Two drawings of each chart, so that text keeps its size: CSS shows the one that fits.
_WIDE: Final = 1030
_NARROW: Final = 350
_HALF: Final = 500
# A rule's id has 32 characters; the first dozen tell it apart, the rest is in the tooltip.
_LONG_NAME: Final = 28


@dataclass(frozen=True)
class Figure:
    """A chart at both widths, with its legend."""

    wide: Markup
    narrow: Markup
    series: list[Series]


@dataclass(frozen=True)
class Tile:
    """One number at the top of the page."""

    value: str
    label: str
    hint: str


@dataclass(frozen=True)
class Bar:
    """One line of a list of bars.

    Attributes:
        part: How much of the value is drawn darker.
        tip: What hovering says.
    """

    name: str
    value: float
    note: str = ""
    part: float = 0
    tip: str = ""


@dataclass(frozen=True)
class DriftBars:
    """What the source sent that its documentation does not know, and how it wrote the time."""

    columns: list[Bar]
    values: list[Bar]
    forms: list[Bar]


def render(
    evidence: Evidence,
    verdict: Verdict,
    lake: LakeFigures,
    *,
    days: list[DayRow],
    trends: list[Trend],
    environment: str,
    made_at: datetime,
) -> str:
    """Return the report as HTML."""
    spans = unit_spans(evidence.receipts)
    templates = templates_of("cli.reports")
    templates.filters.update(size=words.size, duration=words.duration, money=words.money, moment=words.moment)
    hours = histogram(lake.hours, max_bins=240)
    return templates.get_template("report.html.j2").render(
        environment=environment,
        made_at=made_at,
        evidence=evidence,
        verdict=verdict,
        tiles=_tiles(evidence, verdict, spans),
        events=_events_figure(lake.hours, hours),
        histogram=hours,
        hour_table=_hour_table(hours),
        work=_work_figure(spans),
        spans=spans,
        feeds=_by_feed(evidence),
        rules=_ranked(lake.rules),
        hosts=_ranked(lake.hosts),
        reasons=_reasons(lake),
        drift=_drift(evidence),
        costs=_costs(evidence),
        days=days,
        day_feeds=sorted({feed for row in days for feed in row.cells}),
        trends=[(trend, _trend_figure(trend)) for trend in trends],
        prices_of=prices.AS_OF.strftime("%B %Y"),
        meanings=words.REASONS,
        share=words.share,
        cost_parts=_cost_parts,
    )


def _tiles(evidence: Evidence, verdict: Verdict, spans: list[UnitSpan]) -> list[Tile]:
    manifests = list(evidence.manifests.values())
    bytes_in = sum(manifest.source.size for manifest in manifests)
    kept = [file for manifest in manifests for file in manifest.files]
    summaries = [run.summary for run in evidence.runs if run.summary]
    rows = verdict.account.rows_in
    busy = busy_window(spans).total_seconds()
    tiles = [
        Tile(number(len(verdict.objects)), "raw objects", f"{words.size(bytes_in)} as delivered"),
        Tile(number(len(kept)), "parquet files", words.size(sum(file.bytes for file in kept))),
    ]
    if busy:
        tiles.append(
            Tile(
                number(rows / busy),
                "rows a second",
                f"{words.duration(busy)} of work, {counted(len(spans), 'unit')}",
            )
        )
    if summaries and rows:
        usd = sum(summary.usd for summary in summaries)
        tiles.append(
            Tile(words.money(1_000_000 * usd / rows), "per million rows", f"{words.money(usd)} in all, estimated")
        )
    return tiles


def _figure(name: str, description: str, wide: Spec, narrow: Spec, series: list[Series]) -> Figure:
    return Figure(
        wide=Markup(draw(wide, name=f"{name}-wide", description=description)),  # noqa: S704 - drawn from numbers, labels escaped by Vega
        narrow=Markup(draw(narrow, name=f"{name}-narrow", description=description)),  # noqa: S704
        series=series,
    )


def _events_figure(cells: list[HourCell], hours: Histogram) -> Figure | None:
    if not cells:
        return None
    return _figure(
        "events",
        "Stacked bars of events over time by action. The table below holds the same numbers.",
        events_chart(hours, width=_WIDE, height=300),
        events_chart(histogram(cells, max_bins=48), width=_NARROW, height=240),
        hours.series,
    )


def _work_figure(spans: list[UnitSpan]) -> Figure | None:
    if not spans:
        return None
    (wide, series), (narrow, _) = work_chart(spans, width=_WIDE - 60), work_chart(spans, width=_NARROW - 60)
    return _figure(
        "work",
        "Slices of raw objects over wall time, those of a unit in one row; below, the rows a second of each.",
        wide,
        narrow,
        series,
    )


def _trend_figure(trend: Trend) -> Figure:
    (wide, series), (narrow, _) = trend_chart(trend, width=_HALF), trend_chart(trend, width=_NARROW)
    return _figure(
        f"trend-{trend.rule}", f"Figures of the rule {trend.rule} over days, a line a feed.", wide, narrow, series
    )


def _hour_table(hours: Histogram) -> list[tuple[str, dict[str, int]]]:
    table: dict[str, dict[str, int]] = defaultdict(dict)
    for each in hours.bins:
        table[each["tip"].split(" · ")[0]][each["action"]] = each["events"]
    return list(table.items())


def _by_feed(evidence: Evidence) -> list[tuple[str, str, int, Account]]:
    accounts: dict[tuple[str, str], Account] = defaultdict(Account)
    objects: dict[tuple[str, str], int] = defaultdict(int)
    for manifest in evidence.manifests.values():
        key = manifest.feed, manifest.zone
        accounts[key] += manifest.account
        objects[key] += 1
    return [(*key, objects[key], accounts[key]) for key in sorted(accounts)]


def _ranked(ranked: list[Ranked]) -> list[Bar]:
    return [
        Bar(
            name=each.name if len(each.name) <= _LONG_NAME else f"{each.name[: _LONG_NAME - 16]}…",
            value=each.events,
            note=each.detail,
            part=each.blocked,
            tip=f"{each.name}: {each.events:,} events, {each.blocked:,} blocked",
        )
        for each in ranked
    ]


def _reasons(lake: LakeFigures) -> list[Bar]:
    cells: dict[str, list[QuarantineCell]] = defaultdict(list)
    for cell in lake.quarantine:
        cells[cell.reason].append(cell)
    bars = [
        Bar(
            name=reason,
            value=sum(cell.rows for cell in some),
            note=words.REASONS.get(reason, ""),
            tip=", ".join(f"{cell.feed}{f' ({cell.field})' if cell.field else ''}: {cell.rows:,}" for cell in some),
        )
        for reason, some in cells.items()
    ]
    return sorted(bars, key=_most_first)


def _drift(evidence: Evidence) -> DriftBars:
    drift = add_up(manifest.drift for manifest in evidence.manifests.values())
    values = [Bar(value, rows, note=field) for field, counts in drift.values.items() for value, rows in counts.items()]
    return DriftBars(
        columns=[
            *sorted((Bar(name, rows) for name, rows in drift.columns.items()), key=_most_first),
            *_left_out(drift.columns_omitted),
        ],
        values=[
            *sorted(values, key=_most_first),
            *(bar for field, omitted in drift.values_omitted.items() for bar in _left_out(omitted, field)),
        ],
        forms=sorted((Bar(name, rows) for name, rows in drift.time_forms.items()), key=_most_first),
    )


def _left_out(omitted: Omitted, field: str = "") -> Iterator[Bar]:
    if omitted.names:
        yield Bar(f"up to {omitted.names:,} more, not named", omitted.rows, note=field)


def _costs(evidence: Evidence) -> list[Bar]:
    usd: dict[str, float] = defaultdict(float)
    for run in evidence.runs:
        for component, spent in run.summary.usd_by_component.items() if run.summary else ():
            usd[component] += spent
    return sorted(
        (Bar(words.COMPONENTS.get(name, name), value) for name, value in usd.items() if value), key=_most_first
    )


def _cost_parts(usd: dict[str, float]) -> str:
    parts = sorted(usd.items(), key=lambda item: (-item[1], item[0]))
    return " · ".join(f"{words.COMPONENTS.get(name, name)} {words.money(value)}" for name, value in parts if value)


def _most_first(bar: Bar) -> tuple[float, str]:
    return -bar.value, bar.name
