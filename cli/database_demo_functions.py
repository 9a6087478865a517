"""The functions of database_logs in worker processes, on the clock of the emulated fleet.

While they work the fleet stands still and their own time goes thirty times as fast as this machine's: the budget of
calls fills, and waits are short.

What stands for AWS beside them is an embedded cloud: buckets, tables, queues, the fleet's parameter. Event sources are
played here: messages are handed to the handlers by tens, and those that a handler reports come again.
"""

import io
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from local.endpoints import ACCOUNT, REGION, credentials
from local.rds.fleet import PLACES

if TYPE_CHECKING:
    from local.rds.process import RdsProcess
    from local.supervisor import EmbeddedCloud

SEGMENTS, LAKE, TRACKING, JOBS, FLEET = "demo-segments", "demo-lake", "demo-tracking", "demo-jobs", "/demo/fleet"
_TABLES: Final = {TRACKING: ("resource", "item"), JOBS: ("job_id",)}
_BATCH: Final = 10
_AGAIN_SECONDS: Final = 2
# How much faster the functions' time goes.
SPEED: Final = 30
# Batches under way: enough that no worker waits.
_AHEAD: Final = 2
_ENVIRONMENT: Final = {
    "POWERTOOLS_TRACE_DISABLED": "1",
    "POWERTOOLS_SERVICE_NAME": "database_logs",
    "POWERTOOLS_METRICS_NAMESPACE": "Gatehouse",
    "POWERTOOLS_LOG_LEVEL": "WARNING",
    "FLEET_PARAMETER": FLEET,
    "TRACKING_TABLE": TRACKING,
    "JOBS_TABLE": JOBS,
    "SEGMENTS_BUCKET": SEGMENTS,
    "LAKE_BUCKET": LAKE,
    "SEARCH_QUEUE_URL": "",
    "SEGMENT_BYTES": str(32 << 20),
    "LEASE_SECONDS": "360",
    "MARGIN_SECONDS": "60",
}


@dataclass(frozen=True)
class Done:
    """What a call of a handler came to.

    Attributes:
        result: As it returned it.
        metrics: Sums of what it measured.
        warnings: That it logged, with why messages come again.
    """

    result: dict[str, Any]
    metrics: dict[str, float]
    warnings: list[str]


@dataclass
class Functions:
    """All functions, and what they share.

    Attributes:
        metrics: Sums of all that was measured.
        warnings: The latest reasons why messages came again.
    """

    cloud: "EmbeddedCloud"
    rds: "RdsProcess"
    workers: int
    metrics: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    ahead: timedelta = timedelta(0)
    _urls: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Make what the functions expect, and start their processes."""
        s3, dynamodb, sqs = (self.cloud.client(name) for name in ("s3", "dynamodb", "sqs"))
        for bucket in (SEGMENTS, LAKE):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        for table, keys in _TABLES.items():
            dynamodb.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
            )
        again = {"VisibilityTimeout": "60"}
        fifo = {**again, "FifoQueue": "true"}
        self._urls = {
            "COLLECT_QUEUE_URL": sqs.create_queue(QueueName="demo-collect.fifo", Attributes=fifo)["QueueUrl"],
            "PARSE_QUEUE_URL": sqs.create_queue(QueueName="demo-parse", Attributes=again)["QueueUrl"],
        }
        self.cloud.client("ssm").put_parameter(Name=FLEET, Value=json.dumps(_fleet()), Type="String")
        self.rds.command("cloud", endpoint=self.cloud.endpoint)
        self._sqs = sqs
        environment = {
            **_ENVIRONMENT,
            **self._urls,
            **credentials(),
            "AWS_ENDPOINT_URL": self.cloud.endpoint,
            "AWS_ENDPOINT_URL_RDS": self.rds.endpoint,
        }
        self._pool = ProcessPoolExecutor(
            self.workers, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(environment,)
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes."""
        self._pool.shutdown(cancel_futures=True)

    def discover(self) -> dict[str, Any]:
        """Let discover_logs look at the fleet, in as many shards as there are processes."""
        fleet = datetime.fromisoformat(self.rds.command("now")) + self.ahead
        self._began = (fleet, time.monotonic())
        shards = [
            self._pool.submit(_call, "discover_logs", {"shard": shard, "shards": self.workers}, fleet)
            for shard in range(self.workers)
        ]
        total: Counter[str] = Counter()
        for shard in shards:
            total.update(self._taken(shard).result)
        return dict(total)

    def digest(self) -> None:
        """Let digest_queries make the digest of the day that it is."""
        at = datetime.fromisoformat(self.rds.command("now")) + timedelta(days=1)
        self._taken(self._pool.submit(_call, "digest_queries", {"time": at.isoformat()}, at))

    def work(self, tell: Callable[[int, int], None]) -> None:
        """Collect and parse until both queues are empty.

        Args:
            tell: Of files collected and segments parsed.
        """
        sources = {"collect_file": self._urls["COLLECT_QUEUE_URL"], "parse_segment": self._urls["PARSE_QUEUE_URL"]}
        running: dict[Future[Done], tuple[str, list[dict[str, Any]]]] = {}
        finished: Counter[str] = Counter()
        while True:
            for handler, url in sources.items():
                while len(running) < self.workers * _AHEAD and (batch := self._receive(url)):
                    event = {"Records": [_record(message) for message in batch]}
                    running[self._pool.submit(_call, handler, event, self._now())] = (handler, batch)
            if not running:
                if self._is_empty(sources.values()):
                    return
                continue
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                handler, batch = running.pop(future)
                failed = {each["itemIdentifier"] for each in self._taken(future).result["batchItemFailures"]}
                finished[handler] += len(batch) - len(failed)
                self._settle(sources[handler], batch, failed)
            tell(finished["collect_file"], finished["parse_segment"])

    def _now(self) -> datetime:
        return self._began[0] + SPEED * timedelta(seconds=time.monotonic() - self._began[1])

    def _taken(self, future: Future[Done]) -> Done:
        done = future.result()
        self.metrics.update(done.metrics)
        self.warnings = [*self.warnings, *done.warnings][-20:]
        return done

    def _receive(self, url: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=_BATCH, AttributeNames=["All"]
        ).get("Messages", [])
        return found

    def _settle(self, url: str, batch: list[dict[str, Any]], failed: set[str]) -> None:
        for message in batch:
            handle = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
            if message["MessageId"] in failed:
                self._sqs.change_message_visibility(**handle, VisibilityTimeout=_AGAIN_SECONDS)
            else:
                self._sqs.delete_message(**handle)

    def _is_empty(self, urls: Any) -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return not any(
            int(number)
            for url in urls
            for number in self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()
        )


def _fleet() -> dict[str, Any]:
    """Return the fleet: the functions' own account, and another by its role. All instances are looked at each time."""
    own, other = PLACES
    return {
        "estates": [
            {"account": own[0], "region": own[1]},
            {
                "account": other[0],
                "region": other[1],
                "role_arn": f"arn:aws:iam::{other[0]}:role/gatehouse-database-logs",
                "external_id": "gatehouse",
            },
        ],
        "interval_seconds": 60,
        "longest_interval_seconds": 60,
    }


def _record(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "eventSource": "aws:sqs",
    }


# ---------------------------------------------------------------- in a worker

_clock: tuple[datetime, float]
_written: io.StringIO


@dataclass(frozen=True)
class _Context:
    function_name: str = "gatehouse-demo"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:gatehouse-demo"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


def _begin(environment: dict[str, str]) -> None:
    global _written  # noqa: PLW0603 - a process is one worker
    os.environ.update(environment)
    sys.path.insert(0, "functions")
    # Before any handler is imported: metrics and logs are read, not shown, and the time is the fleet's.
    _written = sys.stdout = io.StringIO()
    from kernel import clock  # noqa: PLC0415

    def now() -> datetime:
        began, at = _clock
        return began + SPEED * timedelta(seconds=time.monotonic() - at)

    clock.utc_now = now
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(float(seconds) / SPEED)


def _call(handler: str, event: dict[str, Any], now: datetime) -> Done:
    global _clock  # noqa: PLW0603
    _clock = (now, time.monotonic())
    module = __import__(f"database_logs.handlers.{handler}", fromlist=["handler"])
    _written.seek(0)
    _written.truncate()
    result: dict[str, Any] = module.handler(event, _Context())
    metrics: Counter[str] = Counter()
    warnings = []
    for line in _written.getvalue().splitlines():
        written = json.loads(line)
        if "_aws" not in written:
            warnings.append(f"{written.get('error')}: {written.get('reason', written.get('message'))}")
            continue
        for described in written["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
            value = written[described["Name"]]
            metrics[described["Name"]] += sum(value) if isinstance(value, list) else value
    return Done(result, dict(metrics), warnings)
