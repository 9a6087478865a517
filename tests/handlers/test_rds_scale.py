"""The model of scale of database_logs against the functions themselves: what each sends to AWS."""

from collections import Counter

import pytest

from bench.rds_scale_model import parse_requests
from database_logs.handlers.parse_segment import handler
from kernel import aws
from kernel.metering import Meter
from tests.support.context import Context
from tests.support.parsed_logs import SEGMENTS, SLOW_LOG, batch, stored


@pytest.mark.parametrize("searched", [False, True])
@pytest.mark.parametrize(
    ("log", "files", "hours"),
    [
        pytest.param(SLOW_LOG[: SLOW_LOG.index(b"# Time: 2026-06-08")], 2, 2, id="a day"),
        pytest.param(SLOW_LOG, 4, 3, id="two days"),
    ],
)
def test_model_counts_what_parsing_a_segment_sends(
    monkeypatch: pytest.MonkeyPatch,
    log: bytes,
    files: int,
    hours: int,
    searched: bool,  # noqa: FBT001 - which of the two
) -> None:
    aws.s3().create_bucket(Bucket=SEGMENTS, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    queue = aws.sqs().create_queue(QueueName="search")["QueueUrl"]
    monkeypatch.setenv("SEGMENTS_BUCKET", SEGMENTS)
    monkeypatch.setenv("SEARCH_QUEUE_URL", queue if searched else "")
    segment = stored(log)

    meter = Meter(memory_mb=0)
    handler(batch(segment), Context())

    assert Counter(meter.read().requests) == parse_requests(files, hours=hours, searched=searched)
