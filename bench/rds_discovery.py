"""What discovery asks of RDS for 316 instances, against polling each of them every minute, and how late it is by that.

The discovery is the deployed one, with the adapters for RDS and the budget; RDS is the local log API, which counts the
calls and throttles as observed; what discovery remembers, and the answers that it keeps, are in tables in memory. Time
is the world's: each answer takes some of it, and so does waiting for the budget. Nothing is collected: each task counts
as done once its pass is over, but for files that were written to in the last half minute, whose last record is held
back. The last line on stdout is one JSON object.
"""

import argparse
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast
from unittest.mock import patch

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "functions")]

import boto3  # noqa: E402 - the path is set just above

from bench.tables import Tables  # noqa: E402
from database_logs.adapters.budget import Budget  # noqa: E402
from database_logs.adapters.instance_facts import InstanceFacts  # noqa: E402
from database_logs.adapters.rds import FleetApi  # noqa: E402
from database_logs.adapters.response_cache import DynamoDbCache  # noqa: E402
from database_logs.adapters.tasks import CollectQueue  # noqa: E402
from database_logs.adapters.turns import Turns  # noqa: E402
from database_logs.collection.ranges import IDLE  # noqa: E402
from database_logs.contracts import CollectTask  # noqa: E402
from database_logs.discovery.discoverer import Discoverer  # noqa: E402
from database_logs.discovery.files import Known  # noqa: E402
from database_logs.discovery.fleet import Estate, Fleet  # noqa: E402
from database_logs.discovery.responses import MemoryCache, Responses  # noqa: E402
from kernel import aws  # noqa: E402
from local.endpoints import credentials  # noqa: E402
from local.rds.fleet import PLACES, populate  # noqa: E402
from local.rds.model.throttle import RateLimit  # noqa: E402
from local.rds.model.world import World  # noqa: E402
from local.rds.server import RdsServer  # noqa: E402

RESULT: Final = Path(__file__).parent / "results" / "rds_discovery.json"
START: Final = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
INSTANCES: Final = 316
# The naive poller asks for instance, cluster and files of each, every minute.
NAIVE_CALLS: Final = 3
NAIVE_SECONDS: Final = 60.0
# ASSUMED: how long an answer takes.
_RDS_SECONDS: Final = 0.08
_DYNAMODB_SECONDS: Final = 0.005
# Timeout of DiscoverLogs, less its margin.
_PASS_SECONDS: Final = 240 - 90
# How finely it is known when bytes were written.
_STEP_SECONDS: Final = 15
_TRACKING, _METADATA = "tracking", "instance-metadata"


@dataclass
class Log:
    """What is known of one file while it is written.

    Attributes:
        written: When it had how many bytes, each time that it had more.
        seen: Up to which byte tasks have asked for it.
    """

    written: list[tuple[float, int]] = field(default_factory=list)
    seen: int = 0

    def queued(self, size: int, at: float) -> Iterator[float]:
        """Yield how long each growth has waited that a task of this size asks for first."""
        yield from (at - when for when, grown in self.written if self.seen < grown <= size)
        self.seen = max(self.seen, size)


def added(lag: float, written_at: float) -> float:
    """Return by how much the poller that asks at each full minute would have been faster."""
    return lag - (math.floor(written_at / NAIVE_SECONDS) * NAIVE_SECONDS + NAIVE_SECONDS - written_at)


def percentile(values: Sequence[float], part: float) -> float:
    """Return the smallest value that at least such a part of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


class Watch:
    """Looks at the world beside the API: when which file grew."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._logs: dict[int, Log] = {}
        self.added: list[float] = []

    def look(self) -> None:
        """Note what has grown."""
        now = self._world.now()
        for estate in self._world.estates.values():
            for instance in estate.instances.values():
                for log in instance.logs:
                    generation = log.files[log.name]
                    size, known = generation.size(now), self._logs.setdefault(id(generation), Log())
                    if size > (known.written[-1][1] if known.written else 0):
                        known.written.append((now.timestamp(), size))

    def queued(self, tasks: Iterable[CollectTask]) -> None:
        """Note what tasks ask for, and since when it had been there."""
        now = self._world.now().timestamp()
        for task in tasks:
            estate = self._world.estate(task.file.account, task.file.region)
            generation = estate.instance(task.file.instance_id).log_of(task.file.file).files[task.file.file]
            waited = self._logs.setdefault(id(generation), Log()).queued(task.size, now)
            self.added.extend(added(lag, now - lag) for lag in waited)


class MemoryQueue(CollectQueue):
    """The queue of tasks, kept here."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.sent: list[CollectTask] = []

    def send(self, tasks: Sequence[tuple[CollectTask, str, str]]) -> None:
        """Queue tasks."""
        self._watch.queued(task for task, _, _ in tasks)
        self.sent.extend(task for task, _, _ in tasks)


class Bench:
    """The fleet and its discovery."""

    def __init__(self, world: World, fleet: Fleet) -> None:
        self._world, self._fleet = world, fleet
        self.watch = Watch(world)
        self._apis: dict[str, FleetApi] = {}
        self._settled = 0
        self._looked = self._until = world.now()
        self._passing, self._shards = False, 1
        self.passes: list[float] = []
        self.cut = 0
        self.requests: Counter[str] = Counter()
        self._tables = Tables(lambda: self._take(_DYNAMODB_SECONDS))
        self._dynamodb = cast("Any", self._tables)
        self._turns = Turns(self._dynamodb, _TRACKING)
        self.queue = MemoryQueue(self.watch)
        facts = InstanceFacts(self._dynamodb, _METADATA, world.now)
        self._discoverer = Discoverer(
            fleet, self._api, self._turns, facts, self.queue, world.now, remaining=lambda: self._left
        )

    def run(self, hours: float, shards: int) -> None:
        """Let hours go by, with a pass over each shard every interval, and end with one.

        Shards are side by side where they are deployed, and one after the other here: each has its part of the time.
        """
        self._shards = shards
        end = self._world.now() + timedelta(hours=hours)
        due = self._world.now()
        while due <= end:
            self._sleep(max(0.0, (due - self._world.now()).total_seconds()))
            for shard in range(shards):
                self._pass(shard)
            self._settle()
            due += timedelta(seconds=self._fleet.interval_seconds)

    def _pass(self, shard: int) -> None:
        began, before = self._world.now(), self._tables.requests.copy()
        self._until = began + timedelta(seconds=_PASS_SECONDS / self._shards)
        self._passing = True
        done = self._discoverer.discover(shard, self._shards)
        self._passing = False
        self.requests += self._tables.requests - before
        self.passes.append((self._world.now() - began).total_seconds() * self._shards)
        self.cut += self._left <= 0
        _say(
            f"{began:%H:%M:%S}  {self.passes[-1]:>5.0f} s  {done.looked_at:>5,} of {done.instances:,} looked at  "
            f"{done.queued:>6,} tasks  {sum(self.calls.values()):>8,} calls"
        )

    @property
    def _left(self) -> float:
        return (self._until - self._world.now()).total_seconds()

    @property
    def calls(self) -> dict[str, int]:
        """Calls that came in, by action."""
        found: dict[str, int] = {}
        for estate in self._world.estates.values():
            for action, number in estate.calls.items():
                found[action] = found.get(action, 0) + number
        return found

    @property
    def throttled(self) -> int:
        """Calls that were refused."""
        return sum(estate.throttled for estate in self._world.estates.values())

    def _api(self, estate: Estate) -> FleetApi:
        if estate.place not in self._apis:
            rds = aws.rds(boto3.Session(estate.account, "local", region_name=estate.region), estate.region)
            budget = Budget(
                self._dynamodb,
                _TRACKING,
                estate.place,
                ceiling=self._fleet.rate,
                lease=10,
                now=self._world.now,
                sleep=self._sleep,
            )
            rds.meta.events.register("after-call", lambda **_: self._take(_RDS_SECONDS))
            owner = (estate.account, estate.region, "")
            shared = DynamoDbCache(self._dynamodb, _METADATA, self._world.now)
            responses = Responses(MemoryCache(), shared, owner, self._world.now)
            self._apis[estate.place] = FleetApi(rds, budget, responses)
        return self._apis[estate.place]

    def _sleep(self, seconds: float) -> None:
        end = self._world.now() + timedelta(seconds=seconds)
        while (left := (end - self._world.now()).total_seconds()) > 0:
            self._advance(min(left, _STEP_SECONDS))

    def _take(self, seconds: float) -> None:
        """Let time go by for an answer of a pass; what collectors ask for takes none."""
        if self._passing:
            self._advance(seconds / self._shards)

    def _advance(self, seconds: float) -> None:
        now = self._world.advance(timedelta(seconds=seconds))
        if (now - self._looked).total_seconds() >= _STEP_SECONDS:
            self.watch.look()
            self._looked = now

    def _settle(self) -> None:
        """Do what a collector that keeps up does to what discovery remembers."""
        now = self._world.now()
        sent: dict[str, list[CollectTask]] = {}
        for task in self.queue.sent[self._settled :]:
            if task.closed or now - task.last_written >= IDLE:
                sent.setdefault(task.file.dbi_resource_id, []).append(task)
        for resource, tasks in sent.items():
            known = self._turns.remembered(resource).files
            dealt_with = {
                task.file.file: Known(
                    task.file.file,
                    task.size,
                    task.last_written,
                    known[task.file.file].identity if task.file.file in known else task.generation,
                    settled=True,
                    final=task.closed,
                )
                for task in tasks
            }
            self._turns.note(resource, dealt_with.values())
        self._settled = len(self.queue.sent)


def main() -> None:
    """Run, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=4, help="virtual hours (default: 4)")
    parser.add_argument("--longest", type=int, default=None, help="seconds between looks at an idle instance, at most")
    parser.add_argument("--times", type=int, default=1, help="fleets of 316 instances (default: 1)")
    parser.add_argument("--shards", type=int, default=1, help="parts that are looked at side by side (default: 1)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.perf_counter()
    with _world(given.seed, given.times) as world:
        fleet = Fleet(estates=[Estate(account=account, region=region) for account, region in PLACES])
        if given.longest is not None:
            fleet = fleet.model_copy(update={"longest_interval_seconds": given.longest})
        bench = Bench(world, fleet)
        bench.run(given.hours, given.shards)
        result = _result(bench, INSTANCES * given.times, given.hours, fleet) | {
            "seconds": round(time.perf_counter() - began, 1)
        }
    if given == parser.parse_args([]):
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result))


def _result(bench: Bench, instances: int, hours: float, fleet: Fleet) -> dict[str, Any]:
    per_minute = sum(bench.calls.values()) / (hours * 60)
    return {
        "instances": instances,
        "hours": hours,
        "calls_per_minute": round(per_minute, 2),
        "naive_calls_per_minute": NAIVE_CALLS * instances,
        "share": round(per_minute / (NAIVE_CALLS * instances), 4),
        "calls": bench.calls,
        "tasks": len(bench.queue.sent),
        "requests_a_pass": {
            name: round(number / len(bench.passes), 1) for name, number in sorted(bench.requests.items())
        },
        "added_lag_seconds_p95": round(percentile(bench.watch.added, 0.95), 1),
        "added_lag_seconds_max": round(max(bench.watch.added), 1),
        "pass_seconds_p95": round(percentile(bench.passes, 0.95), 1),
        "passes_out_of_time": bench.cut,
        "interval_seconds": fleet.interval_seconds,
        "longest_interval_seconds": fleet.longest_interval_seconds,
        "throttled": bench.throttled,
    }


@contextmanager
def _world(seed: int, times: int) -> Iterator[World]:
    world = World(START)
    populate(world, seed, times=times)
    for account, region in PLACES:
        world.estate(account, region).limit = RateLimit(real_time=False)
    with RdsServer(world) as server:
        endpoint = {"AWS_ENDPOINT_URL_RDS": server.endpoint}
        with patch.dict("os.environ", credentials() | endpoint):
            yield world


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
