"""database_logs as it is deployed into the embedded cloud, on the clock of the emulated fleet."""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from local.rds.fleet import PLACES

if TYPE_CHECKING:
    from local.supervisor import EmbeddedCloud

_ROLE: Final = f"arn:aws:iam::{PLACES[1][0]}:role/gatehouse-database-logs"
_PREFIX: Final = "gatehouse-local-database-logs"
_FLEET: Final = "/gatehouse/local/database_logs/fleet"
_FUNCTIONS: Final = ("discover-logs", "collect-file", "parse-segment")
_QUEUES: Final = ("DatabaseCollectQueueUrl", "DatabaseParseQueueUrl")
_DEAD: Final = ("DatabaseCollectDeadLetterQueueUrl", "DatabaseParseDeadLetterQueueUrl")
_LOOK_SECONDS: Final = 0.5
_STUCK_SECONDS: Final = 240.0
# What failed comes again on AWS after six times as long as the function may run; nobody wants to watch that.
_AGAIN_SECONDS: Final = 90
# AWS publishes no figure for the calls that an account answers in a second. Hours go by in seconds here.
_RATE: Final = 500.0
_REASONS: Final = 3


class NothingMoves(RuntimeError):
    """Work is left, and nothing has become of it for a long time."""


class ExecutionFailed(RuntimeError):
    """An execution of a state machine did not succeed."""


def parameters() -> dict[str, str]:
    """Return the template's parameters for the demo."""
    return {
        "FirewallLogs": "disabled",
        "FirewallLogsBatch": "disabled",
        "DatabaseLogs": "enabled",
        # More at once than there are processors would only wait for each other; event sources take no less than two.
        "DatabaseLogsMaxConcurrency": str(max(2, os.cpu_count() or 1)),
        "DatabaseLogsRoleArns": _ROLE,
    }


class FunctionClock:
    """The clock of the functions: a file that they read, `EmbeddedCloud.start(clock=...)`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.set(datetime.now(UTC))

    def set(self, now: datetime) -> None:
        """Let it go on from a time."""
        unfinished = self.path.with_suffix(".unfinished")
        unfinished.write_text(str((now - datetime.now(UTC)).total_seconds()), "ascii")
        unfinished.replace(self.path)


@dataclass(frozen=True)
class Progress:
    """How far a pass over the fleet is.

    Attributes:
        queued: Files that had something new; None while discovery goes on.
        tasks, segments: Messages to collect and to parse, those in hand too.
    """

    queued: int | None
    tasks: int
    segments: int

    @property
    def done(self) -> bool:
        """Whether nothing is left; what collects tells of its segments before its task is done."""
        return self.queued is not None and not self.tasks and not self.segments

    @property
    def percent_collected(self) -> int:
        """How many of the files are; none while nobody knows how many there will be."""
        return round(100 * max(0, self.queued - self.tasks) / self.queued) if self.queued else 0


@dataclass
class Application:
    """The deployed domain, whose machines are started by hand.

    Attributes:
        outputs: Of the root stack.
        executions: ARNs of all that were started.
    """

    cloud: "EmbeddedCloud"
    outputs: Mapping[str, str]
    executions: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """Name the fleet, and let failed messages come again soon."""
        self.cloud.client("ssm").put_parameter(Name=_FLEET, Value=json.dumps(_fleet()), Type="String", Overwrite=True)
        for queue in _QUEUES:
            self.cloud.client("sqs").set_queue_attributes(
                QueueUrl=self.outputs[queue], Attributes={"VisibilityTimeout": str(_AGAIN_SECONDS)}
            )

    def collect(self) -> Iterator[Progress]:
        """Let discover_logs look at the fleet, and yield again and again how far all that follows is, up to its end.

        Raises:
            ExecutionFailed: Discovery did not succeed.
            NothingMoves: Messages are left that nobody takes, or were given up.
        """
        execution = self._start("DiscoverLogsArn", {})
        last, moved_at = None, time.monotonic()
        while True:
            output = self._ended(execution)
            found = Progress(None if output is None else int(output["queued"]), *map(self._messages, _QUEUES))
            yield found
            if found.done:
                break
            if found != last:
                last, moved_at = found, time.monotonic()
            elif time.monotonic() - moved_at > _STUCK_SECONDS:
                raise NothingMoves(
                    f"Nothing has moved for {_STUCK_SECONDS:.0f} s: {found.tasks} files and {found.segments} segments "
                    f"wait. {self._reasons()}"
                )
            time.sleep(_LOOK_SECONDS)
        if dead := sum(map(self._messages, _DEAD)):
            raise NothingMoves(f"{dead} messages failed five times, and were given up. {self._reasons()}")

    def digest(self, now: datetime) -> dict[str, bytes]:
        """Let digest_queries make the digests of the day that it is and of the day before.

        Returns:
            The reports, by day, of the days that have statements.

        Raises:
            ExecutionFailed: It did not succeed.
        """
        execution = self._start("DigestQueriesArn", {"time": (now + timedelta(days=1)).isoformat()})
        while (output := self._ended(execution)) is None:
            time.sleep(_LOOK_SECONDS)
        s3, bucket = self.cloud.client("s3"), self.outputs["LakeBucketName"]
        return {
            made["day"]: s3.get_object(Bucket=bucket, Key=made["report_key"])["Body"].read()
            for made in output["digests"]
            if made["statements"]
        }

    def gaps(self) -> int:
        """Return how many ranges the ledger declares lost."""
        pages = (
            self.cloud.client("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=self.outputs["DatabaseTrackingTableName"],
                FilterExpression="begins_with(#item, :gap)",
                ExpressionAttributeNames={"#item": "item"},
                ExpressionAttributeValues={":gap": {"S": "gap#"}},
            )
        )
        return sum(page["Count"] for page in pages)

    def metrics(self) -> Counter[str]:
        """Return sums of all that the functions measured, from their logs."""
        sums: Counter[str] = Counter()
        for written in self._log_lines():
            if "_aws" in written:
                for described in written["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
                    value = written[described["Name"]]
                    sums[described["Name"]] += sum(value) if isinstance(value, list) else value
        return sums

    def _start(self, machine: str, given: dict[str, Any]) -> str:
        started = self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs[machine], input=json.dumps(given)
        )
        self.executions.append(started["executionArn"])
        return self.executions[-1]

    def _ended(self, execution: str) -> dict[str, Any] | None:
        """Return the output of an execution that has ended; None while it runs.

        Raises:
            ExecutionFailed: It did not succeed.
        """
        described: dict[str, Any] = self.cloud.client("stepfunctions").describe_execution(executionArn=execution)
        if described["status"] not in {"RUNNING", "SUCCEEDED"}:
            raise ExecutionFailed(
                f"{execution} {described['status']}: {described.get('error')}: {described.get('cause')}"
            )
        if described["status"] == "RUNNING":
            return None
        output: dict[str, Any] = json.loads(described["output"])
        return output

    def _messages(self, queue: str) -> int:
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        sqs = self.cloud.client("sqs")
        said = sqs.get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=names)["Attributes"]
        return sum(int(said.get(name, 0)) for name in names)

    def _reasons(self) -> str:
        """Return why messages came again, the latest three, as the functions tell it."""
        told = (line for line in self._log_lines() if line.get("level") in {"WARNING", "ERROR"})
        reasons = Counter(f"{line.get('error')}: {line.get('reason', line.get('message'))}" for line in told)
        return " ".join(f"{count} times {reason}" for reason, count in reasons.most_common(_REASONS))

    def _log_lines(self) -> Iterator[dict[str, Any]]:
        logs = self.cloud.client("logs")
        for function in _FUNCTIONS:
            for page in logs.get_paginator("filter_log_events").paginate(
                logGroupName=f"/aws/lambda/{_PREFIX}-{function}"
            ):
                for event in page["events"]:
                    if event["message"].startswith("{"):
                        yield json.loads(event["message"])


def _fleet() -> dict[str, Any]:
    """Return the fleet: the functions' own account, and another by its role. Every pass looks at all instances."""
    own, other = PLACES
    return {
        "estates": [
            {"account": own[0], "region": own[1]},
            {"account": other[0], "region": other[1], "role_arn": _ROLE, "external_id": "gatehouse"},
        ],
        "interval_seconds": 60,
        "longest_interval_seconds": 60,
        "rate": _RATE,
    }
