"""What 100 TB of database logs a month take and cost, against CloudWatch Logs, by arithmetic.

Speeds of the parsers come from `results/rds_parse.json`, counts of calls and requests from `rds_scale_model.py`, which
tests hold against the real code, prices from `functions/kernel/prices.py`. What nobody here has measured is below
ASSUMED. Printed are the tables that docs/scale.md holds; with `--write` they are put there. The last line on stdout is
one JSON object.
"""

import argparse
import json
import math
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "functions")]

from bench.documents import put, table  # noqa: E402 - the path is set just above
from bench.rds_scale_model import (  # noqa: E402
    Task,
    discovery_calls,
    discovery_requests,
    parse_requests,
    queue_requests,
    task_calls,
    task_requests,
    task_seconds,
    task_write_units,
)
from kernel import prices  # noqa: E402

DOCUMENT: Final = ROOT / "docs" / "scale.md"
RESULTS: Final = ROOT / "bench" / "results"
MARKS: Final = ("<!-- make bench-rds-scale ARGS=--write -->", "<!-- end of make bench-rds-scale -->")

# ---- the work
INSTANCES: Final = 316
BYTES: Final = 100e12
MONTH_SECONDS: Final = 30 * 86_400
ACCOUNT_REGIONS: Final = (1, 2, 3, 4, 6)
# Where the budget brings all bytes by portions.
LANES_IN: Final = 4
LANES_SHOWN: Final = (1, 2, 4, 8)

# ---- as deployed by default
INTERVAL_SECONDS: Final = 300
RATE: Final = 12.0  # calls a second, of an account in a region, that the budget gives out
LANES: Final = 8  # CONCURRENT_PORTIONS
MOST_AT_ONCE: Final = 40  # DatabaseLogsMaxConcurrency

# ---- ASSUMED
# Groups of parameters of an instance that are not RDS' own: its own one, and its cluster's.
GROUPS: Final = 2
# Logs of an instance that the bytes are in, evenly; and how long a line of theirs is.
BUSY_FILES: Final = 2
LINE_BYTES: Final = 200
# As rdstail observed on one file; RDS documents neither this nor the rate, of which 14 a second were observed.
STREAM_BYTES_PER_SECOND: Final = 0.6e6
ANSWER_SECONDS: Final = 0.08
OBSERVED_RATE: Final = 14.0
# The busiest hour over the average.
PEAK: Final = 5
# Files are rotated by the hour.
ROTATION_SECONDS: Final = 3600
SEGMENT_BYTES: Final = 32 << 20
# Memory of DiscoverLogs, of CollectFile, and of ParseSegment: a vCPU.
DISCOVER_GB: Final = 0.5
COLLECT_GB: Final = 1.0
PARSE_GB: Final = 1769 / 1024
# A call of ParseSegment beside the bytes, and of DiscoverLogs for each thing it asks.
CALL_SECONDS: Final = 0.3
REQUEST_SECONDS: Final = 0.05
# Messages that a call of CollectFile takes.
BATCH_SIZE: Final = 1
# Files of the lake that a segment becomes; and what is left of a byte in it, and in a raw segment.
LAKE_FILES: Final = 2
LAKE_RATIO: Final = 0.24
GZIP_RATIO: Final = 0.10
RAW_MONTHS: Final = 0.5
# What CloudWatch charges to keep of a byte: it compresses, and says nothing of how much.
CLOUDWATCH_RATIO: Final = 0.15
ARCHITECTURE: Final = "arm64"

# Quotas by default. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LAMBDA_AT_ONCE: Final = 1_000
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
FIFO_CALLS, FIFO_GROUPS = 300, 120_000
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
PREFIX_PUTS: Final = 3_500
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode-initial.html
TABLE_WRITES: Final = 4_000


@dataclass(frozen=True)
class Demand:
    """What the fleet asks of RDS where it is in so many accounts and regions, evenly.

    Attributes:
        discovery, tasks, portions: Calls a second of each account and region, if all bytes came by portions.
        by_portions: Part of the bytes that the budget lets come by portions, as they are written.
        complete_files: A second of each account and region: the rest, once files are closed.
    """

    account_regions: int
    discovery: float
    tasks: float
    portions: float
    by_portions: float
    complete_files: float

    @property
    def wanted(self) -> float:
        """Calls a second of each account and region, if all bytes came by portions."""
        return self.discovery + self.tasks + self.portions

    @property
    def asked(self) -> float:
        """Calls a second of each account and region as they are made, complete files too."""
        return self.discovery + self.tasks + self.portions * self.by_portions + self.complete_files

    @property
    def most_bytes(self) -> float:
        """Bytes a month that portions alone bring, of all accounts and regions."""
        share = (RATE - self.discovery - self.tasks) / self.portions
        return BYTES * max(share, 0.0)


def live_task() -> Task:
    """Return what is new in a busy file at each pass."""
    files = INSTANCES * BUSY_FILES
    return Task(size=BYTES / MONTH_SECONDS * INTERVAL_SECONDS / files, line_bytes=LINE_BYTES)


def _asked_by_a_pass(account_regions: int) -> Counter[str]:
    """Return what a pass asks of an account in a region."""
    instances = math.ceil(INSTANCES / account_regions)
    # Answers about groups are kept for an hour.
    return discovery_calls(instances, instances, math.ceil(instances * GROUPS * INTERVAL_SECONDS / 3600))


def demand(account_regions: int) -> Demand:
    """Return what an account is asked in a region."""
    instances = INSTANCES / account_regions
    task = live_task()
    calls = task_calls(task)
    tasks = instances * BUSY_FILES / INTERVAL_SECONDS
    discovery = _asked_by_a_pass(account_regions).total() / INTERVAL_SECONDS
    beside = tasks * (calls.total() - task.portions)
    portions = tasks * task.portions
    room = RATE - discovery - beside
    by_portions = max(0.0, min(1.0, room / portions))
    streamed = instances * BUSY_FILES / ROTATION_SECONDS if by_portions < 1 else 0.0
    return Demand(account_regions, discovery, beside, portions, by_portions, streamed)


@dataclass(frozen=True)
class Month:
    """What a month takes.

    Attributes:
        calls: To RDS.
        waiting: Seconds that tasks wait for the bytes, were there calls enough.
        usage: Of AWS.
    """

    calls: dict[str, int]
    segments: int
    waiting: float
    usage: dict[str, prices.Usage]

    @property
    def usd(self) -> dict[str, float]:
        """USD by part of the way."""
        return {part: sum(prices.estimate(usage).values()) for part, usage in self.usage.items()}


def parse_bytes_per_second() -> float:
    """Return what a core parses: the slower of PostgreSQL's and the slow log."""
    measured: dict[str, Any] = json.loads((RESULTS / "rds_parse.json").read_text("utf-8"))
    return 1e6 * min(float(measured["postgres_mb_s"]), float(measured["slow_mb_s"]))


def month(account_regions: int, lanes: int = LANES) -> Month:
    """Return a month where the fleet is in so many accounts and regions, and so many lanes of a file are read at once.

    Where the budget is spent, all functions that may run at once wait for it, all the time.
    """
    asked = demand(account_regions)
    passes = MONTH_SECONDS // INTERVAL_SECONDS
    live = live_task()
    closed_bytes = BYTES * (1 - asked.by_portions)
    files = INSTANCES * BUSY_FILES * MONTH_SECONDS // ROTATION_SECONDS if closed_bytes else 0
    closed = Task(
        size=closed_bytes / files if files else 0,
        segments=max(1, math.ceil(closed_bytes / files / SEGMENT_BYTES)) if files else 1,
        streamed=True,
    )
    lives = INSTANCES * BUSY_FILES * passes
    in_discovery = _asked_by_a_pass(account_regions)
    discovery = {name: number * passes * account_regions for name, number in in_discovery.items()}
    portions = task_calls(live)["rds.DownloadDBLogFilePortion"] - live.portions + live.portions * asked.by_portions
    calls = {
        **{name.removeprefix("rds."): number for name, number in sorted(discovery.items())},
        "DownloadDBLogFilePortion": round(lives * portions),
        "complete files": files,
    }
    segments = lives * live.segments + files * closed.segments
    writes = lives * task_write_units(live) + files * task_write_units(closed)
    puts = lives * task_requests(live)["s3.PutObject"] + files * task_requests(closed)["s3.PutObject"]
    parsed = parse_requests(LAKE_FILES)
    taken = replace(live, size=live.size * asked.by_portions)
    waiting = lives * _seconds(taken, lanes) + files * _seconds(closed, lanes)
    fetch_seconds = waiting if asked.by_portions == 1 else max(waiting, MOST_AT_ONCE * MONTH_SECONDS)
    looks = discovery_requests(in_discovery, moved=lives // (passes * account_regions))
    in_dynamodb = prices.counted({name: number * passes * account_regions for name, number in looks.items()})
    parse_seconds = BYTES / parse_bytes_per_second() + segments * CALL_SECONDS
    looked_seconds = sum(discovery.values()) * REQUEST_SECONDS
    usage = {
        "discovery": prices.Usage(
            architecture=ARCHITECTURE,
            lambda_requests=passes * account_regions,
            lambda_gb_seconds=looked_seconds * DISCOVER_GB,
            dynamodb_reads=in_dynamodb["dynamodb_reads"],
            dynamodb_writes=in_dynamodb["dynamodb_writes"],
            sqs_fifo=queue_requests(lives + files, batched=True, batch_size=BATCH_SIZE),
        ),
        "collection": prices.Usage(
            architecture=ARCHITECTURE,
            lambda_requests=math.ceil((lives + files) / BATCH_SIZE),
            lambda_gb_seconds=fetch_seconds * COLLECT_GB,
            dynamodb_writes=writes,
            s3_puts=puts,
        ),
        "parsing": prices.Usage(
            architecture=ARCHITECTURE,
            lambda_requests=segments,
            lambda_gb_seconds=parse_seconds * PARSE_GB,
            s3_puts=segments * parsed["s3.PutObject"],
            s3_gets=segments * parsed["s3.GetObject"],
            sqs=queue_requests(segments, batched=False, batch_size=1),
        ),
        "storage of a month": prices.Usage(
            architecture=ARCHITECTURE, s3_storage=BYTES / 1e9 * (LAKE_RATIO + GZIP_RATIO * RAW_MONTHS)
        ),
    }
    return Month(calls, segments, waiting, usage)


def _seconds(task: Task, lanes: int) -> float:
    return task_seconds(task, lanes, answer=ANSWER_SECONDS, bytes_per_second=STREAM_BYTES_PER_SECOND)


def exported() -> dict[str, float]:
    """Return USD of the same logs exported to CloudWatch Logs and kept there for a month."""
    usage = prices.Usage(
        architecture=ARCHITECTURE,
        cloudwatch_logs=BYTES / 1e9,
        cloudwatch_logs_storage=BYTES / 1e9 * CLOUDWATCH_RATIO,
    )
    return {name: usd for name, usd in prices.estimate(usage).items() if usd}


def limits(account_regions: int) -> list[list[str]]:
    """Return a line a limit, the nearest first, in the busiest hour but where it says otherwise."""
    asked, whole = demand(account_regions), month(account_regions)
    collecting = whole.waiting / MONTH_SECONDS
    parsing = whole.usage["parsing"].lambda_gb_seconds / PARSE_GB / MONTH_SECONDS
    per_second = whole.segments / MONTH_SECONDS
    puts = task_requests(live_task())["s3.PutObject"] + parse_requests(LAKE_FILES)["s3.PutObject"]
    files = INSTANCES * BUSY_FILES
    writes = whole.usage["collection"].dynamodb_writes / MONTH_SECONDS
    found = [
        (
            "calls to RDS a second, if all came by portions",
            asked.wanted * PEAK,
            RATE,
            "the rest comes by complete files, up to an hour later",
        ),
        ("the same on average", asked.wanted, RATE, "more accounts or regions"),
        ("calls to RDS a second as made, on average", asked.asked, OBSERVED_RATE, "never: the budget holds it"),
        (
            "CollectFile at once, on average",
            collecting,
            MOST_AT_ONCE,
            "bytes; what waits for the budget comes on top",
        ),
        (
            "functions at once",
            min(collecting * PEAK, MOST_AT_ONCE) + min(parsing * PEAK, MOST_AT_ONCE),
            LAMBDA_AT_ONCE,
            "DatabaseLogsMaxConcurrency",
        ),
        ("DynamoDB writes a second", writes * PEAK, TABLE_WRITES, "files that move, not bytes"),
        ("PUTs a second, were it one prefix", per_second * puts * PEAK, PREFIX_PUTS, "files that move"),
        ("groups of the FIFO queue", files, FIFO_GROUPS, "logs of the fleet"),
        (
            "calls of the FIFO queue a second",
            queue_requests(files, batched=True, batch_size=BATCH_SIZE) / INTERVAL_SECONDS,
            FIFO_CALLS,
            "files that move",
        ),
    ]
    found.sort(key=lambda line: -line[1] / line[2])
    return [[what, _figure(used), f"{limit:,.0f}", f"{used / limit:.1%}", grows] for what, used, limit, grows in found]


# ---------------------------------------------------------------- what is shown


def figures() -> str:
    """Return the tables of docs/scale.md."""
    asked = [demand(number) for number in ACCOUNT_REGIONS]
    shown = month(2)
    usd, cloudwatch = shown.usd, exported()
    by_kind = [[name, f"{number:,}", f"{number / MONTH_SECONDS:.2f}"] for name, number in shown.calls.items()]
    costs = [
        [
            part,
            f"{usage.lambda_gb_seconds:,.0f}",
            _count(usage.s3_puts),
            _count(usage.dynamodb_writes),
            _count(usage.sqs + usage.sqs_fifo),
            f"{usd[part]:,.0f}",
        ]
        for part, usage in shown.usage.items()
    ]
    side_by_side = [
        [
            str(lanes),
            f"{_seconds(live_task(), lanes):.1f}",
            f"{each.waiting / MONTH_SECONDS:.1f}",
            f"{each.usd['collection']:,.0f}",
        ]
        for lanes in LANES_SHOWN
        for each in (month(LANES_IN, lanes),)
    ]
    total = sum(usd.values())
    against = [
        ["Gatehouse, without search", f"{total:,.0f}"],
        *([f"CloudWatch Logs: {_NAMES[name]}", f"{amount:,.0f}"] for name, amount in cloudwatch.items()),
        ["CloudWatch Logs over Gatehouse", f"{sum(cloudwatch.values()) / total:.0f} times"],
    ]
    return "\n\n".join(
        [
            "### Calls to RDS, by how many accounts and regions the fleet is in",
            table(
                [
                    "accounts × regions",  # noqa: RUF001 - a product
                    "discovery a second",
                    "tasks a second",
                    "portions a second, if all came so",
                    "of 12 a second",
                    "by portions",
                    "complete files an hour",
                    "TB a month that portions alone bring",
                ],
                [
                    [
                        str(each.account_regions),
                        f"{each.discovery:.2f}",
                        f"{each.tasks:.2f}",
                        f"{each.portions:.1f}",
                        f"{each.wanted / RATE:.0%}",
                        f"{each.by_portions:.0%}",
                        f"{each.complete_files * 3600:,.0f}",
                        f"{each.most_bytes / 1e12:.0f}",
                    ]
                    for each in asked
                ],
            ),
            "### A month in two accounts or regions: calls to RDS",
            table(["call", "a month", "a second"], by_kind),
            "### A month in two accounts or regions: AWS",
            table(["part", "GB-seconds", "S3 PUTs", "DynamoDB write units", "SQS requests", "USD"], costs),
            "### Portions of a file under way at once, in four accounts or regions",
            table(["at once", "seconds of a task", "functions at once", "USD a month of collection"], side_by_side),
            "### Against CloudWatch Logs",
            table(["way", "USD a month"], against),
            "### Limits in two accounts or regions, the nearest first",
            table(["limit", "used", "of", "share", "grows with"], limits(2)),
        ]
    )


_NAMES: Final = {"cloudwatch_logs": "taken in", "cloudwatch_logs_storage": "kept for a month"}


def main() -> None:
    """Print the tables, and put them where they belong if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scale.md")
    given = parser.parse_args()
    text = figures()
    if given.write:
        put(DOCUMENT, text, MARKS)
    print(text, end="\n\n")
    shown = month(2)
    print(
        json.dumps(
            {
                "usd_a_month": round(sum(shown.usd.values())),
                "cloudwatch_usd_a_month": round(sum(exported().values())),
                "calls_a_month": shown.calls,
                "by_portions": {each: round(demand(each).by_portions, 3) for each in ACCOUNT_REGIONS},
            }
        )
    )


def _figure(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"  # noqa: PLR2004 - three digits tell enough


def _count(number: int) -> str:
    return f"{number:,}" if number else "-"


if __name__ == "__main__":
    main()
