"""What data_protection itself costs a month, and what it asks of the accounts that it looks at, by arithmetic.

Calls of an assessment and its seconds come from `results/assess.json`, requests beside from
`protection_scale_model.py`, which tests hold against the real code, alarms and metrics from templates and code, prices
from `functions/kernel/prices.py`. What nobody here has measured is below ASSUMED. Printed are the tables that
docs/scale.md holds; with `--write` they are put there. The last line on stdout is one JSON object.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "functions")]

from bench.documents import put, table  # noqa: E402 - the path is set just above
from bench.protection_scale_model import (  # noqa: E402
    Requests,
    assess_read_units,
    assess_requests,
    places_requests,
    report_read_units,
    report_requests,
    sweep_messages,
    sweep_read_units,
    sweep_reads,
    sweep_requests,
)
from kernel.prices import PRICES  # noqa: E402

DOCUMENT: Final = ROOT / "docs" / "scale.md"
RESULT: Final = ROOT / "bench" / "results" / "assess.json"
MARKS: Final = ("<!-- make bench-protection-scale ARGS=--write -->", "<!-- end of make bench-protection-scale -->")

# ---- the work
PLACES: Final = (1, 20, 300)  # accounts, of one region each
MEASURED: Final = "60+61"  # tables and buckets of each of them
DAYS: Final = 30
SWEEP_MINUTES: Final = (15, 30, 60)  # what DataProtectionSweepMinutes may be; the first is the default
_SECONDS_OF_A_MONTH: Final = DAYS * 86_400

# ---- as deployed
LOOK_GB: Final = 1.0  # of AssessPlace and SweepDrift
REPORT_GB: Final = 2.0
AT_ONCE: Final = 20  # places, in assessments and in sweeps
LOOK_TIMEOUT, START_TIMEOUT = 600, 60
QUEUES, FIFO_QUEUES = 2, 1  # that functions poll

# ---- ASSUMED
# Bytes of a finding and of a score in the table.
FINDING_BYTES, SCORE_BYTES = 350, 250
# Findings a day that stand otherwise than the day before.
CHANGED: Final = 10
# A sweep's look at the trails, beside the seconds of an assessment.
TRAILS_SECONDS: Final = 0.5
# Of ReportAssessment, for each place.
REPORT_SECONDS: Final = 0.1
# Looks a day that events of CloudTrail lead to, in the account of the deployment alone, and the seconds of each.
RECHECKS: Final = 100
RECHECK_SECONDS: Final = 2.0
# Bytes of logs of a call, metrics included.
LOG_BYTES: Final = 3_000
# Lambda asks a queue that is empty: five at once, 20 seconds each.
POLLS: Final = 5 * _SECONDS_OF_A_MONTH // 20
# Of a message to SQS.
SEND_SECONDS: Final = 0.02
ARCHITECTURE: Final = "arm64"

# What the proxy of the benchmark calls a request, where botocore calls it otherwise.
_NAMES: Final = {"tagging.GetResources": "resource-groups-tagging-api.GetResources", "s3.GET account": "s3.ListBuckets"}
# What S3 charges as LIST, of the requests to an account.
_LISTS: Final = frozenset({"s3.ListBuckets", "s3.GET ?list-type"})

Amounts: TypeAlias = Mapping[str, float]
"""What is used, by the names of prices."""


@dataclass(frozen=True)
class Look:
    """An assessment of a place, as it was measured.

    Attributes:
        calls: To the account that is looked at.
        seconds: Of it.
        findings: In the table.
    """

    calls: Requests
    seconds: float
    findings: int

    @property
    def findings_bytes(self) -> int:
        """Bytes of the findings in the table."""
        return self.findings * FINDING_BYTES


def measured() -> Look:
    """Return what bench-assess measured of an assessment."""
    found: dict[str, Any] = json.loads(RESULT.read_text("utf-8"))[MEASURED]
    calls = Counter({_NAMES.get(name, name): number for name, number in found["calls_by_name"].items()})
    # Five checks of each table, six of each bucket, and some of the account.
    tables, buckets = map(int, MEASURED.split("+"))
    return Look(calls, float(found["wall_s"]), 5 * tables + 6 * buckets + 10)


def looks_a_month(minutes: int) -> int:
    """Return how many sweeps a month has."""
    return DAYS * 24 * 60 // minutes


def calls_a_month(minutes: int) -> Requests:
    """Return what a month's assessments and sweeps ask of one account that is looked at."""
    look = measured().calls
    swept, sweeps = sweep_reads(look), looks_a_month(minutes)
    return Counter({name: look[name] * DAYS + swept[name] * sweeps for name in swept})


def month(places: int, minutes: int = SWEEP_MINUTES[0]) -> dict[str, Amounts]:
    """Return what a month takes in the account of the deployment, by part."""
    return {
        "daily assessments": _assessments(places),
        "sweeps": _sweeps(places, minutes),
        "events of the own account": _events(),
        "queues that are polled": {"sqs": QUEUES * POLLS, "sqs_fifo": FIFO_QUEUES * POLLS},
        "alarms, metrics, key": {
            "cloudwatch_alarms": alarm_metrics(),
            "cloudwatch_metrics": len(metric_names()),
            "kms_keys": 1,
        },
    }


def usd(amounts: Amounts) -> float:
    """Return what is charged."""
    return sum(number * PRICES[name].each for name, number in amounts.items())


def beside(minutes: int) -> dict[str, float]:
    """Return USD a month that an account pays which is looked at, by what charges it."""
    calls = calls_a_month(minutes)
    events = calls.total() - calls["s3.GET ?list-type"]
    return {
        "requests to S3": sum(
            number * PRICES["s3_lists" if name in _LISTS else "s3_gets"].each
            for name, number in calls.items()
            if name.startswith("s3.")
        ),
        "CloudTrail, each further copy": events * PRICES["cloudtrail_copies"].each,
        "GuardDuty": events * PRICES["guardduty_events"].each,
    }


def alarm_metrics() -> int:
    """Return the metrics of all alarms of the domain: each is charged."""
    stacks = sorted((ROOT / "stacks").glob("data_protection*.yaml"))
    return sum(len(re.findall(r"\bMetricName: ", path.read_text("utf-8"))) for path in stacks)


def metric_names() -> frozenset[str]:
    """Return the metrics that the functions of the domain send."""
    sources = [path.read_text("utf-8") for path in sorted((ROOT / "functions" / "data_protection").rglob("*.py"))]
    told = re.compile(r'(?:add_metric\(\s*|yield )"(\w+)", "(?:Count|Seconds)"')
    return frozenset(name for source in sources for name in told.findall(source))


def _assessments(places: int) -> Amounts:
    look, runs = measured(), DAYS * places
    asked, report = assess_requests(look.findings_bytes, CHANGED), report_requests(places)
    gets = runs * asked["s3.GetObject"] + DAYS * (places_requests()["s3.GetObject"] + report["s3.GetObject"])
    puts = runs * asked["s3.PutObject"] + DAYS * report["s3.PutObject"]
    return {
        f"lambda_compute_{ARCHITECTURE}": runs * (look.seconds * LOOK_GB + REPORT_SECONDS * REPORT_GB),
        "lambda_requests": runs + 2 * DAYS,
        # A state of each place and its turn in the Map, and those of the machine.
        "step_functions": 2 * runs + 6 * DAYS,
        "s3_gets": gets,
        "s3_lists": DAYS * report["s3.ListObjectsV2"],
        "s3_puts": puts,
        "kms": gets + puts,
        "dynamodb_reads": runs * assess_read_units(look.findings_bytes) + DAYS * report_read_units(places, SCORE_BYTES),
        "dynamodb_writes": runs * asked["dynamodb.BatchWriteItem"],
        "cloudwatch_logs": runs * LOG_BYTES / 1e9,
    }


def _sweeps(places: int, minutes: int) -> Amounts:
    look, sweeps = measured(), looks_a_month(minutes)
    runs = sweeps * places
    gets = runs * sweep_requests(look.findings_bytes)["s3.GetObject"] + sweeps * places_requests()["s3.GetObject"]
    messages = sweeps * sweep_messages(places)
    return {
        f"lambda_compute_{ARCHITECTURE}": runs * (look.seconds + TRAILS_SECONDS) * LOOK_GB,
        "lambda_requests": runs + sweeps,
        "s3_gets": gets,
        "sqs": messages,
        "kms": gets + messages,
        "dynamodb_reads": runs * sweep_read_units(look.findings_bytes),
        "cloudwatch_logs": 2 * runs * LOG_BYTES / 1e9,
    }


def _events() -> Amounts:
    looks = RECHECKS * DAYS
    size = measured().findings_bytes
    return {
        f"lambda_compute_{ARCHITECTURE}": looks * RECHECK_SECONDS * LOOK_GB,
        "lambda_requests": looks,
        "s3_gets": 2 * looks,
        "sqs": 3 * looks,
        "kms": 5 * looks,
        "dynamodb_reads": looks * (assess_read_units(size) // 2 + 1),
        "cloudwatch_logs": looks * LOG_BYTES / 1e9,
    }


def limits(places: int) -> list[list[str]]:
    """Return a line a limit, the nearest first, where so many places are swept each quarter of an hour."""
    look, interval = measured(), SWEEP_MINUTES[0] * 60
    swept = look.seconds + TRAILS_SECONDS
    found = [
        ("seconds of a sweep of all places", places * swept / AT_ONCE, interval, "places: sweep less often"),
        ("seconds of StartSweep", places * SEND_SECONDS, START_TIMEOUT, "places"),
        ("seconds of SweepDrift", swept, LOOK_TIMEOUT, "tables: AWS tells of ten a second"),
        ("functions at once", 2 * AT_ONCE, 1_000, "never: assessments and sweeps take 20 places at once each"),
        ("places of an assessment", places, 2_000, "places: divide it by accounts"),
    ]
    found.sort(key=lambda line: -line[1] / line[2])
    return [[what, _figure(used), f"{most:,}", f"{used / most:.1%}", grows] for what, used, most, grows in found]


# ---------------------------------------------------------------- what is shown


def figures() -> str:
    """Return the tables of docs/scale.md."""
    months = {places: {part: usd(amounts) for part, amounts in month(places).items()} for places in PLACES}
    heads = [f"{places} account{'s' * (places > 1)}" for places in PLACES]
    parts = [
        [part, *(_figure(found[part], digits=2) for found in months.values())] for part in next(iter(months.values()))
    ]
    sums = {places: sum(found.values()) for places, found in months.items()}
    return "\n\n".join(
        [
            "### USD a month, in the account of the deployment",
            table(
                ["part", *heads],
                [
                    *parts,
                    ["together", *(_figure(total, digits=2) for total in sums.values())],
                    ["an account", *(_figure(total / places, digits=2) for places, total in sums.items())],
                ],
            ),
            "### USD a month that each account pays which is looked at",
            table(
                ["what charges it", "USD"], [[what, f"{one:,.2f}"] for what, one in beside(SWEEP_MINUTES[0]).items()]
            ),
            "### By `DataProtectionSweepMinutes`",
            table(
                [
                    "minutes",
                    "USD of 300 accounts, the deployment",
                    "calls to each account a month",
                    "USD of each further copy of its trail",
                    "USD of its GuardDuty",
                ],
                [_of_interval(minutes) for minutes in SWEEP_MINUTES],
            ),
            "### Calls to each account",
            table(
                ["service", "an assessment", "a sweep", "a second, while one lasts", "a month", "a second, on average"],
                _by_service(),
            ),
            "### Limits with 300 accounts, the nearest first",
            table(["limit", "used", "of", "share", "grows with"], limits(PLACES[-1])),
        ]
    )


def _of_interval(minutes: int) -> list[str]:
    paid = beside(minutes)
    return [
        str(minutes),
        f"{sum(usd(amounts) for amounts in month(PLACES[-1], minutes).values()):,.0f}",
        f"{calls_a_month(minutes).total():,}",
        f"{paid['CloudTrail, each further copy']:.2f}",
        f"{paid['GuardDuty']:.2f}",
    ]


def _by_service() -> list[list[str]]:
    look = measured()
    one, sweep, whole = (
        _services(calls) for calls in (look.calls, sweep_reads(look.calls), calls_a_month(SWEEP_MINUTES[0]))
    )
    return [
        [
            name,
            f"{one[name]:,}",
            f"{sweep[name]:,}",
            f"{one[name] / look.seconds:.1f}",
            f"{number:,}",
            f"{number / _SECONDS_OF_A_MONTH:.3f}",
        ]
        for name, number in sorted(whole.items(), key=lambda item: item[1])[::-1]
    ]


def _services(calls: Requests) -> Mapping[str, int]:
    """Return calls by service, and all of them together."""
    found = Counter({"all": calls.total()})
    for name, number in calls.items():
        found[name.partition(".")[0].replace("resource-groups-tagging-api", "tagging")] += number
    return found


def main() -> None:
    """Print the tables, and put them where they belong if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scale.md")
    given = parser.parse_args()
    text = figures()
    if given.write:
        put(DOCUMENT, text, MARKS)
    print(text, end="\n\n")
    told = {
        "usd_a_month": {places: round(sum(map(usd, month(places).values())), 2) for places in PLACES},
        "usd_a_month_of_each_account": {what: round(one, 2) for what, one in beside(SWEEP_MINUTES[0]).items()},
        "calls_a_month_to_each_account": calls_a_month(SWEEP_MINUTES[0]).total(),
    }
    print(json.dumps(told))


def _figure(value: float, digits: int = 1) -> str:
    return f"{value:,.{digits}f}" if value < 100 else f"{value:,.0f}"  # noqa: PLR2004 - three digits tell enough


if __name__ == "__main__":
    main()
