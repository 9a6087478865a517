"""seal_day without its state machine: the same handlers in the same order, in processes that can be killed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support import raw
from tests.support.aws import DAYS, LAKE
from tests.support.pipeline import Pipeline, StepFailed

STARTED_AT = "2026-06-05T02:00:00Z"
DAY = "2026-06-01"
EVENTS = [raw.an_event(n, Datetime=f"{DAY}T{n % 24:02}:00:{n % 60:02}Z") for n in range(90)]

Call = Callable[[str, dict[str, Any]], dict[str, Any]]


@dataclass
class KilledOnce:
    """Calls handlers, and kills the one that would have the next effect after so many of all of them; once.

    Attributes:
        effects: Left until then; what the calls had where nobody was killed.
        retry: Whether a killed step is called again, as the machine's Retry does, or ends the seal.
    """

    pipeline: Pipeline
    left: int
    retry: bool
    killed: bool = False

    def __call__(self, handler: str, event: dict[str, Any]) -> dict[str, Any]:
        """Call a handler."""
        if self.killed:
            return self.pipeline.call(handler, event)
        try:
            result = self.pipeline.call(handler, event, self.left)
        except StepFailed as failed:
            if failed.name != "Killed":
                raise
            self.killed = True
            if not self.retry:
                raise
            return self.pipeline.call(handler, event)
        self.left -= self.pipeline.effects
        return result


def _no_task(key: str, line: int) -> None:
    raise AssertionError(f"line {line} of {key} is for Fargate, which this test has not")


def seal(
    pipeline: Pipeline,
    seal_id: str,
    day: str,
    *,
    call: Call | None = None,
    task: Callable[[str, int], object] = _no_task,
    waive: list[str] | None = None,
) -> dict[str, Any]:
    """Take the way of the machine and return the result of the last step.

    Args:
        pipeline: Where.
        seal_id: Name of the seal.
        day: Its date.
        call: Calls a handler.
        task: Runs a task on Fargate, by document and line.
        waive: Rules to waive.
    """
    call = call or pipeline.call
    swept = _sweep(pipeline, seal_id, day, call)
    step = {
        "seal_id": seal_id,
        "event_date": day,
        "as_of": swept["as_of"],
        "source_objects": swept["listed"],
        "waive": waive or [],
    }
    for unit in swept["surveys"]:
        call("survey_unit", unit)
    found = call("reconcile_day", step | {"surveys": len(swept["surveys"])})
    if found["disagreements"]:
        return call("block_day", {"seal_id": seal_id, "error": "ReconciliationFailed", "cause": found["first"]})
    version = {"seal_id": seal_id, "event_date": day, "version": found["version"]}
    if not found["unchanged"]:
        for unit in pipeline.lines(found["units_key"]) if found["units"] else ():
            call("compact_unit", unit)
        for line in range(found["batch_units"]):
            task(found["batch_key"], line)
        judged = call("validate_day", step)
        if not judged["sealable"]:
            return call("block_day", {"seal_id": seal_id, "error": "DayRefused", "cause": judged["reason"]})
    call("seal_day", version)
    return call("clean_day", version)


def _sweep(pipeline: Pipeline, seal_id: str, day: str, call: Call) -> dict[str, Any]:
    number, before = 0, -1
    while True:
        event = {"seal_id": seal_id, "started_at": STARTED_AT, "round": number, "input": {"date": day}}
        swept = call("sweep_day", event)
        if swept["unfinished"] is not None:
            version = {"seal_id": seal_id, "event_date": day, "version": swept["unfinished"]}
            call("seal_day", version)
            call("clean_day", version)
        elif swept["missing"] in {0, before}:
            return swept
        else:
            for each in swept["lists"]:
                pipeline.run(each["name"], {"list_key": each["list_key"]})
            number, before = number + 1, swept["missing"]


def day_of(pipeline: Pipeline, day: str) -> dict[str, Any]:
    """Return what readers see of a day: its newest version but for who made it, tables, files and state."""
    lake = pipeline.lake()
    versions = sorted(key for key in lake if f"/days/event_date={day}/" in key)
    document = json.loads(lake[versions[-1]]) if versions else {}
    document.pop("seal_id", None)
    item = pipeline.dynamodb.get_item(TableName=DAYS, Key={"partition": {"S": "days"}, "item": {"S": day}})["Item"]
    return {
        "versions": versions,
        "document": document,
        "tables": {key: body for key, body in lake.items() if "/tables/" in key},
        "files": {
            key: body for key, body in lake.items() if f"event_date={day}/" in key and key.split("/")[1] in _FILES
        },
        "state": {name: value for name, value in item.items() if name in {"status", "version", "cleaned", "rows"}},
        "held": "owner" in item,
    }


_FILES = {"events", "hourly", "sealed"}
# What a cut becomes: one file of each.
SEALED_KINDS = ("events", "hourly", "rays", "addresses")


def table_files(pipeline: Pipeline, kind: str, day: str) -> list[str]:
    """Return the keys of the files that a table lists for a day."""
    body = pipeline.lake()[f"firewall_logs/tables/{kind}/event_date={day}/files.txt"].decode()
    return [line.removeprefix(f"s3://{LAKE}/") for line in body.splitlines()]
