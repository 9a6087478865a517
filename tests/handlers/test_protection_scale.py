"""The model of scale of data_protection against the functions themselves: what each sends to AWS."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from bench.protection_scale_model import (
    assess_requests,
    places_requests,
    report_requests,
    sweep_messages,
    sweep_reads,
    sweep_requests,
)
from data_protection.handlers import assess_place, report_assessment, start_sweep
from kernel import aws
from kernel.metering import Meter
from tests.support.aws import LAKE
from tests.support.data_protection_drift import ACCOUNT, CONTEXT, REGION, client, watched

PLACE = {"account": ACCOUNT, "region": REGION}
RULES: list[dict[str, Any]] = [
    {"kind": "dynamodb-table", "select": [{"pattern": "bench-*"}], "requires": {"DDB-PITR": {}, "DDB-KMS": {}}},
    {"kind": "s3-bucket", "select": [{"pattern": "bench-*"}], "requires": {"S3-VERSION": {}, "S3-BPA": {}}},
    {"kind": "account", "requires": {"CT-LOGGING": {"hours": 24}}},
]
# What belongs to the deployment, not to the place; the lake is in another account mostly.
OWN = {"s3.GetObject", "s3.PutObject", "dynamodb.Query", "dynamodb.BatchWriteItem"}


@pytest.fixture
def aws_account() -> None:
    """Leave the account to `watched`."""


def sent(work: Callable[[], object]) -> tuple[Counter[str], Counter[str]]:
    """Return what was asked of the place, and what of the deployment."""
    meter = Meter(memory_mb=0)
    work()
    requests = meter.read().requests
    own = Counter({name: number for name, number in requests.items() if name in OWN})
    return Counter(requests) - own, own


@pytest.mark.parametrize(("tables", "buckets"), [(2, 3), (4, 6)])
def test_model_counts_what_an_assessment_and_a_sweep_send(tables: int, buckets: int) -> None:
    with watched() as made:
        made.profile(RULES)
        for number in range(tables):
            made.table(f"bench-{number}")
        for number in range(buckets):
            aws.s3().create_bucket(
                Bucket=f"bench-{number}", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
            )
        client("cloudtrail").create_trail(Name="trail", S3BucketName=LAKE)
        made.sweep("first")

        asked, own = sent(
            lambda: assess_place.handler({"run": "r", "time": "2026-11-21T05:00:00Z", "place": PLACE}, CONTEXT)
        )
        assert own == assess_requests()
        assert (asked["dynamodb.DescribeTable"], asked["s3.GetBucketVersioning"]) == (tables, buckets)

        swept, own = sent(made.sweep)
        assert own == sweep_requests()
        assert swept == sweep_reads(asked)


@pytest.mark.parametrize("places", [1, 3])
def test_model_counts_what_a_report_sends(monkeypatch: pytest.MonkeyPatch, places: int) -> None:
    monkeypatch.setenv("ENVIRONMENT", "prod")
    runs = [{"run": f"daily-{day}", "time": f"2026-11-{day}T05:00:00Z"} for day in (20, 21)]
    regions = ["eu-central-1", "eu-west-1", "us-east-1"][:places]
    with watched() as made:
        made.profile([{"kind": "dynamodb-table", "select": [{"name": "orders"}], "requires": {"DDB-PITR": {}}}])
        made.estate({"accounts": [{"account": ACCOUNT, "regions": regions}]})
        for run in runs:
            for region in regions:
                place = {"account": ACCOUNT, "region": region, "is_home": region == regions[0]}
                assess_place.handler({**run, "place": place}, CONTEXT)

        asked, own = sent(lambda: report_assessment.handler(dict(runs[-1]), CONTEXT))

    assert asked + own == report_requests(places)


def test_each_place_is_sent_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with watched() as made:
        monkeypatch.setenv("SWEEP_QUEUE_URL", made.published)
        regions = ["eu-central-1", "eu-west-1", "us-east-1"]
        made.estate({"accounts": [{"account": ACCOUNT, "regions": regions}]})

        asked, own = sent(lambda: start_sweep.handler({"time": "2026-11-21T05:00:00Z"}, CONTEXT))

    assert own == places_requests()
    # Lambda receives and deletes them, one a call.
    assert 3 * asked["sqs.SendMessage"] == sweep_messages(len(regions))
