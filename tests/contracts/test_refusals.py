"""End-to-end tests see whatever was refused to a function: in every log group, however much was logged."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from tests.support.refusals import refusals

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

# CloudWatch takes no events that are older than two weeks.
BEGAN = int(1000 * time.time())
ROLE = "arn:aws:iam::222222222222:role/assess"
REFUSED = "User: writer is not authorized to perform: s3:PutObject"
MEANT = f"User: reader is not authorized to perform: sts:AssumeRole on resource: {ROLE}"


@pytest.fixture
def logs() -> Iterator["CloudWatchLogsClient"]:
    with mock_aws():
        yield boto3.client("logs", "eu-central-1")


def log(logs: "CloudWatchLogsClient", function: str, *messages: str, at: int = BEGAN) -> None:
    group = f"/aws/lambda/gatehouse-local-{function}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="1")
    events = [{"timestamp": at, "message": message} for message in messages]
    for first in range(0, len(events), 10_000):
        logs.put_log_events(logGroupName=group, logStreamName="1", logEvents=events[first : first + 10_000])  # type: ignore[arg-type]


def test_refusal_after_a_full_page_of_events_is_found(logs: "CloudWatchLogsClient") -> None:
    log(logs, "busy", *["read"] * 10_000, REFUSED)
    assert refusals(logs, since=BEGAN) == [REFUSED]


def test_refusal_in_a_group_after_a_full_page_of_groups_is_found(logs: "CloudWatchLogsClient") -> None:
    for number in range(50):
        log(logs, f"a-{number:02}")
    log(logs, "z-last", REFUSED)
    assert refusals(logs, since=BEGAN) == [REFUSED]


def test_what_was_refused_before_and_what_is_meant_are_left_out_and_nothing_else(logs: "CloudWatchLogsClient") -> None:
    log(logs, "before", "AccessDenied before", at=BEGAN - 1)
    log(logs, "now", MEANT, f"AccessDenied: {MEANT}", "AccessDeniedException", "authorized, but not by us", REFUSED)
    assert refusals(logs, since=BEGAN, meant=[ROLE]) == ["AccessDeniedException", REFUSED]
