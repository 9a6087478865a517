"""Raw segments of database logs in a moto account, their messages, and workers that die after an effect."""

import gzip
import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl

from database_logs.contracts import FileRef, SegmentCommitted
from database_logs.log_types import LogType
from kernel import aws
from tests.support.aws import LAKE

SEGMENTS: Final = "segments"
_EFFECTS: Final = ("PutObject", "DeleteObjects", "SendMessage", "SendMessageBatch")


def slow_event(at: datetime, statement: str, seconds: float = 1.5, rows: int = 1000) -> bytes:
    """Return an event of a slow log."""
    return (
        f"# Time: {at:%Y-%m-%dT%H:%M:%S.%f}Z\n"
        "# User@Host: app[app] @  [10.0.0.9]  Id: 9\n"
        f"# Query_time: {seconds}  Lock_time: 0.000100  Rows_sent: 1  Rows_examined: {rows}\n"
        f"SET timestamp={int(at.timestamp())};\n{statement};\n"
    ).encode()


# Three events of two days.
SLOW_LOG: Final = b"".join(
    slow_event(datetime(2026, 6, day, hour, tzinfo=UTC), statement, seconds, 1000 * hour)
    for day, hour, seconds, statement in (
        (7, 22, 2.5, "SELECT name FROM people WHERE id = 4711"),
        (7, 23, 1.5, "SELECT name FROM people WHERE id = 4712"),
        (8, 1, 9.0, "UPDATE accounts SET balance = 17 WHERE owner = 'Ann'"),
    )
)


class Killed(BaseException):
    """The worker is gone; nobody may catch this."""


def file_of(log_type: LogType = LogType.MYSQL_SLOW, instance: str = "orders-1", file: str = "slow.log") -> FileRef:
    """Return a log file of an instance."""
    return FileRef(
        account="111122223333",
        region="eu-central-1",
        dbi_resource_id=f"db-{instance.upper()}",
        instance_id=instance,
        cluster_id="orders",
        engine="aurora-mysql",
        log_type=log_type,
        file=file,
    )


def stored(data: bytes = SLOW_LOG, file: FileRef | None = None, start: int = 0) -> SegmentCommitted:
    """Put a raw segment into its bucket and return the message that tells of it."""
    file = file or file_of()
    segment = SegmentCommitted(
        file=file,
        generation=f"{file.file}@g1",
        start=start,
        end=start + len(data),
        key=f"raw/{file.dbi_resource_id}/{file.file}/{start}.gz",
        sha256=hashlib.sha256(data).hexdigest(),
    )
    aws.s3().put_object(Bucket=SEGMENTS, Key=segment.key, Body=gzip.compress(data, mtime=0))
    return segment


def batch(*messages: Any) -> dict[str, Any]:
    """Return an SQS event of contracts, or of texts."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "eventSource": "aws:sqs",
                "body": message if isinstance(message, str) else message.model_dump_json(),
            }
            for number, message in enumerate(messages)
        ]
    }


def objects(prefix: str = "", bucket: str = LAKE) -> dict[str, bytes]:
    """Return the objects of a bucket below a prefix."""
    listed = aws.s3().list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {each["Key"]: aws.s3().get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed}


def refused() -> list[dict[str, Any]]:
    """Return documents that search refused, with reasons."""
    bodies = objects("database_logs/search/refused/").values()
    return [json.loads(line) for body in bodies for line in gzip.decompress(body).splitlines()]


def lake_records() -> pl.DataFrame:
    """Return every record that a reader of the whole lake sees, of one kind of log."""
    frames = [pl.read_parquet(io.BytesIO(body)) for body in objects("database_logs/logs/").values()]
    return pl.concat(frames).sort("event_id") if frames else pl.DataFrame(schema={"event_id": pl.String})


def received(queue_url: str) -> list[dict[str, Any]]:
    """Return the bodies of a queue's messages and delete them."""
    bodies = []
    while found := aws.sqs().receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            bodies.append(json.loads(message["Body"]))
            aws.sqs().delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


@contextmanager
def dying_after(effects: int) -> Iterator[list[str]]:
    """Kill the worker once it has had that many effects; yield the operations that were effects."""
    seen: list[str] = []

    def die(model: Any, **_rest: object) -> None:
        if model.name in _EFFECTS:
            seen.append(model.name)
            if len(seen) == effects:
                raise Killed

    clients = (aws.s3(), aws.sqs())
    for client in clients:
        client.meta.events.register_last("after-call", die, unique_id="dying")
    try:
        yield seen
    finally:
        for client in clients:
            client.meta.events.unregister("after-call", unique_id="dying")
