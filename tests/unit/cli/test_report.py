import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from cli.reports import words
from cli.reports.charts import histogram
from cli.reports.days import lake_files
from cli.reports.evidence import Evidence, RunArchive, RunUnknown
from cli.reports.lake import HourCell, read_lake
from cli.reports.page import render
from cli.reports.timeline import LONGEST_PAUSE, busy_window, unit_spans
from cli.reports.verdict import judge
from firewall_logs.contracts import FailureRecord
from tests.unit.cli.finished_run import DAY, FinishedRun

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def gather(s3: "S3Client", *run_ids: str) -> Evidence:
    return RunArchive(s3, runs_bucket="runs", lake_bucket="lake").gather(run_ids or ("run-1",))


def page(s3: "S3Client", *run_ids: str) -> str:
    evidence = gather(s3, *run_ids)
    lake = read_lake(s3, "lake", lake_files(evidence.manifests.values(), []))
    return render(evidence, judge(evidence), lake, days=[], trends=[], environment="local", made_at=DAY)


def failure(run_id: str) -> FailureRecord:
    return FailureRecord(
        run_id=run_id, state="ProcessUnits", error="LeaseLost", cause="gone", recorded_at=DAY, objects_failed=0
    )


# ---------------------------------------------------------------- the verdict


def test_finished_run_is_proven_complete(s3: "S3Client") -> None:
    run = FinishedRun(s3, defects=frozenset({2})).build()
    verdict = judge(gather(s3))
    assert verdict.complete
    assert verdict.headline == "The lake is proven complete."
    assert "12 raw objects" in verdict.reason
    assert "1 object could not be read and is kept apart whole." in verdict.reason
    assert verdict.account == run.account


def test_object_without_manifest_is_a_doubt(s3: "S3Client") -> None:
    FinishedRun(s3, uncommitted=frozenset({4})).build()
    verdict = judge(gather(s3))
    assert not verdict.complete
    assert verdict.doubts == ["1 object was asked for but never committed."]
    assert verdict.objects[0].verdict == "not committed"


def test_disagreement_of_witnesses_is_a_doubt_and_comes_first(s3: "S3Client") -> None:
    FinishedRun(s3, disagree=frozenset({3}), uncommitted=frozenset({3})).build()
    verdict = judge(gather(s3))
    assert verdict.doubts == ["Of 1 object the witnesses disagree."]
    assert verdict.objects[0].verdict == "disagreement"
    assert [d.check for d in verdict.disagreements] == ["footer_rows"]


def test_object_that_two_runs_met_counts_once(s3: "S3Client") -> None:
    # Without a seed both runs meet the same objects, as after a second delivery of each event.
    first = FinishedRun(s3, run_id="run-1", seed=0).build()
    FinishedRun(s3, run_id="run-2", seed=0).build()
    verdict = judge(gather(s3, "run-1", "run-2"))
    assert verdict.complete
    assert len(verdict.objects) == first.objects
    assert verdict.account == first.account


def test_failed_run_is_no_doubt_once_another_settled_its_objects(s3: "S3Client") -> None:
    FinishedRun(s3, run_id="run-1", seed=0, with_summary=False, failure=failure("run-1")).build()
    FinishedRun(s3, run_id="run-2", seed=0).build()
    assert judge(gather(s3, "run-1", "run-2")).complete


def test_failed_run_is_a_doubt_while_its_objects_are_open(s3: "S3Client") -> None:
    everything = frozenset(range(12))
    FinishedRun(s3, uncommitted=everything, with_summary=False, failure=failure("run-1")).build()
    verdict = judge(gather(s3))
    assert verdict.doubts[0] == "Run run-1 failed in ProcessUnits: LeaseLost."


def test_manifest_that_says_other_than_its_witness_is_a_doubt(s3: "S3Client") -> None:
    FinishedRun(s3).build()
    evidence = gather(s3)
    object_id, manifest = next(iter(evidence.manifests.items()))
    grown = manifest.account.model_copy(update={"rows_in": manifest.account.rows_in + 1})
    changed = {**evidence.manifests, object_id: manifest.model_copy(update={"account": grown})}
    verdict = judge(replace(evidence, manifests=changed))
    assert "1 object was committed but not reconciled." in verdict.doubts
    assert any("does not balance" in doubt for doubt in verdict.doubts)


def test_unknown_run_says_where_it_was_looked_for(s3: "S3Client") -> None:
    with pytest.raises(RunUnknown, match=r"no run 'nope'.*s3://runs/firewall_logs/runs/nope/plan\.json"):
        gather(s3, "nope")


def test_run_that_failed_before_its_plan_says_why(s3: "S3Client") -> None:
    record = failure("early")
    s3.put_object(Bucket="runs", Key="firewall_logs/runs/early/failure.json", Body=record.model_dump_json().encode())
    with pytest.raises(RunUnknown, match="LeaseLost: gone"):
        gather(s3, "early")


def test_runs_are_listed_by_their_plans(s3: "S3Client") -> None:
    FinishedRun(s3, run_id="run-b", objects=1).build()
    FinishedRun(s3, run_id="run-a", objects=1).build()
    archive = RunArchive(s3, runs_bucket="runs", lake_bucket="lake")
    assert sorted(archive.run_ids()) == ["run-a", "run-b"]


# ---------------------------------------------------------------- the lake's figures


def test_lake_figures_add_up_to_the_manifests(s3: "S3Client") -> None:
    run = FinishedRun(s3).build()
    lake = read_lake(s3, "lake", lake_files(run.manifests, []))
    assert sum(cell.events for cell in lake.hours) == run.account.rows_out
    assert sum(cell.rows for cell in lake.quarantine) == run.account.quarantined
    assert {cell.hour.tzinfo for cell in lake.hours} == {UTC}
    assert lake.hosts[0].name == "shop.example.com"


def test_lake_without_files_has_no_figures(s3: "S3Client") -> None:
    lake = read_lake(s3, "lake", [])
    assert (lake.hours, lake.rules, lake.hosts, lake.quarantine) == ([], [], [], [])


def hours(*counts: tuple[int, int]) -> list[HourCell]:
    return [HourCell(DAY + timedelta(hours=hour), "block", events) for hour, events in counts]


def test_long_times_get_wider_bars() -> None:
    day = histogram(hours(*((hour, 5) for hour in range(24))), max_bins=240)
    month = histogram(hours(*((hour, 5) for hour in range(24 * 30))), max_bins=240)
    assert (day.bin_hours, month.bin_hours) == (1, 3)
    assert sum(each["events"] for each in month.bins) == 24 * 30 * 5


def test_a_few_events_of_far_away_hours_do_not_squeeze_the_chart() -> None:
    shown = histogram(hours((-24 * 400, 1), *((hour, 500) for hour in range(24))), max_bins=240)
    assert shown.bin_hours == 1
    assert shown.hidden == 1
    assert shown.series[0].total == 24 * 500 + 1


def test_bars_of_one_hour_stand_on_each_other() -> None:
    cells = [HourCell(DAY, action, events) for action, events in (("allow", 2), ("block", 5), ("log", 3))]
    bins = sorted(histogram(cells, max_bins=10).bins, key=lambda each: cast("int", each["bottom"]))
    assert [(each["bottom"], each["top"]) for each in bins] == [(0, 2), (2, 5), (5, 10)]


# ---------------------------------------------------------------- the work


def test_units_of_one_lane_never_overlap(s3: "S3Client") -> None:
    FinishedRun(s3, objects=20).build()
    spans = unit_spans(gather(s3).receipts)
    assert len(spans) == 20
    assert max(span.lane for span in spans) == 3
    for lane in range(4):
        mine = [span for span in spans if span.lane == lane]
        assert all(a.end <= b.start for a, b in pairwise(mine))


def test_pause_between_runs_is_no_work_and_is_drawn_short(s3: "S3Client") -> None:
    FinishedRun(s3, run_id="run-1", objects=1).build()
    FinishedRun(s3, run_id="run-2", objects=1, seed=2, started_at=DAY + timedelta(days=9)).build()
    first, second = unit_spans(gather(s3, "run-1", "run-2").receipts)
    assert busy_window([first, second]) == timedelta(seconds=first.seconds + second.seconds)
    assert (second.start - first.end).total_seconds() - second.cut == pytest.approx(LONGEST_PAUSE)


# ---------------------------------------------------------------- the page


class Tags(HTMLParser):
    """Collects what a browser would fetch, and whether each tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "data"}]
        if tag not in {"meta", "input", "link", "br", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_needs_nothing_but_itself(s3: "S3Client") -> None:
    FinishedRun(s3, defects=frozenset({1})).build()
    text = page(s3)
    tags = Tags(text)
    assert tags.fetched == []
    assert tags.open == []
    assert "url(http" not in text
    assert "@import" not in text
    assert len(text) < 2_000_000


def test_page_says_the_equation_and_shows_every_object(s3: "S3Client") -> None:
    run = FinishedRun(s3).build()
    text = page(s3)
    for number in (run.account.rows_in, run.account.rows_out, run.account.quarantined, run.account.duplicates):
        assert f"<dd>{number:,}</dd>" in text
    assert text.count('<span class="tag good">proven</span>') == run.objects
    assert len(re.findall(r'<svg class="chart"', text)) == 4


def test_page_says_what_each_run_cost_and_in_what_parts(s3: "S3Client") -> None:
    FinishedRun(s3, run_id="run-1", objects=2).build()
    FinishedRun(s3, run_id="run-2", objects=2, seed=2, with_summary=False).build()
    summary = gather(s3, "run-1").runs[0].summary
    assert summary is not None
    text = page(s3, "run-1", "run-2")
    costs = text[text.index("<h2>What it cost</h2>") : text.index("<h2>Runs</h2>")]
    assert [name for name in ("Lambda, compute", "Step Functions, transitions", "S3, writes") if name in costs] == [
        "Lambda, compute",
        "Step Functions, transitions",
        "S3, writes",
    ]
    assert f"{words.money(summary.usd)} in all" in costs
    parts = f"Lambda, compute {words.money(summary.usd_by_component['lambda_compute'])} · Step Functions, transitions "
    assert re.findall(r'data-tip="(Lambda, compute [^"]*)">([^<]*)</td><td class="n">([^<]*)<', text)[0][1:] == (
        words.money(summary.usd),
        words.money(0.081),
    )
    assert f'data-tip="{parts}' in text


def test_every_mark_says_on_hover_what_it_is_and_nothing_else_does(s3: "S3Client") -> None:
    FinishedRun(s3, objects=2).build()
    drawings = re.findall(r'<svg class="chart".*?</svg>', page(s3), re.DOTALL)
    tips = [tip for drawing in drawings for tip in re.findall(r'data-tip="([^"]*)"', drawing)]
    assert tips
    assert all(re.search(r"[\d,]+ (events$|rows in)", tip) for tip in tips)
    assert "aria-label" in drawings[0]


def test_page_of_a_run_without_events_still_stands(s3: "S3Client") -> None:
    FinishedRun(s3, objects=2, defects=frozenset({0, 1})).build()
    text = page(s3)
    assert "The lake is proven complete." in text
    assert "gzip_truncated" in text
    assert "What came to the gate" not in text


def test_names_from_outside_are_escaped(s3: "S3Client") -> None:
    FinishedRun(s3, run_id="run-1", objects=1).build()
    evidence = gather(s3)
    lake = read_lake(s3, "lake", lake_files(evidence.manifests.values(), []))
    evil = "<script>alert(1)</script>"
    lake = replace(
        lake,
        hosts=[replace(lake.hosts[0], name=evil)],
        hours=[HourCell(datetime(2026, 3, 14, tzinfo=UTC), evil, 5)],
    )
    text = render(evidence, judge(evidence), lake, days=[], trends=[], environment=evil, made_at=DAY)
    assert evil not in text
    assert "&lt;script&gt;" in text


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, "-"), (1, 2, "50.00 %"), (1, 10**6, "< 0.01 %"), (10**6 - 1, 10**6, "> 99.99 %"), (3, 3, "100.00 %")],
)
def test_share_never_rounds_to_nothing_or_all(part: int, whole: int, said: str) -> None:
    assert words.share(part, whole) == said


@pytest.mark.parametrize(
    ("usd", "said"), [(0, "$0.00"), (0.00001, "< $0.0001"), (0.0817, "$0.0817"), (12.5, "$12.50"), (1234, "$1,234.00")]
)
def test_small_sums_keep_their_digits(usd: float, said: str) -> None:
    assert words.money(usd) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.44, "0.4 s"), (59.9, "59.9 s"), (75, "1 min 15 s"), (7260, "2 h 01 min")]
)
def test_durations_have_two_units(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


def test_every_documented_reason_has_a_meaning() -> None:
    page = Path("docs/firewall_logs.md").read_text("utf-8")
    tables = re.findall(r"^\| (?:object )?reason \| when \|\n((?:\|.*\n)+)", page, re.MULTILINE)
    first_cells = [row.split("|")[1] for table in tables for row in table.splitlines()]
    documented = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    assert documented == set(words.REASONS)
