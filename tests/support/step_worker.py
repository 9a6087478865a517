"""Runs handlers in a process of its own that can be killed after any effect on AWS, and whose AWS can fail.

polars and pyarrow may not share a process, so a pipeline is driven through two of these. One JSON document a line:
in `{"environment"}`, which has no answer, or `{"handler", "event", "kill_after", "fault_rate"}`, out `{"result" |
"error", "message", "effects", "faults", "requests"}`. The handler `task` is a task on Fargate, its event what a machine
tells it by environment.

With each environment the worker begins anew: settings, clients, clocks, limits and chance are those of a new process,
which takes longer to start than most of what is asked of it. `CLOCK_OFFSET_SECONDS` and
`S3_OFFSET_SECONDS` put its own clock and the one that stamps S3's objects off the true time.
"""

import importlib
import json
import os
import random
import sys
from datetime import timedelta
from typing import Any

import boto3
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
from tests.support import botocore_models
from tests.support.context import Context

_CLIENTS: Any = (aws.s3, aws.dynamodb, aws.events, aws.ssm, aws.states)
# What they are made of; as they are costly, they are made again only for another account or cloud.
_OF_CLIENTS = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID")

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
        self.begin()

    def begin(self) -> None:
        """Let nothing fail, and what is to fail from now on be the same each time."""
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


class Clocks:
    """What this process and S3 take for the time; made before a handler is imported, which takes the clock along."""

    def __init__(self) -> None:
        self._own = self._of_s3 = timedelta()
        true = clock.utc_now
        clock.utc_now = lambda: true() + self._own

    def put_off(self) -> None:
        """Go by the environment."""
        self._own = timedelta(seconds=float(os.environ.get("CLOCK_OFFSET_SECONDS", "0")))
        self._of_s3 = timedelta(seconds=float(os.environ.get("S3_OFFSET_SECONDS", "0")))

    def stamp(self, parsed: dict[str, Any], **_: Any) -> None:
        """Let S3 tell its own time."""
        for stamped in (parsed, *parsed.get("Versions", ()), *parsed.get("Contents", ())):
            if "LastModified" in stamped:
                stamped["LastModified"] += self._of_s3


class Limits:
    """How much the code takes at once, of which the environment may make less."""

    def __init__(self) -> None:
        self._shipped = {
            "SLICE_ROWS": planning.SLICE_ROWS,
            "CUT_ROWS": cutting.MOST.rows,
            "BACKFILL_WAVE_OBJECTS": backfill_planner.WAVE_OBJECTS,
            "BACKFILL__CHUNK": backfill_planner._CHUNK,
            "BACKFILL_MOST_DECISIONS": backfill_conductor.MOST_DECISIONS,
        }

    def set(self) -> None:
        """Go by the environment."""
        limits = {name: int(os.environ.get(name, shipped)) for name, shipped in self._shipped.items()}
        planning.SLICE_ROWS = limits["SLICE_ROWS"]  # type: ignore[misc]
        cutting.MOST = cutting.Weight(limits["CUT_ROWS"], cutting.MOST.bytes)  # type: ignore[misc]
        backfill_planner.WAVE_OBJECTS = limits["BACKFILL_WAVE_OBJECTS"]  # type: ignore[misc]
        backfill_planner._CHUNK = limits["BACKFILL__CHUNK"]  # type: ignore[misc]
        backfill_conductor.MOST_DECISIONS = limits["BACKFILL_MOST_DECISIONS"]  # type: ignore[misc]


class Worker:
    """The functions of an environment, one call after the other."""

    def __init__(self) -> None:
        self._reaper, self._weather, self._clocks, self._limits = Reaper(), Weather(), Clocks(), Limits()

    def begin(self, environment: dict[str, str]) -> None:
        """Be a new process."""
        elsewhere = any(environment.get(name) != os.environ.get(name) for name in _OF_CLIENTS)
        os.environ.clear()
        os.environ.update(environment)
        self._weather.begin()
        self._clocks.put_off()
        self._limits.set()
        load.cache_clear()
        if elsewhere:
            self._make_clients()

    def _make_clients(self) -> None:
        boto3.DEFAULT_SESSION = None  # it keeps credentials
        for maker in _CLIENTS:
            maker.cache_clear()
            events: Any = maker().meta.events
            events.register("before-call", self._reaper.before)
            events.register("after-call", self._reaper.after)
            events.register("before-send", self._weather.answer)
        events_of_s3: Any = aws.s3().meta.events
        events_of_s3.register("after-call", self._clocks.stamp)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Call a handler, and say how that went."""
        self._weather.set(request["fault_rate"])
        return {**_answer(request, self._reaper), "faults": self._weather.faults}


def main() -> None:
    """Serve until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what handlers print is not an answer
    botocore_models.parse_once()
    worker = Worker()
    for line in sys.stdin:
        request = json.loads(line)
        if "environment" in request:
            worker.begin(request["environment"])
            continue
        answers.write(json.dumps(worker.answer(request)) + "\n")
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
