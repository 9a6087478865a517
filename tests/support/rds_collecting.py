"""Discovery and collection in this process: the handlers against the local log API and an account of moto's.

Time is the world's. A worker can be killed after any of its effects, as the machine's Retry or another worker then goes
on; what is in the segments is compared with what the world says was written.
"""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from moto import mock_aws

from database_logs.adapters import fleet as fleets
from database_logs.adapters import tracking
from database_logs.adapters.apis import memory
from database_logs.adapters.budget import Budget
from database_logs.collection import collector
from database_logs.collection.ledger import Gap, account
from database_logs.collection.positions import Stored, generation_name
from database_logs.collection.restart import overlay
from database_logs.handlers import collect_file, discover_logs
from kernel import aws, observability
from kernel.settings import load
from local.endpoints import ACCOUNT, REGION
from local.rds.model.estates import resource_id
from local.rds.model.instances import Instance, Knobs
from local.rds.model.sources import MemorySource
from local.rds.model.world import World
from local.rds.server import RdsServer
from tests.support.context import Context
from tests.support.rds import START

if TYPE_CHECKING:
    from local.rds.model.generations import Generation

SEGMENTS, TRACKING, METADATA, JOBS, FLEET = "segments", "tracking", "instance-metadata", "jobs", "/fleet"
TABLES = {TRACKING: ("resource", "item"), METADATA: ("resource", "item"), JOBS: ("job_id",)}
EFFECTS = frozenset(
    {
        "BatchWriteItem",
        "DeleteItem",
        "PutItem",
        "PutObject",
        "SendMessage",
        "SendMessageBatch",
        "TransactWriteItems",
        "UpdateItem",
    }
)
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": ACCOUNT,
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": REGION,
    "POWERTOOLS_TRACE_DISABLED": "1",
    "POWERTOOLS_SERVICE_NAME": "database_logs",
    "POWERTOOLS_METRICS_NAMESPACE": "Gatehouse",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "FLEET_PARAMETER": FLEET,
    "TRACKING_TABLE": TRACKING,
    "METADATA_TABLE": METADATA,
    "VALKEY_URL": "",
    "JOBS_TABLE": JOBS,
    "SEGMENTS_BUCKET": SEGMENTS,
    "SEGMENT_BYTES": "65536",
    "LEASE_SECONDS": "900",
    "MARGIN_SECONDS": "60",
    "CONCURRENT_PORTIONS": "4",
}


class Killed(BaseException):
    """The worker is gone; nobody may catch this."""


@dataclass
class Reaper:
    """Counts a worker's effects, and kills it once enough of them are done."""

    effects: int = 0
    kill_after: int | None = None

    def arm(self, kill_after: int | None) -> None:
        """Count anew."""
        self.effects, self.kill_after = 0, kill_after

    def before(self, model: Any, **_: Any) -> None:
        """Let no effect through once the worker is dead."""
        if model.name in EFFECTS and self.kill_after is not None and self.effects >= self.kill_after:
            raise Killed

    def after(self, model: Any, **_: Any) -> None:
        """Kill between the effect and what its answer would have led to."""
        if model.name in EFFECTS:
            self.effects += 1
            if self.effects == self.kill_after:
                raise Killed


@dataclass
class Collecting:
    """A world and all that collects from it.

    Attributes:
        reaper: Kills workers.
        waiting: Messages whose tasks failed and come again.
    """

    world: World
    server: RdsServer
    queue: str
    parse_queue: str
    reaper: Reaper = field(default_factory=Reaper)
    waiting: list[dict[str, Any]] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        """Let time go by for a worker that waits."""
        self.world.advance(timedelta(seconds=seconds))

    def discover(self, kill_after: int | None = None, **event: Any) -> dict[str, Any]:
        """Call discover_logs; nothing is returned if it was killed."""
        self.reaper.arm(kill_after)
        try:
            result: dict[str, Any] = discover_logs.handler(event, Context())
        except Killed:
            return {}
        return result

    def set_fleet(self, **fleet: Any) -> None:
        """Put another fleet into the parameter; functions know it at once, not within a minute."""
        aws.ssm().put_parameter(Name=FLEET, Value=json.dumps(fleet), Type="String", Overwrite=True)
        fleets._value.cache_clear()

    def missed(self, resource: str) -> list[tuple[str, str, str]]:
        """Return hours that were never listed, each run as its first hour, the end of the last, and the reason."""
        return [
            (item["first_hour"]["S"], item["until_hour"]["S"], item["reason"]["S"])
            for item in tracking.query(aws.dynamodb(), TRACKING, resource, "gap#")
            if "first_hour" in item
        ]

    def messages(self) -> list[dict[str, Any]]:
        """Take all messages of the collection queue, as Lambda's poller hands them over."""
        taken = []
        while (
            received := aws.sqs()
            .receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"])
            .get("Messages")
        ):
            for message in received:
                aws.sqs().delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                taken.append(
                    {
                        "messageId": message["MessageId"],
                        "body": message["Body"],
                        "attributes": {"MessageGroupId": message["Attributes"]["MessageGroupId"]},
                        "eventSource": "aws:sqs",
                    }
                )
        return taken

    def collect(self, messages: list[dict[str, Any]], kill_after: int | None = None) -> list[dict[str, Any]]:
        """Call collect_file, and return the messages that come again."""
        self.reaper.arm(kill_after)
        try:
            answer = collect_file.handler({"Records": messages}, Context())
        except Killed:
            return messages
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        return [message for message in messages if message["messageId"] in failed]

    @contextmanager
    def watching(self, operation: str, act: Callable[..., None]) -> Iterator[None]:
        """Yield while something is done before each such request is sent."""
        events: Any = aws.dynamodb().meta.events
        events.register(f"before-call.dynamodb.{operation}", act)
        try:
            yield
        finally:
            events.unregister(f"before-call.dynamodb.{operation}", act)

    def drain(self, rounds: int = 4) -> None:
        """Collect until nothing fails any more, or nothing else can be expected."""
        self.waiting += self.messages()
        for _ in range(rounds):
            self.waiting = self.collect(self.waiting) if self.waiting else []

    def run(self, passes: int = 1, seconds: float = 300) -> None:
        """Discover and collect, then let time go by; so many times."""
        for _ in range(passes):
            self.discover()
            self.drain()
            self.world.advance(timedelta(seconds=seconds))

    def identities(self, resource: str) -> list[str]:
        """Return the generations that have a position."""
        items = tracking.query(aws.dynamodb(), TRACKING, resource, "position#")
        return [item["item"]["S"].removeprefix("position#") for item in items]

    def ledger(self, resource: str, identity: str) -> tuple[list[Stored], list[Gap], dict[str, Any]]:
        """Return ranges and gaps of a generation, and its position as it is in the table."""
        kept = tracking.Tracking(aws.dynamodb(), (TRACKING, JOBS))
        [item] = [
            item
            for item in tracking.query(aws.dynamodb(), TRACKING, resource, f"position#{identity}")
            if item["item"]["S"] == f"position#{identity}"
        ]
        return kept.ranges(resource, identity), kept.gaps(resource, identity), item

    def content(self, resource: str, identity: str) -> bytes:
        """Return the bytes that the ledger has of a generation, restarts applied; a hole in it fails the test."""
        ranges, gaps, item = self.ledger(resource, identity)
        offset = int(item["offset"]["N"]) if "offset" in item else 0
        assert account(ranges, gaps, offset).complete, (identity, account(ranges, gaps, offset))
        data = b""
        if "shrunk" in item:
            offset = min(offset, int(item["shrunk"]["N"]))
        for stored, start, end in overlay(ranges, offset):
            segment = self.segment(stored.key)
            assert len(segment) == stored.end - stored.start
            assert start == len(data)
            data += segment[start - stored.start : end - stored.start]
        return data

    def segment(self, key: str) -> bytes:
        """Return the bytes of a segment."""
        return gzip.decompress(aws.s3().get_object(Bucket=SEGMENTS, Key=key)["Body"].read())

    def announced(self) -> list[dict[str, Any]]:
        """Take what was sent to be parsed."""
        bodies = []
        while received := aws.sqs().receive_message(QueueUrl=self.parse_queue, MaxNumberOfMessages=10).get("Messages"):
            for message in received:
                bodies.append(json.loads(message["Body"]))
                aws.sqs().delete_message(QueueUrl=self.parse_queue, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def truth(self, instance: Instance) -> dict[int, bytes]:
        """Return the bytes of every generation that an instance has or had, but those that move on to another."""
        now = self.world.now()
        return {one.number: one.read(0, one.size(now), now) for one in self._generations(instance)}

    def replaced(self, instance: Instance) -> list[bytes]:
        """Return files as they were before a restart took their first lines, by which numbered ones are known.

        Several restarts may have taken one after the other what was read before the first of them.
        """
        found = []
        now = self.world.now()
        for generation in self._generations(instance):
            data = generation.read(0, generation.size(now), now)
            another = False
            for loss in reversed(generation.losses):
                data = data[: loss.offset] + b"".join(generation.source.read(*run) for run in loss.runs)
                another = another or loss.offset <= data.find(b"\n")
                if another:
                    found.append(data)
        return found

    def _generations(self, instance: Instance) -> list["Generation"]:
        found = {
            generation.number: generation
            for log in instance.logs
            for generation in (*(gone.generation for gone in log.purged), *log.files.values())
            if not generation.moves_on
        }
        return [found[number] for number in sorted(found)]

    def check(self, *instances: Instance) -> None:
        """Hold the lake against the world: each file's bytes, in order, but for what is declared lost."""
        announced = {body["key"] for body in self.announced()}
        for instance in instances:
            kept: list[tuple[bytes, bool]] = []
            for identity in self.identities(instance.resource_id):
                ranges, gaps, item = self.ledger(instance.resource_id, identity)
                kept.append((self.content(instance.resource_id, identity), bool(gaps)))
                assert {stored.key for stored in ranges} <= announced
                assert "unannounced" not in item
                for stored in ranges:
                    assert generation_name(identity, stored.incarnation) in stored.key.replace("%3A", ":")
            expected = [data for data in self.truth(instance).values() if data]
            for data in expected:
                match = next((one for one in kept if one[0] == data), None)
                if match is None:
                    match = next((one for one in kept if one[1] and data.startswith(one[0])), None)
                assert match is not None, _difference(data, [one[0] for one in kept])
                kept.remove(match)
            before = self.replaced(instance)
            others = [data for data, _ in kept if data and not any(one.startswith(data) for one in before)]
            assert not others, "the lake has a file that the world has not"


def _difference(data: bytes, kept: list[bytes]) -> str:
    near = max(kept, key=lambda one: _common(one, data), default=b"")
    at = _common(near, data)
    return f"lake and world differ at {at}: {near[at : at + 60]!r} ({len(near)}), {data[at : at + 60]!r} ({len(data)})"


def _common(one: bytes, other: bytes) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


@contextmanager
def collecting(**environment: str) -> Iterator[Collecting]:
    """Yield an empty world with everything that collects from it."""
    world = World(START)
    with RdsServer(world) as server, patch.dict("os.environ", ENVIRONMENT | environment), _account():
        _forget()
        with patch.dict("os.environ", {"AWS_ENDPOINT_URL_RDS": server.endpoint}):
            aws.s3().create_bucket(Bucket=SEGMENTS, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
            dynamodb: Any = aws.dynamodb()
            for name, keys in TABLES.items():
                dynamodb.create_table(
                    TableName=name,
                    BillingMode="PAY_PER_REQUEST",
                    AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                    KeySchema=[
                        {"AttributeName": key, "KeyType": kind}
                        for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                    ],
                )
            queue = aws.sqs().create_queue(QueueName="collect.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
            parse = aws.sqs().create_queue(QueueName="parse")["QueueUrl"]
            fleet = {"estates": [{"account": ACCOUNT, "region": REGION}], "rate": 1e6}
            aws.ssm().put_parameter(Name=FLEET, Value=json.dumps(fleet), Type="String")
            made = Collecting(world, server, queue, parse)
            for maker in (aws.s3, aws.dynamodb, aws.sqs):
                events: Any = maker().meta.events
                events.register("before-call", made.reaper.before)
                events.register("after-call", made.reaper.after)
            urls = {"COLLECT_QUEUE_URL": queue, "PARSE_QUEUE_URL": parse}
            with (
                patch.dict("os.environ", urls),
                patch.object(observability.metrics.provider, "namespace", "Gatehouse"),
                patch.object(discover_logs, "utc_now", world.now),
                patch.object(collect_file, "utc_now", world.now),
                # Waiting is time that goes by in the world.
                patch.object(collector.Collector.__init__, "__defaults__", (made.wait,)),
                patch.dict(Budget.__init__.__kwdefaults__ or {}, sleep=made.wait),
                patch("database_logs.adapters.budget.random.uniform", lambda *_: 0.0),
            ):
                yield made
    _forget()


def _account() -> Any:
    # The key is what the log API knows the account by.
    return mock_aws(config={"core": {"mock_credentials": False}})


def _forget() -> None:
    for maker in (aws.s3, aws.dynamodb, aws.sqs, aws.ssm, aws.session, aws.rds, load, memory):
        maker.cache_clear()


def database(
    run: Collecting, engine: str, *kinds: str, name: str = "orders-1", **knobs: Any
) -> tuple[Instance, dict[str, MemorySource]]:
    """Add an instance that writes these logs, and return it with what is written to, by kind."""
    sources = {kind: MemorySource() for kind in kinds}
    now = run.world.now()
    instance = Instance(name, resource_id("db", ACCOUNT, name, now.isoformat()), engine, "1", now, knobs=Knobs(**knobs))
    instance.attach(sources.get, now)
    return run.world.estate(ACCOUNT, REGION).add(instance), sources


def pg_line(number: int, text: str = "duration: 1 ms") -> bytes:
    """Return a line of PostgreSQL's stderr log."""
    second = number % 60
    return f"2026-11-21 06:30:{second:02d} UTC:10.0.0.1(4000):app@orders:[{number}]:LOG:  {number} {text}\n".encode()


def pg_lines(first: int, number: int, seed: int = 0) -> bytes:
    """Return lines of lengths that differ."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    return b"".join(pg_line(first + n, "x" * chance.randrange(300)) for n in range(number))


def slow_events(first: int, number: int, seed: int = 0) -> bytes:
    """Return events of MySQL's slow log, some of several lines."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    return b"".join(
        f"# Time: 2026-11-21T06:30:{n % 60:02d}.000000Z\n# User@Host: app[app] @  [10.0.0.1]  Id: {n}\n"
        f"# Query_time: 1.5  Lock_time: 0.0 Rows_sent: 1  Rows_examined: 10\nSET timestamp=1795240000;\n"
        f"SELECT {n},\n{'x' * chance.randrange(200)};\n".encode()
        for n in range(first, first + number)
    )


def audit_lines(first: int, number: int) -> bytes:
    """Return lines of the audit plugin."""
    return b"".join(
        f"20261121 06:30:{n % 60:02d},db,app,10.0.0.1,{n},{n},QUERY,orders,'SELECT {n}',0\n".encode()
        for n in range(first, first + number)
    )


def latin_audit_lines(first: int, number: int) -> bytes:
    """Return lines of the audit plugin that are no UTF-8."""
    return audit_lines(first, number).replace(b"SELECT", "SELECT 'Müller',".encode("latin-1"))


def sqlserver_lines(first: int, number: int) -> bytes:
    """Return lines of SQL Server's log, as Windows ends them."""
    return b"".join(
        f"2026-11-21 06:30:{n % 60:02d}.00 spid{n}     Starting up database '{n}'.\r\n".encode()
        for n in range(first, first + number)
    )


def alert_entries(first: int, number: int) -> bytes:
    """Return entries of Oracle's alert log."""
    return b"".join(
        f"2026-11-21T06:30:{n % 60:02d}.{n:06d}+00:00\nThread 1 advanced to log sequence {n} (LGWR switch)\n".encode()
        for n in range(first, first + number)
    )
