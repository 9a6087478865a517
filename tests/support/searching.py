"""What the forwarder needs of an account, and a search engine that listens."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from database_logs.contracts import FileRef, SegmentParsed
from database_logs.handlers import parse_segment
from kernel import aws
from tests.support.context import Context
from tests.support.openobserve import PASSWORD, USER, OpenObserve, running
from tests.support.parsed_logs import SEGMENTS, batch, received, slow_event, stored


@contextmanager
def searching() -> Iterator[OpenObserve]:
    """Yield an engine, with the environment of the functions that send to it; the account is the caller's."""
    aws.s3().create_bucket(Bucket=SEGMENTS, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    secret = aws.secrets().create_secret(
        Name="search", SecretString=json.dumps({"username": USER, "password": PASSWORD, "since": "2026"})
    )
    with running() as listening:
        environment = {
            "SEGMENTS_BUCKET": SEGMENTS,
            "SEARCH_QUEUE_URL": aws.sqs().create_queue(QueueName="search")["QueueUrl"],
            "SEARCH_KIND": "openobserve",
            "SEARCH_URL": listening.url,
            "SEARCH_SECRET_ARN": secret["ARN"],
            "SEARCH_STREAM": "database_logs",
            "SEARCH_LATE_STREAM": "",
            "SEARCH_PAST_HOURS": "5",
            "SEARCH_FUTURE_HOURS": "24",
            "SEARCH_VERIFY_QUEUE_URL": "",
            "SEARCH_VERIFY_ONE_IN": "1",
        }
        with patch.dict("os.environ", environment):
            yield listening


def parsed(data: bytes, file: FileRef | None = None) -> SegmentParsed:
    """Let a segment come into the lake, and return what search is told of it."""
    segment = stored(data, file)
    parse_segment.handler(batch(segment), Context())
    [told] = received(os.environ["SEARCH_QUEUE_URL"])
    return SegmentParsed.model_validate(told)


def recent(events: int = 3) -> SegmentParsed:
    """Let events of ten minutes ago come into the lake."""
    begin = datetime.now(UTC) - timedelta(minutes=10)
    return parsed(
        b"".join(
            slow_event(begin + timedelta(milliseconds=number), f"SELECT 'secret-{number}' FROM t")  # noqa: S608 - a statement in a log
            for number in range(events)
        )
    )
