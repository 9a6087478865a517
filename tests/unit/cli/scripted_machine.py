"""A Step Functions client that plays a script: each look at it goes one scene further."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

BEGIN = datetime(2026, 3, 14, 12, tzinfo=UTC)
ARN = "arn:aws:states:eu-central-1:000000000000:execution:gatehouse-local-process_objects:run-1"


@dataclass
class Scene:
    """What has happened by the time of one look.

    Attributes:
        events: (type, name of the state or "") in order, all that there are so far.
        counts: itemCounts of the one Map Run.
    """

    events: list[tuple[str, str]]
    counts: dict[str, int] | None = None
    status: str = "RUNNING"
    output: str | None = None
    error: str | None = None
    cause: str | None = None


@dataclass
class ScriptedMachine:
    """Answers like boto3's client of Step Functions, page by page."""

    scenes: list[Scene]
    page: int = 3
    asked_pages: int = 0
    described: list[str] = field(default_factory=list)
    _at: int = field(default=-1)

    @property
    def _scene(self) -> Scene:
        return self.scenes[min(self._at, len(self.scenes) - 1)]

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.described.append(executionArn)
        self._at += 1
        scene = self._scene
        said: dict[str, Any] = {"status": scene.status, "startDate": BEGIN}
        if scene.status != "RUNNING":
            said["stopDate"] = BEGIN + timedelta(seconds=len(scene.events))
        optional = {"output": scene.output, "error": scene.error, "cause": scene.cause}
        return said | {key: value for key, value in optional.items() if value is not None}

    def get_execution_history(
        self,
        *,
        reverseOrder: bool,  # noqa: N803 - boto3's name
        nextToken: str = "0",  # noqa: N803 - boto3's name
        **_: Any,
    ) -> dict[str, Any]:
        self.asked_pages += 1
        events = [_event(number, *event) for number, event in enumerate(self._scene.events, 1)]
        if reverseOrder:
            events.reverse()
        start = int(nextToken)
        answer: dict[str, Any] = {"events": events[start : start + self.page]}
        if start + self.page < len(events):
            answer["nextToken"] = str(start + self.page)
        return answer

    def list_map_runs(self, **_: Any) -> dict[str, Any]:
        return {"mapRuns": [{"mapRunArn": "arn:map"}] if self._scene.counts else []}

    def describe_map_run(self, **_: Any) -> dict[str, Any]:
        zero = dict.fromkeys(("total", "succeeded", "failed", "timedOut", "aborted", "running", "pending"), 0)
        return {"itemCounts": zero | (self._scene.counts or {})}


def _event(number: int, kind: str, name: str) -> dict[str, Any]:
    event: dict[str, Any] = {"id": number, "type": kind, "timestamp": BEGIN + timedelta(seconds=number)}
    if kind.endswith("StateEntered"):
        event["stateEnteredEventDetails"] = {"name": name}
    if kind.endswith("StateExited"):
        event["stateExitedEventDetails"] = {"name": name}
    if kind == "TaskSucceeded":
        event["taskSucceededEventDetails"] = {"output": name}
    return event
