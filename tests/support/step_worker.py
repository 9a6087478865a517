"""Runs handlers in a process of its own that can be killed after any effect on AWS, and whose AWS can fail.

polars and pyarrow may not share a process, so a pipeline is driven through two of these. One JSON document a line:
in `{"handler", "event", "kill_after", "fault_rate"}`, out `{"result" | "error", "message", "effects", "faults",
"requests"}`. The handler `task` is a task on Fargate, its event what a machine tells it by environment.

`CLOCK_OFFSET_SECONDS` and `S3_OFFSET_SECONDS` put its own clock and the one that stamps S3's objects off the true time.
"""

import importlib
import json
import os
import random
import sys
from datetime import timedelta
from typing import Any

from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders

from firewall_logs import planning
from firewall_logs.backfills import conductor as backfill_conductor
from firewall_logs.backfills import planner as backfill_planner
from firewall_logs.days import cutting
from firewall_logs.settings import BatchSettings
from kernel import aws, clock
from kernel.metering import Meter
from kernel.settings import load
from tests.support.context import Context

# Everything that changes what others can see.
EFFECTS = frozenset({"PutObject", "DeleteObjects", "PutItem", "UpdateItem", "PutEvents", "StartExecution"})


class Killed(BaseException):
    """The worker is gone; nobody may catch this."""


class Reaper:
    """Counts effects, and kills the worker once enough of them are done."""

    def __init__(self) -> None:
        self.effects = 0
        self._kill_after: int | None = None

    def arm(self, kill_after: int | None) -> None:
        """Start to count anew."""
        self.effects = 0
        self._kill_after = kill_after

    def before(self, model: Any, **_: Any) -> None:
        """Let no effect through once the worker is dead, whichever thread asks."""
        if model.name in EFFECTS and self._kill_after is not None and self.effects >= self._kill_after:
            raise Killed

    def after(self, model: Any, **_: Any) -> None:
        """Kill between the effect and whatever its answer would have led to."""
        if model.name in EFFECTS:
            self.effects += 1
            if self.effects == self._kill_after:
                raise Killed


class Weather:
    """Makes a share of all requests fail the way AWS does under load, before they are sent."""

    def __init__(self) -> None:
        self.faults = 0
        self._rate = 0.0
        self._chance = random.Random(47)  # noqa: S311 - repeatable on purpose

    def set(self, rate: float) -> None:
        """Let this share of the requests fail from now on."""
        self.faults = 0
        self._rate = rate

    def answer(self, request: AWSRequest, **_: Any) -> AWSResponse | None:
        """Answer in AWS's place, or let the request through."""
        if self._chance.random() >= self._rate:
            return None
        self.faults += 1
        if "X-Amz-Target" in request.headers:
            name = self._chance.choice(["ProvisionedThroughputExceededException", "InternalServerError"])
            status, body = 400 if name.startswith("P") else 500, json.dumps({"__type": name, "message": "weather"})
        else:
            name = self._chance.choice(["SlowDown", "InternalError"])
            status = 503 if name == "SlowDown" else 500
            body = f"<Error><Code>{name}</Code><Message>weather</Message></Error>"
        return AWSResponse(str(request.url), status, HTTPHeaders(), _Body(body.encode()))


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Any:
        yield self._content


def put_clocks_off() -> None:
    """Let this process and S3 tell other times; before a handler is imported, which takes the clock along."""
    true = clock.utc_now
    own = timedelta(seconds=float(os.environ.get("CLOCK_OFFSET_SECONDS", "0")))
    of_s3 = timedelta(seconds=float(os.environ.get("S3_OFFSET_SECONDS", "0")))
    clock.utc_now = lambda: true() + own

    def stamp(parsed: dict[str, Any], **_: Any) -> None:
        for stamped in (parsed, *parsed.get("Versions", ()), *parsed.get("Contents", ())):
            if "LastModified" in stamped:
                stamped["LastModified"] += of_s3

    events: Any = aws.s3().meta.events
    events.register("after-call", stamp)


def main() -> None:
    """Serve until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what handlers print is not an answer
    planning.SLICE_ROWS = int(os.environ.get("SLICE_ROWS", planning.SLICE_ROWS))  # type: ignore[misc]
    cutting.MOST = cutting.Weight(int(os.environ.get("CUT_ROWS", cutting.MOST.rows)), cutting.MOST.bytes)  # type: ignore[misc]
    for name in ("WAVE_OBJECTS", "_CHUNK"):
        setattr(backfill_planner, name, int(os.environ.get(f"BACKFILL_{name}", getattr(backfill_planner, name))))
    decisions = int(os.environ.get("BACKFILL_MOST_DECISIONS", backfill_conductor.MOST_DECISIONS))
    backfill_conductor.MOST_DECISIONS = decisions  # type: ignore[misc]
    put_clocks_off()
    reaper, weather = Reaper(), Weather()
    for maker in (aws.s3, aws.dynamodb, aws.events, aws.ssm, aws.states):
        events: Any = maker().meta.events
        events.register("before-call", reaper.before)
        events.register("after-call", reaper.after)
        events.register("before-send", weather.answer)
    for line in sys.stdin:
        request = json.loads(line)
        weather.set(request["fault_rate"])
        answer = {**_answer(request, reaper), "faults": weather.faults}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _answer(request: dict[str, Any], reaper: Reaper) -> dict[str, Any]:
    reaper.arm(request["kill_after"])
    meter = Meter(memory_mb=0)
    try:
        answer = {"result": _call(request["handler"], request["event"])}
    except Killed:
        answer = {"error": "Killed", "message": ""}
    except Exception as error:  # noqa: BLE001 - the class name is the answer, as in Lambda
        answer = {"error": type(error).__name__, "message": str(error)}
    return {**answer, "effects": reaper.effects, "requests": meter.read().requests}


def _call(handler: str, event: dict[str, Any]) -> Any:
    if handler != "task":
        return importlib.import_module(f"firewall_logs.handlers.{handler}").handler(event, Context())
    # The other worker may not import it: it needs polars.
    works = importlib.import_module("batch.main").WORKS
    os.environ.update(event)
    load.cache_clear()
    return works[event["WORK_KIND"]](load(BatchSettings), _NeverStopped())


class _NeverStopped:
    def check(self) -> None:
        pass


if __name__ == "__main__":
    main()
