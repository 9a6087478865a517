"""What others have come to rest on since a plan is not undone with what the plan changed."""

from collections.abc import Iterator
from typing import Any

import pytest

from data_protection.adapters.plans import PlanReader
from data_protection.remediation.plans import LeftOut
from kernel import aws
from tests.support.remediation import LAKE, Remediation, client, profile, remediated_account, tables

READS = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/orders",
    "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
}
TRACKING = {
    "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"},
    "TargetValue": 50.0,
}


@pytest.fixture
def run() -> Iterator[Remediation]:
    with remediated_account() as made:
        yield made


def done(run: str, *phases: int, **given: Any) -> str:
    """Carry a plan out, and return its hash."""
    remediation = Remediation(run)
    planned = remediation.plan(*phases, **given)
    remediation.work(planned)
    assert remediation.finish(planned["plan"])["good"], remediation.failures
    return str(planned["plan"])


def left_out(plan: str) -> dict[str, tuple[LeftOut, str]]:
    """Return why steps of an undoing are left out, by their id."""
    omissions = PlanReader(aws.s3(), LAKE).load(plan).omissions
    return {one.reason.partition(": ")[0]: (one.why, one.reason.partition(": ")[2]) for one in omissions}


def test_target_stays_with_the_scheduled_actions_that_others_gave_it(run: Remediation) -> None:
    assert run
    client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    )
    profile(tables("orders", DDB_SCALE={}))
    first = done("saturday", 3)
    scaling = client("application-autoscaling")
    scaling.put_scheduled_action(
        **READS,
        ScheduledActionName="black-friday",
        Schedule="cron(0 0 27 11 ? 2026)",
        ScalableTargetAction={"MinCapacity": 9},
    )

    second = done("monday", undo=first)

    [(why, said)] = left_out(second).values()
    assert (why, "black-friday of the read capacity of table/orders would be deleted" in said) == (
        LeftOut.REFUSED,
        True,
    )
    [target] = scaling.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
    assert target["ScalableDimension"] == READS["ScalableDimension"]
    assert scaling.describe_scheduled_actions(ServiceNamespace="dynamodb")["ScheduledActions"]


def logging_to(*sources: str, target: str = "access-logs") -> dict[str, Any]:
    asked = [{"name": name} for name in sources]
    return {"kind": "s3-bucket", "select": asked, "requires": {"S3-LOG": {"target": target}}}


def buckets(*names: str) -> None:
    for name in names:
        client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})


GRANT = "S3-LOG/s3-bucket/shop/0"


def test_grant_stays_while_a_bucket_logs_by_it_that_a_later_plan_has_turned_on(run: Remediation) -> None:
    assert run
    buckets("shop", "site", "access-logs")
    profile(logging_to("shop"))
    first = done("saturday", 1)
    profile(logging_to("shop", "site"))
    done("sunday", 1)

    second = done("monday", undo=first)

    why, said = left_out(second)[GRANT]
    assert why is LeftOut.REFUSED
    assert "site logs into access-logs by now, and its logs would not arrive any more" in said
    assert client("s3").get_bucket_policy(Bucket="access-logs")["Policy"]
    assert "LoggingEnabled" not in client("s3").get_bucket_logging(Bucket="shop")


def test_grant_in_a_bucket_that_the_profile_names_no_more_is_left(run: Remediation) -> None:
    assert run
    buckets("shop", "access-logs", "elsewhere")
    profile(logging_to("shop"))
    first = done("saturday", 1)
    profile(logging_to("shop", target="elsewhere"))

    second = done("monday", undo=first)

    why, said = left_out(second)[GRANT]
    assert (why, "has shop log into elsewhere by now" in said) == (LeftOut.REFUSED, True)
    assert client("s3").get_bucket_policy(Bucket="access-logs")["Policy"]
