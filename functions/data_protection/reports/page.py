"""A report as a page for people: one HTML file that needs nothing but itself."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial
from typing import Final

from jinja2 import Template
from markupsafe import Markup, escape

from data_protection.checks.catalogue import catalogue
from data_protection.contracts import FindingRow
from data_protection.reports.actions import actions
from data_protection.reports.charts import percent, trend_chart
from data_protection.reports.report import BROKEN, Report
from data_protection.runbooks import run_command, runbook
from data_protection.terms import CLASSES, PHASES, TERMS
from data_protection.verdicts import Status
from kernel.pages.templating import templates_of
from kernel.pages.words import seen

# Lines of a list; more would make a page that nobody reads. All are in the files beside it.
_LISTED: Final = 100
_SHOWN: Final = 12
_OFFERED: Final = 3
# What stands in a cell, so that nobody needs its colour.
_SIGNS: Final = {
    Status.PASS: "✓",
    Status.FAIL: "✕",
    Status.WARN: "!",
    Status.UNKNOWN: "?",
    Status.EXCEPTED: "E",
    Status.NOT_APPLICABLE: "–",  # noqa: RUF001 - a dash
}


@dataclass(frozen=True)
class HeatMap:
    """Resources of a kind by their checks.

    Attributes:
        kind: Of the resources.
        checks: Ids, the columns.
        lines: Of each resource its account, region and name, and its findings by check; the worst first.
        left_out: How many resources are not among the lines.
    """

    kind: str
    checks: Sequence[str]
    lines: Sequence[tuple[tuple[str, str, str], Mapping[str, FindingRow]]]
    left_out: int


def as_html(report: Report) -> bytes:
    """Return the page."""
    return (
        _template()
        .render(
            report=report,
            score=report.score,
            trend=report.trend,
            chart=trend_chart(report.trend.points),
            actions=actions(report),
            maps=heat_maps(report),
            listed=_LISTED,
            shown=_SHOWN,
            offered=_OFFERED,
            catalogue=catalogue(),
            runbook=runbook,
            assess=partial(_assess, report.environment),
            terms=TERMS,
            phases=PHASES,
            classes=CLASSES,
        )
        .encode()
    )


def heat_maps(report: Report) -> Sequence[HeatMap]:
    """Return a map for each kind of resource, by its name."""
    kinds: defaultdict[str, defaultdict[tuple[str, str, str, str], dict[str, FindingRow]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for row in report.rows:
        kinds[row.kind][row.account, row.region, row.name, row.arn][row.check] = row
    return [_heat_map(kind, found) for kind, found in sorted(kinds.items())]


def _heat_map(kind: str, found: Mapping[tuple[str, str, str, str], Mapping[str, FindingRow]]) -> HeatMap:
    def worst(line: tuple[tuple[str, str, str, str], Mapping[str, FindingRow]]) -> tuple[int, int, tuple[str, ...]]:
        statuses = [row.status for row in line[1].values()]
        return -sum(status in BROKEN for status in statuses), -statuses.count(Status.UNKNOWN), line[0]

    lines = sorted(found.items(), key=worst)
    return HeatMap(
        kind=kind,
        checks=sorted({check for _, rows in lines for check in rows}),
        lines=[((account, region, name), rows) for (account, region, name, _), rows in lines[:_LISTED]],
        left_out=max(len(lines) - _LISTED, 0),
    )


def _assess(environment: str, rows: Sequence[FindingRow]) -> str:
    """Return the command that looks again at the places of some findings; of many accounts, at all places."""
    accounts, regions = ({getattr(row, name) for row in rows} for name in ("account", "region"))
    asked = {"accounts": sorted(accounts), "regions": sorted(regions)} if len(accounts) <= _SHOWN else {}
    return run_command("assess_account", asked, environment)


@cache
def _template() -> Template:
    templates = templates_of("data_protection.reports")
    templates.filters.update(
        percent=percent,
        seen=seen,
        sign=lambda status: _SIGNS[status],
        words=lambda status: status.value.replace("_", " "),
        day=_day,
        code=_code,
    )
    return templates.get_template("assessment.html.j2")


def _day(value: date | datetime | str) -> str:
    given = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{given.day} {given:%B %Y}"


def _code(text: str) -> Markup:
    """Return a text with what stands in backticks as code."""
    parts = escape(text).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts)
    )
