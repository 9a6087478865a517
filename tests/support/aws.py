"""A moto account in this process, with what firewall_logs keeps: buckets, ledger, bus and feeds."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import boto3
from moto import mock_aws

from kernel import aws
from kernel.settings import load
from tests.support.firewall import FEEDS

RAW, LAKE, RUNS, LEDGER, BUS, PARAMETER = "raw", "lake", "runs", "ledger", "bus", "/feeds"

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
    "FEEDS_PARAMETER": PARAMETER,
    "EVENT_BUS": BUS,
    "ARCHITECTURE": "arm64",
    "LEASE_SECONDS": "3600",
    "UNIT_MB": "64",
}


@contextmanager
def account() -> Iterator[None]:
    """Yield with clients and settings that begin anew, inside an account that has everything and holds nothing."""
    with patch.dict("os.environ", ENVIRONMENT), mock_aws():
        _forget()
        for bucket in (RAW, LAKE, RUNS):
            aws.s3().create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        aws.s3().put_bucket_versioning(Bucket=RAW, VersioningConfiguration={"Status": "Enabled"})
        aws.dynamodb().create_table(
            TableName=LEDGER,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "object_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "object_id", "KeyType": "HASH"}],
        )
        aws.events().create_event_bus(Name=BUS)
        aws.ssm().put_parameter(Name=PARAMETER, Value=FEEDS, Type="String")
        yield
    _forget()


def entry(object_id: str) -> dict[str, object]:
    """Return an item of the ledger as plain values."""
    item = boto3.resource("dynamodb").Table(LEDGER).get_item(Key={"object_id": object_id})
    return dict(item.get("Item", {}))


def _forget() -> None:
    for maker in (aws.s3, aws.dynamodb, aws.events, aws.ssm, aws.states, load):
        maker.cache_clear()
