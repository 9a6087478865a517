"""seal_day without its state machine: the same handlers in the same order, in processes that can be killed."""

import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support import raw
from tests.support.aws import DAYS, LAKE, RUNS
from tests.support.effort import THOROUGH
from tests.support.pipeline import Pipeline, StepFailed
from tests.support.states import State

STARTED_AT = "2026-06-05T02:00:00Z"
DAY = "2026-06-01"
EVENTS = [raw.an_event(n, Datetime=f"{DAY}T{n % 24:02}:00:{n % 60:02}Z") for n in range(90)]

# What a function measured of itself, in its receipt.
_MEASURED = re.compile(rb'"measured": \{[^{}]*\}')

Call = Callable[[str, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Step:
    """A call of a handler, and what was there before it."""

    handler: str
    event: dict[str, Any]
    before: State
    result: dict[str, Any]
    effects: int


class Way:
    """Calls handlers, and keeps how that went, so that it can be gone again as far as some effect."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.steps: list[Step] = []
        self._end: State | None = None

    def end(self) -> State:
        """Return what there was after the last call, which it is to be asked for before anything else happens."""
        self._end = self._end or self.pipeline.state()
        return self._end

    @property
    def effects(self) -> int:
        """Of all calls."""
        return sum(step.effects for step in self.steps)

    def __call__(self, handler: str, event: dict[str, Any]) -> dict[str, Any]:
        """Call a handler."""
        before = self.pipeline.state()
        result = self.pipeline.call(handler, event)
        self.steps.append(Step(handler, event, before, result, self.pipeline.effects))
        return result


class KilledOnce:
    """Goes a way again, and kills the handler that would have the next effect after so many of all of them; once.

    What comes before that handler is put back and not called: it is what the way had when it was gone undisturbed. And
    so is what comes after it, where the handler that is called again leaves what it left on the way: but thoroughly.

    Args:
        way: What was gone.
        done: How many of its effects there are before the kill.
        retry: Whether the killed step is called again, as the machine's Retry does, or ends the seal.

    Attributes:
        killed: Whether the kill has happened.
    """

    def __init__(self, way: Way, done: int, *, retry: bool) -> None:
        self.killed = False
        self._pipeline, self._left, self._retry = way.pipeline, done, retry
        self._gone: deque[Step] = deque()
        self._end = way.end()
        for number, step in enumerate(way.steps):
            if 0 < step.effects >= self._left:
                self._killed, *self._after = way.steps[number:]
                way.pipeline.put_back(step.before)
                return
            self._left -= step.effects
            self._gone.append(step)
        raise AssertionError(f"the way has {way.effects} effects, not {done}")

    def __call__(self, handler: str, event: dict[str, Any]) -> dict[str, Any]:
        """Call a handler, or return what it returned."""
        if self._gone:
            step = self._gone.popleft()
            assert (handler, event) == (step.handler, step.event)
            return step.result
        if self.killed:
            return self._pipeline.call(handler, event)
        try:
            return self._pipeline.call(handler, event, self._left)
        except StepFailed as failed:
            if failed.name != "Killed":
                raise
            self.killed = True
            if not self._retry:
                raise
            return self._again(handler, event)

    def _again(self, handler: str, event: dict[str, Any]) -> dict[str, Any]:
        """Call the killed handler again, and go the rest of the way as it was gone if it goes on from there."""
        result = self._pipeline.call(handler, event)
        if not THOROUGH and result == self._killed.result and self._is_on_its_way():
            self._pipeline.put_back(self._end)
            self._gone.extend(self._after)
        return result

    def _is_on_its_way(self) -> bool:
        return bool(self._after) and _lasting(self._pipeline.state()) == _lasting(self._after[0].before)


def _lasting(state: State) -> tuple[Any, ...]:
    """Return all that there is, but for how long something took and when."""
    told = {key: _MEASURED.sub(b"", stored["Body"]) for key, stored in state.objects[RUNS].items()}
    items = [
        [{name: item[name] for name in item.keys() - {"lease_until"}} for item in all_] for all_ in state.items.values()
    ]
    return told, state.objects[LAKE], items


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
