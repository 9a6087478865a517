"""Builders for tests of quality rules, and their documentation as it must be."""

import json
from datetime import date, timedelta
from typing import Any

from firewall_logs.contracts import Account
from firewall_logs.days.contracts import ColumnProfile, Day, FeedArrivals, FeedProfile
from firewall_logs.days.measures import MEASURES
from firewall_logs.days.quality import DayFigures
from firewall_logs.days.rules import Limits, Rules, shipped

DAY = date(2026, 6, 10)
FEED = "47"


def a_rule(**given: Any) -> dict[str, Any]:
    """Return one rule as a document has it."""
    return {"name": "own", "measure": "rows", "fail": {"below": 10}, "why": "because"} | given


def rules(*given: dict[str, Any], feeds: tuple[str, ...] = (FEED,)) -> Rules:
    return Rules(json.dumps(given), feeds)


def figures(**given: Any) -> DayFigures:
    """Return a good day of one feed."""
    known: dict[str, Any] = {"event_date": DAY, "profiles": {FEED: a_profile()}, "arrivals": {FEED: arrivals()}}
    return DayFigures(**{"earlier": [], **known, **given})


def a_profile(rows: int = 1000, **columns: ColumnProfile) -> FeedProfile:
    known = {"event_time": ColumnProfile(present=rows)} if rows else {}
    return FeedProfile(rows=rows, columns=known | columns)


def arrivals(**given: Any) -> FeedArrivals:
    known = {"objects": 20, "account": Account(rows_in=1000, rows_out=1000), "spread_days": 1}
    return FeedArrivals(**known | given)


def sealed(days_before: int, rows: int, **given: Any) -> Day:
    known = {"event_date": DAY - timedelta(days_before), "status": "SEALED", "version": 1, "rows": {FEED: rows}}
    return Day(**known | given)


def measure_table() -> str:
    """Return the table of measures as docs/firewall_logs.md must have it."""
    lines = ["| measure | unit | of what | needs |", "| --- | --- | --- | --- |"]
    for name, measure in MEASURES.items():
        kind = {None: "", "any": "`column`", "int64": "`column` (integer)", "enumerated": "`column` (enumerated)"}
        values = {"none": "", "optional": ", may have `values`", "required": ", `values`"}[measure.values]
        lines.append(f"| `{name}` | {measure.unit} | {measure.about} | {kind[measure.column]}{values} |")
    return "\n".join(lines)


def rule_table() -> str:
    """Return the table of shipped rules as docs/firewall_logs.md must have it."""
    lines = ["| rule | measures | warns | fails | why |", "| --- | --- | --- | --- | --- |"]
    for rule in shipped():
        what = f"`{rule.measure}`" + (f" of `{rule.column}`" if rule.column else "")
        lines.append(f"| `{rule.name}` | {what} | {_words(rule.warn)} | {_words(rule.fail)} | {rule.why} |")
    return "\n".join(lines)


def _words(limits: Limits | None) -> str:
    sides = [] if limits is None else [("below", limits.below), ("above", limits.above)]
    return ", ".join(f"{side} {limit:g}" for side, limit in sides if limit is not None)
