"""The part of the report that is about sealed days."""

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cli.reports.charts import trend_chart
from cli.reports.days import MOST_DAYS, DayRow, Point, Trend, day_rows, lake_files, read_days, trends
from cli.reports.draw import draw
from cli.reports.evidence import Evidence, RunArchive
from cli.reports.lake import read_lake
from cli.reports.page import render
from cli.reports.verdict import judge
from firewall_logs.contracts import Account
from firewall_logs.days.contracts import Day, SealedDay, Verdict
from firewall_logs.days.quality import DayFigures
from firewall_logs.days.quality import judge as judge_day
from firewall_logs.locations import day_key
from tests.support.quality import a_profile, a_rule, arrivals, rules
from tests.unit.cli.finished_run import DAY, FinishedRun
from tests.unit.cli.test_report import Tags

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FEEDS = ("edge-api", "edge-main")
FIRST = date(2026, 3, 10)


def sealed(day: date, quarantined: int = 0, **given: Any) -> SealedDay:
    """Return a day of two feeds, of which the second has quarantined rows."""
    brought = Account(rows_in=1000 + quarantined, rows_out=1000, quarantined=quarantined)
    profiles = {feed: a_profile(1000) for feed in FEEDS}
    found = {FEEDS[0]: arrivals(), FEEDS[1]: arrivals(account=brought)}
    figures = DayFigures(event_date=day, profiles=profiles, arrivals=found, earlier=[])
    known = {
        "event_date": day,
        "version": 1,
        "seal_id": "seal-1",
        "as_of": DAY,
        "transform_versions": ["1"],
        "objects": [],
        "account": Account(rows_in=2010, rows_out=2000, duplicates=10),
        "rows": dict.fromkeys(FEEDS, 1000),
        "arrivals": found,
        "files": [],
        "replaced": [],
        "quality": judge_day(rules(a_rule(measure="rows", fail=None), feeds=FEEDS), FEEDS, figures),
        "late_rows": 7,
    }
    return SealedDay(**known | given)


def put(s3: "S3Client", *days: SealedDay) -> None:
    for day in days:
        s3.put_object(Bucket="lake", Key=day_key(day.event_date, day.version), Body=day.model_dump_json().encode())


def page(evidence: Evidence, days: list[SealedDay], states: list[Day]) -> str:
    lake = read_lake(NO_S3, "lake", [])
    rows, drawn = day_rows(days, states), trends(days)
    return render(evidence, judge(evidence), lake, days=rows, trends=drawn, environment="local", made_at=DAY)


NO_S3: Any = None
NOTHING = Evidence(runs=[], witnesses={}, manifests={}, receipts=[])
WEEK = [sealed(FIRST + timedelta(n), quarantined=[0, 0, 5, 0, 40, 200, 0][n]) for n in range(7)]


def test_of_each_day_the_newest_version_is_read(s3: "S3Client") -> None:
    put(s3, sealed(FIRST), sealed(FIRST, version=2), sealed(FIRST + timedelta(1)))
    assert [(day.event_date, day.version) for day in read_days(s3, "lake")] == [
        (FIRST, 2),
        (FIRST + timedelta(1), 1),
    ]


def test_a_lake_without_sealed_days_has_no_section(s3: "S3Client") -> None:
    assert read_days(s3, "lake") == []
    assert "<h2>Days</h2>" not in page(NOTHING, [], [Day(event_date=FIRST)])


def test_a_page_shows_the_latest_days_alone(s3: "S3Client") -> None:
    put(s3, *(sealed(FIRST + timedelta(n), quality=[]) for n in range(MOST_DAYS + 2)))
    days = read_days(s3, "lake")
    assert (len(days), days[0].event_date) == (MOST_DAYS, FIRST + timedelta(2))


def test_rows_have_the_worst_level_of_each_feed() -> None:
    rows = {row.state.event_date: row for row in day_rows(WEEK, [])}
    levels = {day.day: (row.cells["edge-api"].level, row.cells["edge-main"].level) for day, row in rows.items()}
    assert levels == {
        10: ("pass", "pass"),
        11: ("pass", "pass"),
        12: ("pass", "pass"),
        13: ("pass", "pass"),
        14: ("pass", "warn"),
        15: ("pass", "fail"),
        16: ("pass", "pass"),
    }
    assert rows[date(2026, 3, 15)].cells["edge-main"].told.startswith("quarantine-rate: 200 of 1,200 rows")


def test_days_that_wait_are_shown_with_their_state() -> None:
    states = [
        Day(event_date=FIRST - timedelta(9), status="BLOCKED", reason="no"),
        Day(event_date=FIRST - timedelta(8), status="OPEN"),
        Day(event_date=FIRST, status="REOPENED", version=1),
        Day(event_date=FIRST + timedelta(7), status="OPEN"),
    ]
    rows = day_rows(WEEK[:1], states)
    assert [(row.state.event_date.day, row.state.status, row.sealed is not None) for row in rows] == [
        (17, "OPEN", False),
        (10, "REOPENED", True),
        (1, "BLOCKED", False),
    ]


def test_broken_rules_are_drawn_first_and_those_that_stand_still_not_at_all() -> None:
    drawn = trends(WEEK)
    assert [(trend.rule, trend.level) for trend in drawn] == [("quarantine-rate", "fail")]
    assert len(drawn[0].points) == 14
    assert trends(WEEK[:1]) == []


def _labels(days: list[SealedDay]) -> list[str]:
    [trend] = trends(days)
    svg = draw(trend_chart(trend, width=480)[0], name="t", description="d")
    return re.findall(r"<text[^>]*>([^<]+)</text>", svg)


def test_chart_of_days_is_labelled_by_days_and_never_by_hours() -> None:
    assert [label for label in _labels(WEEK[3:5]) if not label.endswith("%")] == ["Mar 13", "Mar 14"]
    month = [sealed(FIRST + timedelta(n), quarantined=n) for n in range(22)]
    assert [label for label in _labels(month) if not label.endswith("%")] == [
        "Mar 10",
        "Mar 14",
        "Mar 18",
        "Mar 22",
        "Mar 26",
        "Mar 30",
    ]


def test_shares_that_differ_by_little_have_labels_of_their_own() -> None:
    verdict = Verdict(feed="47", rule="r", measure="membership", level="warn", figure=1, limit=1, detail="")
    points = [Point(FIRST + timedelta(n), "47", figure, verdict) for n, figure in enumerate((0.99923, 0.99921))]
    trend = Trend("r", "membership", "share", "warn", points)
    svg = draw(trend_chart(trend, width=480)[0], name="t", description="d")
    labels = re.findall(r"<text[^>]*>([^<]+%)</text>", svg)
    assert len(labels) == len(set(labels)) > 2


def test_section_has_the_heat_map_and_its_charts() -> None:
    waived = sealed(FIRST + timedelta(5), 200, version=2, waived=["edge-main/quarantine-rate"])
    days = [*WEEK[:5], waived, WEEK[6]]
    states = [Day(event_date=day.event_date, status="SEALED", version=day.version) for day in days]
    blocked = Day(event_date=FIRST + timedelta(7), status="BLOCKED", reason="1 quality rule failed.")
    text = page(NOTHING, days, [*states, blocked])
    section = text[text.index("<h2>Days</h2>") : text.index("Quarantined rows")]
    assert Tags(text).open == []
    assert len(re.findall(r'<td class="n (pass|warn|fail)"', section)) == 14
    assert re.search(r'<td class="n fail" data-tip="quarantine-rate: 200 of 1,200', section)
    assert 'data-tip="edge-main/quarantine-rate">1 waiver' in section
    assert 'data-tip="1 quality rule failed.">blocked' in section
    assert '<td class="n">7</td>' in section
    drawings = re.findall(r'<svg class="chart".*?</svg>', section, re.DOTALL)
    assert len(drawings) == 2
    assert len(re.findall(r'data-tip="2026-03-\d\d · edge-', drawings[0])) == 14


def test_names_from_outside_are_escaped() -> None:
    evil = "<script>x</script>"
    day = sealed(FIRST)
    quality = [one.model_copy(update={"detail": evil, "level": "warn"}) for one in day.quality]
    assert evil not in page(NOTHING, [day.model_copy(update={"quality": quality})], [])


@pytest.mark.parametrize("taken", [True, False])
def test_a_seal_takes_the_place_of_the_files_that_manifests_name(s3: "S3Client", *, taken: bool) -> None:
    run = FinishedRun(s3).build()
    evidence = RunArchive(s3, runs_bucket="runs", lake_bucket="lake").gather(["run-1"])
    event_dates = {file.event_date for manifest in run.manifests for file in manifest.files if file.event_date}
    day = min(event_dates)
    file = next(f for m in run.manifests for f in m.files if f.event_date == day and f.kind == "hourly")
    compacted = file.model_copy(update={"key": "sealed"})
    objects = [manifest.object_id for manifest in run.manifests] if taken else []
    found = list(lake_files(evidence.manifests.values(), [sealed(day, objects=objects, files=[compacted])]))
    loose = [each for each in found if each.event_date == day and each.key != "sealed"]
    assert [each.key for each in found].count("sealed") == int(taken)
    assert bool(loose) is not taken
    assert {each.event_date for each in found} == {*event_dates, None}


def test_row_of_a_day_that_waits_has_no_waivers() -> None:
    assert DayRow(Day(event_date=FIRST), None, {}).waived == []
