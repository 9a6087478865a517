"""Brings the generated objects to the raw bucket, and each of their events twice, as S3 itself sometimes does."""

import json
import mimetypes
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from cli.target import Target

if TYPE_CHECKING:
    from demo.plant import Planted, PlantedFeed, Put

_BATCH: Final = 10
# Objects that come close together, as in a minute of a busy day.
_WAVE: Final = 14
_DELIVERY_SECONDS: Final = 1.0
ROOT: Final = "cloudflare/"
FEEDS_PARAMETER: Final = "/gatehouse/{environment}/firewall_logs/feeds"


def at_the_gate(planted: "Planted") -> "Planted":
    """Return the record with all keys and prefixes below `ROOT`, to which the rule for new objects listens."""

    def moved(key: str) -> str:
        return ROOT + key.partition("/")[2]

    return replace(
        planted,
        feeds=[replace(feed, prefix=moved(feed.prefix)) for feed in planted.feeds],
        objects=[replace(each, key=moved(each.key)) for each in planted.objects],
        puts=[replace(put, key=moved(put.key)) for put in planted.puts],
    )


def configure_feeds(target: Target, feeds: Iterable["PlantedFeed"]) -> None:
    """Tell the application which feeds the generated objects belong to."""
    bucket = target.output("RawBucketName")
    document = [
        {
            "name": feed.name,
            "bucket": bucket,
            "prefix": feed.prefix,
            "zone": feed.zone,
            "format": feed.format,
            "naive_times": feed.naive_times,
        }
        for feed in feeds
    ]
    target.client("ssm").put_parameter(
        Name=FEEDS_PARAMETER.format(environment=target.environment),
        Value=json.dumps(document),
        Type="String",
        Overwrite=True,
    )


def deliver(target: Target, planted: "Planted", folder: Path, on_put: Callable[[int], None]) -> None:
    """Put every object, in the order of the record, and send each event a second time.

    The objects come in waves. Half of the second deliveries come with the first, so that they meet it in one batch;
    the others after the last wave, when the first are under way or done.

    Args:
        target: Where to.
        planted: The record.
        folder: Where the files are.
        on_put: Told how many objects are put.
    """
    bucket = target.output("RawBucketName")
    s3 = target.client("s3")
    late = []
    for first in range(0, len(planted.puts), _WAVE):
        with _gathering(target):
            for number, put in enumerate(planted.puts[first : first + _WAVE], first + 1):
                event = _put(s3, bucket, put, folder)
                if number % 2:
                    _send_again(target, [event])
                else:
                    late.append(event)
                on_put(number)
    with _gathering(target):
        _send_again(target, late)


@contextmanager
def _gathering(target: Target) -> Iterator[None]:
    """Let messages gather in the queue, as the batching window of its event source does on AWS.

    MiniStack ignores the window and would start a run for every two or three objects.
    """
    functions, queue = target.client("lambda"), target.output("ObjectQueueUrl").rpartition("/")[2]
    mappings = functions.list_event_source_mappings()["EventSourceMappings"]
    (mapping,) = (each["UUID"] for each in mappings if each["EventSourceArn"].endswith(f":{queue}"))
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        yield
        # EventBridge delivers within half a second there.
        time.sleep(_DELIVERY_SECONDS)
    finally:
        functions.update_event_source_mapping(UUID=mapping, Enabled=True)
    time.sleep(_DELIVERY_SECONDS)


def _put(s3: Any, bucket: str, put: "Put", folder: Path) -> dict[str, Any]:
    """Put one object and return its event as EventBridge delivers it to the queue.

    Source: Amazon S3 user guide, "EventBridge event message structure".
    """
    path = folder / put.path
    media = mimetypes.guess_type(put.key)[0] or "application/octet-stream"
    with path.open("rb") as body:
        said = s3.put_object(Bucket=bucket, Key=put.key, Body=body, ContentType=media)
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "000000000000",
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": s3.meta.region_name,
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {
                "key": put.key,
                "size": path.stat().st_size,
                "etag": said["ETag"].strip('"'),
                "version-id": said.get("VersionId", ""),
                "sequencer": uuid4().hex[:16].upper(),
            },
            "request-id": uuid4().hex[:16].upper(),
            "requester": "000000000000",
            "source-ip-address": "127.0.0.1",
            "reason": "PutObject",
        },
    }


def _send_again(target: Target, events: list[dict[str, Any]]) -> None:
    # Into the queue itself: EventBridge takes no events in the name of aws.s3 from anybody else.
    sqs, queue = target.client("sqs"), target.output("ObjectQueueUrl")
    for batch in _batches(events):
        entries = [{"Id": str(i), "MessageBody": json.dumps(event)} for i, event in enumerate(batch)]
        refused = sqs.send_message_batch(QueueUrl=queue, Entries=entries).get("Failed", [])
        if refused:
            raise RuntimeError(f"The queue {queue} refused {len(refused)} messages: {refused[0].get('Message')}.")


def _batches(events: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(events), _BATCH):
        yield events[start : start + _BATCH]
