"""Brings the generated objects to the raw bucket, and each of their events twice, as S3 itself sometimes does."""

import json
import mimetypes
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from cli.target import Target

if TYPE_CHECKING:
    from demo.plant import Put

_BATCH: Final = 10
# Description of the rule of stacks/firewall_logs.yaml that hears of new objects.
_RULE: Final = "New raw objects"
# Objects come in waves, with longer pauses than the batching window: several runs, some under way while others start.
_WAVE: Final = 14
_PAUSE_SECONDS: Final = 1.5


def deliver(target: Target, puts: "Sequence[Put]", folder: Path, on_put: Callable[[int], None]) -> None:
    """Put objects in this order, and send each event a second time.

    Half of the second deliveries come with the first, so that they may meet it in one batch; the others after the
    last object, when the first are under way or done.

    Args:
        target: Where to.
        puts: What.
        folder: Where the files are.
        on_put: Told how many objects are put.
    """
    bucket = target.output("RawBucketName")
    s3 = target.client("s3")
    late = []
    for number, put in enumerate(puts, 1):
        if number % _WAVE == 0:
            time.sleep(_PAUSE_SECONDS)
        event = _put(s3, bucket, put, folder)
        if number % 2:
            _send_again(target, [event])
        else:
            late.append(event)
        on_put(number)
    time.sleep(_PAUSE_SECONDS)
    _send_again(target, late)


def deliver_silently(target: Target, puts: "Sequence[Put]", folder: Path) -> None:
    """Put objects while nobody listens: their events never come."""
    events = target.client("events")
    [rule] = [found["Name"] for found in events.list_rules()["Rules"] if found.get("Description") == _RULE]
    events.disable_rule(Name=rule)
    try:
        for put in puts:
            _put(target.client("s3"), target.output("RawBucketName"), put, folder)
    finally:
        events.enable_rule(Name=rule)


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
