"""What firewall_logs takes and costs at scale, by arithmetic: measured figures, counted steps, and the price table.

Speeds come from `results/`, counts of transitions and requests from `scale_model.py`, which tests hold against the real
steps, prices from `functions/kernel/prices.py`. What nobody has measured is below ASSUMED. Printed are the tables that
docs/scale.md holds; with `--write` they are put there, with the chart. The last line on stdout is one JSON object.
"""

import argparse
import json
import math
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "functions")]

from bench.documents import put, table  # noqa: E402 - the path is set just above
from bench.scale_chart import chart  # noqa: E402
from bench.scale_model import (  # noqa: E402
    MAP_REQUESTS,
    RUN_EVENTS,
    SEAL_EVENTS,
    Requests,
    Run,
    Seal,
    run_steps,
    runs_of_a_day,
    seal_steps,
)
from firewall_logs.backfills.estimate import DEFAULT_ROWS_PER_BYTE  # noqa: E402
from firewall_logs.committer import PROCESS_UNIT_STORAGE_MB  # noqa: E402
from firewall_logs.contracts import Slice, SourceObject  # noqa: E402
from firewall_logs.days.cutting import MOST  # noqa: E402
from firewall_logs.events import ROW_GROUP_ROWS  # noqa: E402
from firewall_logs.feeds import Feed  # noqa: E402
from firewall_logs.planner import MOST_OBJECTS  # noqa: E402
from firewall_logs.planning import DECODED_RATIO, TASK_BYTES, Footer, RowGroup, cut, pack  # noqa: E402
from kernel import prices  # noqa: E402

DOCUMENT = ROOT / "docs" / "scale.md"
CHART = ROOT / "docs" / "images" / "scale-cost.svg"
MARKS: Final = ("<!-- make bench-scale ARGS=--write -->", "<!-- end -->")

# ---- the work: what there is to bring in, and how it comes day by day
FILES: Final = 277
ROWS: Final = 2_000_000_000
FEEDS: Final = 3
FOOTER_GETS: Final = 2  # 28 row groups of 32 columns: 94 kB in the benchmarks' raw file
OBJECTS_A_DAY: Final = (1, 10, 100, 277, 1_000, 10_000)
OBJECT_ROWS: Final = 100_000
DAY_ROWS: Final = 2_000_000

# ---- as deployed: the template's defaults, and the functions' memory in stacks/
CONCURRENCY: Final = 40
TASKS_AT_ONCE: Final = 4
BATCHING_SECONDS: Final = 60
BATCH_SIZE: Final = 200
UNIT_MEGABYTES: Final = 256
TASK_VCPUS, TASK_GB = 4, 30
FUNCTION_MB: Final = {
    "start_run": 256,
    "plan_run": 1024,
    "process_unit": 4096,
    "reconcile_run": 1769,
    "commit_run": 1024,
    "sweep_day": 1024,
    "reconcile_day": 3008,
    "compact_unit": 6144,
    "validate_day": 1769,
    "seal_day": 1024,
    "clean_day": 512,
}
FREE_STORAGE_MB: Final = 512

# ---- ASSUMED
# A request to S3 or DynamoDB; steps beside the units keep 16 or 32 of them under way, CompactUnit 8.
REQUEST_SECONDS: Final = 0.03
REQUESTS_AT_ONCE: Final = 16
FETCHED_AT_ONCE: Final = 8
# A call beside its requests, of a function that is warm.
CALL_SECONDS: Final = 0.3
# A task on Fargate until it works.
TASK_START_SECONDS: Final = 60.0
# Two hardware threads are one core, so 16 vCPUs count as 8; and S3 gives one machine so much.
EC2_CORES: Final = 8
EC2_BYTES_PER_SECOND: Final = 1e9
# Requests to KMS of a run or a seal, with bucket keys: what CommitRun takes as an upper limit.
KEY_REQUESTS: Final = 24
ARCHITECTURE: Final = "x86_64"  # what was measured on

# Quotas by default. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LAMBDA_AT_ONCE, LAMBDA_SECONDS = 1_000, 900
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
HISTORY_EVENTS, MAP_CHILDREN = 25_000, 10_000
# Per second and prefix. https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
PREFIX_PUTS, PREFIX_GETS = 3_500, 5_500
# Units a second of a new table on demand.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode-initial.html
TABLE_WRITES: Final = 4_000


@dataclass(frozen=True)
class Speeds:
    """What was measured.

    Attributes:
        rows: A second of a unit, end to end.
        slice_seconds: A slice beside its rows.
        core_rows: A second of one core, of the bare transform.
        compacted_rows: A second of one core.
        peak_mb: Memory of a slice at most.
        raw_bytes: Of a row, as it comes in parquet.
        lake_bytes: Of a row in the lake.
    """

    rows: float
    slice_seconds: float
    core_rows: float
    compacted_rows: float
    peak_mb: float
    raw_bytes: float
    lake_bytes: float

    @classmethod
    def measured(cls) -> "Speeds":
        """Read the results of the other benchmarks."""
        pipeline, transform, query = (_result(name) for name in ("pipeline", "transform", "query"))
        return cls(
            rows=pipeline["rows_per_second"]["1"],
            slice_seconds=pipeline["overhead_ms_per_unit"]["1"] / 1000,
            core_rows=transform["rows_per_second_per_core"],
            compacted_rows=query["compacted_rows_per_cpu_second"],
            peak_mb=transform["peak_rss_mb"],
            raw_bytes=query["raw_mb"] * 1e6 / query["rows"],
            lake_bytes=query["lake_mb"] * 1e6 / query["rows"],
        )


@dataclass(frozen=True)
class Taken:
    """What a run or a seal takes.

    Attributes:
        transitions: Of the machine and its children.
        requests: By service and operation.
        calls: Of functions.
        gb_seconds: Of functions.
        storage_gb_seconds: Of /tmp beyond what is free.
        wall_seconds: From beginning to end.
    """

    transitions: int
    requests: Requests
    calls: int
    gb_seconds: float
    storage_gb_seconds: float
    wall_seconds: float

    def usage(self, times: int = 1, **more: Any) -> prices.Usage:
        """Return it, so many times, as the price table counts."""
        counted: dict[str, Any] = {name: number * times for name, number in prices.counted(self.requests).items()}
        return prices.Usage(
            architecture=ARCHITECTURE,
            **counted,
            state_transitions=self.transitions * times,
            lambda_requests=self.calls * times,
            lambda_gb_seconds=self.gb_seconds * times,
            lambda_storage=self.storage_gb_seconds * times,
            kms=KEY_REQUESTS * times,
            **more,
        )


def taken_by_run(run: Run, rows: int, speeds: Speeds, concurrency: int) -> Taken:
    """Return what a run with so many rows takes, all of its units in functions."""
    in_units = rows / speeds.rows + run.slices * speeds.slice_seconds
    return _taken(run, run_steps(run), ("process_unit", in_units, run.units), concurrency)


def taken_by_seal(seal: Seal, rows: int, speeds: Speeds, concurrency: int) -> Taken:
    """Return what a seal of a day with so many rows takes."""
    steps = seal_steps(seal)
    in_cuts = rows / speeds.compacted_rows + _step_seconds(steps["compact_unit"], seal.cuts, FETCHED_AT_ONCE)
    return _taken(seal, steps, ("compact_unit", in_cuts, seal.cuts), concurrency)


def _taken(work: Run | Seal, steps: dict[str, Requests], fanned: tuple[str, float, int], concurrency: int) -> Taken:
    """Return what steps take, of which one is done by many functions: its name, seconds of all together, how many."""
    name, in_parts, parts = fanned
    seconds = {step: _step_seconds(requests) for step, requests in steps.items()} | {name: in_parts}
    rounds = math.ceil(parts / concurrency)
    return Taken(
        transitions=work.transitions,
        requests=sum(steps.values(), Counter(MAP_REQUESTS)),
        calls=work.calls,
        gb_seconds=_gb_seconds(seconds),
        storage_gb_seconds=in_parts * (PROCESS_UNIT_STORAGE_MB - FREE_STORAGE_MB) / 1024,
        wall_seconds=sum(seconds.values()) - in_parts + in_parts / parts * rounds,
    )


# ---------------------------------------------------------------- the files that are there


@dataclass(frozen=True)
class Archive:
    """The files as the planner would cut and pack them.

    Attributes:
        ranges: Of bytes, that all slices need.
        tasks: On Fargate.
    """

    slices: int
    ranges: int
    units: int
    tasks: int
    days: int

    @classmethod
    def planned(cls, speeds: Speeds) -> "Archive":
        """Cut and pack every file as PlanRun does."""
        pieces = [piece for number in range(FILES) for piece in _slices(number, speeds)]
        return cls(
            slices=len(pieces),
            ranges=sum(len(piece.byte_ranges or [None]) for piece in pieces),
            units=len(pack("run", pieces, UNIT_MEGABYTES << 20)),
            tasks=len(pack("run", pieces, TASK_BYTES)),
            days=math.ceil(FILES / FEEDS),
        )

    @property
    def run(self) -> Run:
        """The run that brings in everything; each file has rows of two days."""
        return Run(
            objects=FILES,
            slices=self.slices,
            units=self.units,
            slice_days=2,
            days=self.days + 1,
            quarantining=self.slices,
            parquet=True,
            footer_gets=FOOTER_GETS,
            extra_ranges=self.ranges - self.slices,
            listed=True,
            partition_files=2 * math.ceil(self.slices / self.days),
        )

    @property
    def seal(self) -> Seal:
        """The seal of each day."""
        objects, slices = 2 * FEEDS, 2 * math.ceil(self.slices / self.days)
        return Seal(
            objects=objects,
            swept=3 * FEEDS,
            slices=slices,
            cuts=math.ceil(ROWS / self.days / MOST.rows),
            prefixes=3 * FEEDS,
            parquet_objects=objects,
            lines_slices=0,
            footer_gets=FOOTER_GETS,
            cut_ranges=2,
            days=self.days,
        )


def engines(archive: Archive, speeds: Speeds) -> list[list[str]]:
    """Return a line an engine: what runs, wall time, USD, and USD of a billion rows."""
    by_default, at_most = (
        taken_by_run(archive.run, ROWS, speeds, concurrency) for concurrency in (CONCURRENCY, LAMBDA_AT_ONCE)
    )
    beside = taken_by_run(archive.run, 0, speeds, LAMBDA_AT_ONCE)
    in_tasks = ROWS / speeds.rows + archive.slices * speeds.slice_seconds + archive.tasks * TASK_START_SECONDS
    task_rounds = math.ceil(archive.tasks / TASKS_AT_ONCE)
    fargate: dict[str, Any] = {"fargate_vcpu_seconds": TASK_VCPUS * in_tasks, "fargate_gb_seconds": TASK_GB * in_tasks}
    batch = Taken(
        transitions=beside.transitions - 2 * archive.units + 2 * archive.tasks,
        requests=beside.requests,
        calls=3,
        gb_seconds=beside.gb_seconds - archive.slices * speeds.slice_seconds * FUNCTION_MB["process_unit"] / 1024,
        storage_gb_seconds=0,
        wall_seconds=beside.wall_seconds,
    )
    batch_wall = batch.wall_seconds + in_tasks / archive.tasks * task_rounds
    ec2_seconds = ROWS / speeds.core_rows / EC2_CORES + ROWS * speeds.raw_bytes / EC2_BYTES_PER_SECOND
    ec2_usd = ec2_seconds * prices.PRICES["ec2_r6i_4xlarge"].each
    seal = taken_by_seal(archive.seal, ROWS // archive.days, speeds, CONCURRENCY)
    return [
        _engine(
            f"Lambda, {CONCURRENCY} units at once (default)",
            archive.units,
            by_default.wall_seconds,
            _usd(by_default.usage()),
        ),
        _engine(f"Lambda, {LAMBDA_AT_ONCE:,} at once", archive.units, at_most.wall_seconds, _usd(at_most.usage())),
        _engine(
            f"Fargate, {TASKS_AT_ONCE} tasks of {TASK_VCPUS} vCPUs at once",
            archive.tasks,
            batch_wall,
            _usd(batch.usage(**fargate)),
        ),
        _engine(
            "the same on Spot",
            archive.tasks,
            batch_wall,
            _usd(batch.usage(**fargate, fargate_spot=True)),
        ),
        _engine("one r6i.4xlarge, the bare transform", 1, ec2_seconds, ec2_usd),
        _engine(
            f"sealing the {archive.days} days, one after the other",
            archive.seal.cuts * archive.days,
            seal.wall_seconds * archive.days,
            _usd(seal.usage(archive.days)),
        ),
    ]


def limits(archive: Archive, speeds: Speeds) -> list[list[str]]:
    """Return a line a limit, the nearest first, for the run with as many units at once as the account lets it have."""
    run, steps = archive.run, run_steps(archive.run)
    unit_seconds = ROWS / archive.units / speeds.rows + speeds.slice_seconds
    rate = min(archive.units, LAMBDA_AT_ONCE) / unit_seconds
    slice_rows = ROWS / archive.slices
    per_unit = {name: number / run.units for name, number in steps["process_unit"].items()}
    disk = slice_rows * (speeds.raw_bytes + speeds.lake_bytes) / 1e6
    busy = daily_seal(OBJECTS_A_DAY[-1], OBJECTS_A_DAY[-1] * OBJECT_ROWS, speeds)
    day_seconds = _step_seconds(seal_steps(busy)["reconcile_day"])
    in_cuts = _step_seconds(seal_steps(busy)["compact_unit"], busy.cuts, FETCHED_AT_ONCE)
    cut_seconds = in_cuts / busy.cuts + MOST.rows / speeds.compacted_rows
    found = [
        ("functions at once", archive.units, LAMBDA_AT_ONCE, "units wait for each other: wall time"),
        ("memory of ProcessUnit, MB", speeds.peak_mb, FUNCTION_MB["process_unit"], "slices are cut so that it stays"),
        ("disk of ProcessUnit, MB", disk, PROCESS_UNIT_STORAGE_MB, "slices are cut so that it stays"),
        ("seconds of ProcessUnit", unit_seconds, LAMBDA_SECONDS, "slices are cut so that it stays"),
        ("seconds of ReconcileRun", _step_seconds(steps["reconcile_run"]), LAMBDA_SECONDS, "the run's slices"),
        ("seconds of CommitRun", _step_seconds(steps["commit_run"]), LAMBDA_SECONDS, "the run's slices"),
        ("objects of a run", FILES, MOST_OBJECTS, "the run fails at once: divide it, as backfills do"),
        ("children of the Map at once", min(archive.units, LAMBDA_AT_ONCE), MAP_CHILDREN, "functions at once"),
        ("PUTs a second, were it one prefix", rate * per_unit["s3.PutObject"], PREFIX_PUTS, "functions at once"),
        ("GETs a second, were it one prefix", rate * per_unit["s3.GetObject"], PREFIX_GETS, "functions at once"),
        ("DynamoDB writes a second", rate * per_unit["dynamodb.UpdateItem"], TABLE_WRITES, "functions at once"),
        ("seconds of CompactUnit on a day of 10,000", cut_seconds, LAMBDA_SECONDS, "the day's objects"),
        ("seconds of ReconcileDay on a day of 10,000", day_seconds, LAMBDA_SECONDS, "the day's objects"),
        ("events in the history of the run", RUN_EVENTS, HISTORY_EVENTS, "nothing: children have their own"),
        ("events in the history of a seal", SEAL_EVENTS, HISTORY_EVENTS, "nothing: children have their own"),
    ]
    found.sort(key=lambda line: -line[1] / line[2])
    return [[what, f"{used:,.0f}", f"{limit:,}", _percent(used / limit), grows] for what, used, limit, grows in found]


# ---------------------------------------------------------------- day by day


@dataclass(frozen=True)
class Daily:
    """A day of objects as they come, and its seal.

    Attributes:
        runs: That the events start.
        usd: By what is paid for.
    """

    objects: int
    rows: int
    runs: int
    transitions: int
    requests: int
    gb_seconds: float
    usd: dict[str, float]

    @property
    def total(self) -> float:
        """USD of the day."""
        return sum(self.usd.values())


def daily_seal(objects: int, rows: int, speeds: Speeds) -> Seal:
    """Return the seal of a day of gzip NDJSON objects of one slice each, after a year of days."""
    return Seal(
        objects=objects,
        swept=3 * objects,
        slices=objects,
        cuts=math.ceil(rows / MOST.rows),
        prefixes=3 * FEEDS,
        parquet_objects=0,
        lines_slices=objects,
        # What lies between a cut's rows and the footer is fetched as well up to 256 KiB.
        cut_ranges=1 if rows / objects * speeds.lake_bytes <= 256 << 10 else 2,
        days=365,
    )


def daily(objects: int, rows: int, speeds: Speeds) -> Daily:
    """Simulate a day on which gzip NDJSON objects come evenly, each of one event date."""
    runs = runs_of_a_day(objects, BATCHING_SECONDS, BATCH_SIZE)
    in_run = math.ceil(objects / runs)
    decoded = rows / objects / DEFAULT_ROWS_PER_BYTE["ndjson.gz"] * DECODED_RATIO
    in_unit = max(1, int((UNIT_MEGABYTES << 20) / decoded))
    run = Run(
        objects=in_run,
        slices=in_run,
        units=math.ceil(in_run / in_unit),
        known_days=1,
        partition_files=max(1, objects // 2),  # half of the day's, over the day
    )
    seal = daily_seal(objects, rows, speeds)
    by_run = taken_by_run(run, math.ceil(rows / runs), speeds, CONCURRENCY)
    by_seal = taken_by_seal(seal, rows, speeds, CONCURRENCY)
    queue = prices.Usage(
        architecture=ARCHITECTURE,
        lambda_requests=runs,
        lambda_gb_seconds=runs * CALL_SECONDS * FUNCTION_MB["start_run"] / 1024,
        sqs=objects + 2 * runs,  # sent, received and deleted
    )
    usd: defaultdict[str, float] = defaultdict(float)
    for usage in (by_run.usage(runs), by_seal.usage(), queue):
        for name, amount in prices.estimate(usage).items():
            if amount:
                usd[_GROUPS[name]] += amount
    return Daily(
        objects=objects,
        rows=rows,
        runs=runs,
        transitions=runs * by_run.transitions + by_seal.transitions,
        requests=runs * by_run.requests.total() + by_seal.requests.total(),
        gb_seconds=runs * by_run.gb_seconds + by_seal.gb_seconds,
        usd=dict(usd),
    )


_GROUPS: Final = {
    "lambda_compute": "Lambda",
    "lambda_storage": "Lambda",
    "lambda_requests": "Lambda",
    "step_functions": "Step Functions",
    "s3_puts": "S3",
    "s3_lists": "S3",
    "s3_gets": "S3",
    "s3_deletes": "S3",
    "dynamodb_writes": "DynamoDB",
    "dynamodb_reads": "DynamoDB",
    "sqs": "other",
    "kms": "other",
    "eventbridge": "other",
}
_SHOWN: Final = ("Lambda", "Step Functions", "S3", "DynamoDB", "other")


def growth(speeds: Speeds) -> dict[str, list[Daily]]:
    """Return the two ways to have more objects: more rows, or smaller objects."""
    return {
        f"{OBJECT_ROWS:,} rows an object": [daily(n, n * OBJECT_ROWS, speeds) for n in OBJECTS_A_DAY],
        f"{DAY_ROWS:,} rows a day": [daily(n, DAY_ROWS, speeds) for n in OBJECTS_A_DAY],
    }


# ---------------------------------------------------------------- what is shown


def figures(speeds: Speeds) -> str:
    """Return the tables of docs/scale.md."""
    archive = Archive.planned(speeds)
    parts = [
        "### Two billion rows in 277 files",
        table(["on", "units, tasks or cuts", "wall time", "USD", "USD for a billion rows"], engines(archive, speeds)),
        "### Limits, the nearest first",
        table(["limit", "used", "of", "share", "grows with"], limits(archive, speeds)),
    ]
    heads = ["objects a day", "runs", "transitions", "requests", "GB-seconds", *(f"USD {name}" for name in _SHOWN)]
    for name, days in growth(speeds).items():
        lines = [
            [
                f"{day.objects:,}",
                f"{day.runs:,}",
                f"{day.transitions:,}",
                f"{day.requests:,}",
                f"{day.gb_seconds:,.0f}",
                *(f"{day.usd.get(group, 0):.4f}" for group in _SHOWN),
                f"{day.total:.3f}",
                f"{day.total / day.rows * 1e6:.4f}",
            ]
            for day in days
        ]
        parts += [f"### A day, {name}", table([*heads, "USD a day", "USD for a million rows"], lines)]
    return "\n\n".join(parts)


def drawn(speeds: Speeds) -> str:
    """Return the chart of docs/scale.md."""
    lines = {name: [(day.objects, day.total) for day in days] for name, days in growth(speeds).items()}
    return chart("USD a day by objects a day", lines)


def main() -> None:
    """Print the tables, and put them where they belong if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put tables and chart into docs/")
    given = parser.parse_args()
    speeds = Speeds.measured()
    text = figures(speeds)
    if given.write:
        put(DOCUMENT, text, MARKS)
        CHART.write_text(drawn(speeds))
    print(text, end="\n\n")
    daily_usd = {name: {day.objects: round(day.total, 4) for day in days} for name, days in growth(speeds).items()}
    print(json.dumps({"rows": ROWS, "files": FILES, "usd_a_day": daily_usd}))


def _slices(number: int, speeds: Speeds) -> list[Slice]:
    rows = ROWS // FILES
    size = round(rows * speeds.raw_bytes)
    sizes = [min(ROW_GROUP_ROWS, rows - first) for first in range(0, rows, ROW_GROUP_ROWS)]
    groups, start = [], 4
    for group_rows in sizes:
        end = start + round(group_rows * speeds.raw_bytes)
        groups.append(RowGroup(rows=group_rows, bytes=end - start, start=start, end=end))
        start = end
    feed = Feed(name="47", bucket="raw", prefix="cloudflare/47/", zone="media.example", format="parquet")
    source = SourceObject(
        bucket="raw", key=f"cloudflare/47/{number}", etag="e", size=size, last_modified=datetime(2026, 6, 1, tzinfo=UTC)
    )
    return cut(feed, source, f"{number:032x}", 1, footer=Footer(tuple(groups), start))


def _step_seconds(requests: Requests, calls: int = 1, at_once: int = REQUESTS_AT_ONCE) -> float:
    return calls * CALL_SECONDS + requests.total() * REQUEST_SECONDS / at_once


def _gb_seconds(seconds: dict[str, float]) -> float:
    return sum(FUNCTION_MB[name] / 1024 * taken for name, taken in seconds.items())


def _usd(usage: prices.Usage) -> float:
    return sum(prices.estimate(usage).values())


def _engine(what: str, units: int, seconds: float, usd: float) -> list[str]:
    return [what, f"{units:,}", _duration(seconds), f"{usd:.2f}", f"{usd / ROWS * 1e9:.2f}"]


def _duration(seconds: float) -> str:
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004 - two hours


def _percent(share: float) -> str:
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"  # noqa: PLR2004 - a tenth


def _result(name: str) -> Any:
    path = ROOT / "bench" / "results" / f"firewall_{name}.json"
    return json.loads(path.read_text())


if __name__ == "__main__":
    main()
