"""The demo's days: an archive is backfilled, days are sealed, a late object reopens one."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from cli.target import Target
from firewall_logs.adapters.days import DayReader
from firewall_logs.days.contracts import Day, Level, SealedDay
from firewall_logs.days.view import DOCUMENTS, newest_versions
from firewall_logs.locations import day_key
from kernel.objects import Bucket

_LOOK_SECONDS: Final = 0.5
_LONGEST_SECONDS: Final = 600.0
_SEVERITY: Final[tuple[Level, ...]] = ("pass", "warn", "fail")


class ExecutionFailed(RuntimeError):
    """An execution of the demo did not succeed."""


@dataclass
class Days:
    """What became of the days.

    Attributes:
        swept: Objects that no event announced and a sweep brought in.
        reopened: Days that were sealed and got further rows.
        sealed: Newest version of each day.
    """

    swept: int = 0
    reopened: int = 0
    sealed: list[SealedDay] = field(default_factory=list)

    @property
    def quality(self) -> dict[str, Level]:
        """The worst verdict of each rule, over all feeds and days."""
        worst: dict[str, Level] = {}
        for verdict in (verdict for day in self.sealed for verdict in day.quality):
            worst[verdict.rule] = max(worst.get(verdict.rule, "pass"), verdict.level, key=_SEVERITY.index)
        return dict(sorted(worst.items()))


def backfill(target: Target, feed: str, prefix: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Plan a backfill, then carry the plan out on Fargate's path, and return what the plan says."""
    name = f"demo-{datetime.now(UTC):%H%M%S}"
    wanted = {"feed": feed, "prefix": prefix, "engine": "batch", "dry_run": True}
    [planned] = run_all(target, "BackfillArn", {name: wanted}, say)
    run_all(target, "BackfillArn", {f"{name}-run": {"resume": name, "engine": "batch"}}, say)
    return planned


def states(target: Target) -> list[Day]:
    """Return the state of every day before today."""
    days = DayReader(target.client("dynamodb"), target.output("FirewallDaysTableName")).all()
    return [day for day in days if day.event_date < datetime.now(UTC).date()]


def seal(target: Target, days: Iterable[date], say: Callable[[str], None]) -> int:
    """Seal days at once, and return how many objects their sweeps brought in."""
    stamp = f"{datetime.now(UTC):%H%M%S}"
    inputs = {f"seal-{day}-{stamp}": {"date": day.isoformat()} for day in days}
    run_all(target, "SealDayArn", inputs, say)
    runs = Bucket(target.client("s3"), target.output("RunsBucketName"))
    lists = [key for name in inputs for key, _ in runs.keys(f"firewall_logs/lists/{name}-s0/")]
    # The windows of two days overlap: both find the same object.
    return len({line for key in lists for line in (runs.get(key) or b"").splitlines()})


def sealed_days(target: Target) -> list[SealedDay]:
    """Return the newest version of each sealed day."""
    lake = Bucket(target.client("s3"), target.output("LakeBucketName"))
    newest = newest_versions(key for key, _ in lake.keys(DOCUMENTS))
    bodies = (lake.get(day_key(day, version)) for day, version in sorted(newest.items()))
    return [SealedDay.model_validate_json(body) for body in bodies if body is not None]


def run_all(
    target: Target, machine: str, inputs: dict[str, dict[str, Any]], say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Start executions at once, wait for their ends, and return their outputs.

    Raises:
        ExecutionFailed: One did not succeed; the sentence has its cause.
    """
    states_client = target.client("stepfunctions")
    arns = [
        states_client.start_execution(stateMachineArn=target.output(machine), name=name, input=json.dumps(given))[
            "executionArn"
        ]
        for name, given in inputs.items()
    ]
    deadline = time.monotonic() + _LONGEST_SECONDS
    while True:
        described = [states_client.describe_execution(executionArn=arn) for arn in arns]
        running = sum(each["status"] == "RUNNING" for each in described)
        failed = next((each for each in described if each["status"] not in {"RUNNING", "SUCCEEDED"}), None)
        if failed is not None:
            raise ExecutionFailed(f"{failed['name']} {failed['status']}: {failed.get('error')}: {failed.get('cause')}")
        if not running:
            return [json.loads(each["output"]) for each in described]
        if time.monotonic() > deadline:
            raise ExecutionFailed(f"{running} executions have not ended within {_LONGEST_SECONDS:.0f} s.")
        say(f"{len(arns) - running}/{len(arns)} done")
        time.sleep(_LOOK_SECONDS)
