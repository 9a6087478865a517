"""What an execution is doing, read from Step Functions again and again: plain data for whoever shows it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef, HistoryEventTypeDef

_ENTERED: Final = "StateEntered"
_EXITED: Final = "StateExited"
# Of the execution itself, not of one of its states.
_ENDINGS: Final = ("ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted")
_HOW: Final = {"FAILED": "failed", "TIMED_OUT": "ran out of time", "ABORTED": "was stopped"}


@dataclass
class Step:
    """A state that was entered.

    Attributes:
        kind: Task, Map, Choice and so on.
        failed: Whether something in it failed, though it may have been retried since.
    """

    name: str
    kind: str
    entered_at: datetime
    left_at: datetime | None = None
    failed: bool = False

    def seconds(self, now: datetime) -> float:
        """Return how long it has taken so far, or took."""
        return max(0.0, ((self.left_at or now) - self.entered_at).total_seconds())


@dataclass(frozen=True)
class MapCounts:
    """Items of a distributed Map."""

    total: int
    succeeded: int
    failed: int
    running: int
    pending: int

    @property
    def done(self) -> int:
        """Items that will not change any more."""
        return self.succeeded + self.failed


@dataclass
class Execution:
    """An execution as it was when last looked at.

    Attributes:
        units: Items of its distributed Maps together; None while there is none.
        input: JSON that it was started with.
        error: Name of the error it ended with.
    """

    arn: str
    status: str = "RUNNING"
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    stopped_at: datetime | None = None
    steps: list[Step] = field(default_factory=list)
    units: MapCounts | None = None
    input: str = "{}"
    output: str | None = None
    error: str | None = None
    cause: str | None = None

    @property
    def name(self) -> str:
        """Of the execution."""
        return self.arn.rsplit(":", 1)[-1]

    @property
    def machine(self) -> str:
        """Full name of its state machine."""
        return self.arn.rsplit(":", 2)[-2]

    @property
    def how(self) -> str:
        """How it goes or went, as people say it."""
        return _HOW.get(self.status, self.status.lower().replace("_", " "))

    @property
    def result(self) -> Any:
        """What it came to; None unless it has succeeded."""
        # The embedded cloud gives what failed an output, too.
        return json.loads(self.output) if self.status == "SUCCEEDED" and self.output else None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status not in {"RUNNING", "PENDING_REDRIVE"}

    def describe(self, said: "DescribeExecutionOutputTypeDef") -> None:
        """Take over what Step Functions says of it as a whole."""
        self.status = said["status"]
        self.started_at = said["startDate"]
        self.stopped_at = said.get("stopDate")
        self.input = said.get("input") or self.input
        self.output = said.get("output")
        self.error = said.get("error") or self.error
        self.cause = said.get("cause") or self.cause

    def took(self, now: datetime) -> timedelta:
        """Return how long it has run so far, or ran."""
        return max(timedelta(), (self.stopped_at or now) - self.started_at)

    @property
    def failed_in(self) -> Step | None:
        """The last state in which something failed, where the history says so."""
        return next((step for step in reversed(self.steps) if step.failed), None)


class Follower:
    """Looks at one execution; each look reads only what is new in its history."""

    def __init__(self, sfn: "SFNClient", arn: str) -> None:
        self._sfn = sfn
        self._seen = 0
        self.execution = Execution(arn)

    def look(self) -> Execution:
        """Bring the execution up to date and return it."""
        # Described before its history is read: whatever ended it is then in the history.
        said = self._sfn.describe_execution(executionArn=self.execution.arn)
        for event in self._new_events():
            self._note(event)
        if any(step.kind == "Map" for step in self.execution.steps):
            self.execution.units = self._map_counts()
        self.execution.describe(said)
        return self.execution

    def results(self, *, latest_first: bool = False) -> Iterator[Any]:
        """Yield what tasks came to, a function's answer by itself: those within a thousand events.

        Args:
            latest_first: From the end of the history, not from its beginning.
        """
        page = self._sfn.get_execution_history(
            executionArn=self.execution.arn, reverseOrder=latest_first, maxResults=1000, includeExecutionData=True
        )
        for event in page["events"]:
            if event["type"] == "TaskSucceeded":
                result = json.loads(event["taskSucceededEventDetails"]["output"])
                yield result["Payload"] if isinstance(result, dict) and "Payload" in result else result

    def _new_events(self) -> list["HistoryEventTypeDef"]:
        """Return the events after the last one seen, oldest first; read backwards, so that old pages are left alone."""
        new: list[HistoryEventTypeDef] = []
        for event in self._backwards():
            if event["id"] <= self._seen:
                break
            new.append(event)
        if new:
            self._seen = new[0]["id"]
        return new[::-1]

    def _backwards(self) -> Iterator["HistoryEventTypeDef"]:
        token: dict[str, Any] = {}
        while True:
            page = self._sfn.get_execution_history(
                executionArn=self.execution.arn, reverseOrder=True, maxResults=100, includeExecutionData=False, **token
            )
            yield from page["events"]
            if "nextToken" not in page:
                return
            token = {"nextToken": page["nextToken"]}

    def _note(self, event: "HistoryEventTypeDef") -> None:
        kind, at = event["type"], event["timestamp"]
        steps = self.execution.steps
        if kind.endswith(_ENTERED):
            name = event["stateEnteredEventDetails"]["name"]
            steps.append(Step(name, kind.removesuffix(_ENTERED), at))
        elif kind.endswith(_EXITED):
            name = event["stateExitedEventDetails"]["name"]
            for step in steps:
                if step.name == name and step.left_at is None:
                    step.left_at = at
        elif kind in _ENDINGS:
            for step in steps:
                step.left_at = step.left_at or at
        elif kind.endswith(("Failed", "TimedOut")) and steps:
            steps[-1].failed = True

    def _map_counts(self) -> MapCounts | None:
        runs = self._sfn.list_map_runs(executionArn=self.execution.arn)["mapRuns"]
        counts = [self._sfn.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"] for run in runs]
        if not counts:
            return None
        return MapCounts(
            total=sum(each["total"] for each in counts),
            succeeded=sum(each["succeeded"] for each in counts),
            failed=sum(each["failed"] + each["timedOut"] + each["aborted"] for each in counts),
            running=sum(each["running"] for each in counts),
            pending=sum(each["pending"] for each in counts),
        )
