"""A moto account in this process, with what firewall_logs keeps: buckets, ledger, bus and feeds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws

from firewall_logs.adapters.access import SourceClients
from firewall_logs.feeds import Feeds
from kernel import aws
from kernel.settings import load
from tests.support.firewall import FEEDS

RAW, LAKE, RUNS, LEDGER, DAYS, BUS, PARAMETER, RULES = (
    "raw",
    "lake",
    "runs",
    "ledger",
    "days",
    "bus",
    "/feeds",
    "/rules",
)

# Name of each table and its key, the sort key last.
TABLES = {LEDGER: ("object_id",), DAYS: ("partition", "item")}

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SESSION_TOKEN": "test",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "POWERTOOLS_TRACE_DISABLED": "1",
    "POWERTOOLS_SERVICE_NAME": "firewall_logs",
    "POWERTOOLS_METRICS_NAMESPACE": "Gatehouse",
    "RUNS_BUCKET": RUNS,
    "LAKE_BUCKET": LAKE,
    "LEDGER_TABLE": LEDGER,
    "DAYS_TABLE": DAYS,
    "FEEDS_PARAMETER": PARAMETER,
    "EVENT_BUS": BUS,
    "ARCHITECTURE": "arm64",
    "LEASE_SECONDS": "3600",
    "UNIT_MB": "64",
    "MAX_USD": "10",
    "MAX_CONCURRENCY": "40",
    "ROUND_SECONDS": "60",
    "PROCESS_OBJECTS_ARN": "arn:aws:states:eu-central-1:000000000000:stateMachine:process_objects",
    "RULES_PARAMETER": RULES,
    "GRACE_SECONDS": "0",
    "MOST_SWEPT_GB": "1",
    "SURVEY_OBJECTS": "10000",
    "BATCH_MB": "4096",
    "BATCH_DAY_MB": "65536",
    "BATCH_MEMORY_MB": "0",
}


@contextmanager
def account() -> Iterator[None]:
    """Yield with clients and settings that begin anew, inside an account that has everything and holds nothing."""
    with patch.dict("os.environ", ENVIRONMENT), mock_aws():
        _forget()
        for bucket in (RAW, LAKE, RUNS):
            aws.s3().create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        for bucket in (RAW, RUNS):
            aws.s3().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        create_tables(aws.dynamodb())
        aws.events().create_event_bus(Name=BUS)
        aws.ssm().put_parameter(Name=PARAMETER, Value=FEEDS, Type="String")
        aws.ssm().put_parameter(Name=RULES, Value="[]", Type="String")
        yield
    _forget()


def create_tables(dynamodb: Any) -> None:
    """Create the tables of firewall_logs."""
    for name, keys in TABLES.items():
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        )


def sources(feeds: str = FEEDS) -> SourceClients:
    """Return the clients of raw objects, as a function of these feeds has them."""
    return SourceClients(Feeds(feeds), aws.s3(), "gatehouse-test")


def entry(object_id: str) -> dict[str, object]:
    """Return an item of the ledger as plain values."""
    item = boto3.resource("dynamodb").Table(LEDGER).get_item(Key={"object_id": object_id})
    return dict(item.get("Item", {}))


def _forget() -> None:
    for maker in (
        aws.s3,
        aws.s3_in_role,
        aws.dynamodb,
        aws.events,
        aws.secrets,
        aws.sqs,
        aws.ssm,
        aws.states,
        load,
    ):
        maker.cache_clear()
