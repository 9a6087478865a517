"""What others have come to rest on since a plan is not undone with what the plan changed."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from data_protection.adapters.plans import PlanReader
from data_protection.bucket_policies import log_grant
from data_protection.remediation.plans import LeftOut
from data_protection.resources import Kind, Place, Resource
from kernel import aws
from tests.support.remediation import (
    ACCOUNT,
    LAKE,
    REGION,
    Remediation,
    client,
    profile,
    remediated_account,
    tables,
    whenever,
)

PLACE = Place(ACCOUNT, REGION)
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


def assert_only_the_logging_of_shop_is_undone(undoing: str) -> None:
    why, said = left_out(undoing)[GRANT]
    assert why is LeftOut.REFUSED
    assert "site logs into access-logs by now, and its logs would not arrive any more" in said
    assert client("s3").get_bucket_policy(Bucket="access-logs")["Policy"]
    assert "LoggingEnabled" not in client("s3").get_bucket_logging(Bucket="shop")


def test_grant_stays_while_a_bucket_logs_by_it_that_a_later_plan_has_turned_on(run: Remediation) -> None:
    assert run
    buckets("shop", "site", "access-logs")
    profile(logging_to("shop"))
    first = done("saturday", 1)
    profile(logging_to("shop", "site"))
    done("sunday", 1)

    second = done("monday", undo=first)

    assert_only_the_logging_of_shop_is_undone(second)


def test_grant_stays_while_a_bucket_logs_by_it_of_which_the_plan_could_only_ask_it(run: Remediation) -> None:
    assert run
    buckets("shop", "access-logs")
    profile(logging_to("shop", "site"))
    first = done("saturday", 1)
    buckets("site")
    done("sunday", 1)

    second = done("monday", undo=first)

    assert_only_the_logging_of_shop_is_undone(second)


def refuse_logging_of(bucket: str) -> Callable[[Any], None]:
    def refuse(asked: Any) -> None:
        if asked["Bucket"] == bucket:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutBucketLogging")

    return refuse


@pytest.mark.parametrize("refused", ["shop", "site"])
def test_grant_stays_while_a_bucket_logs_by_it_that_the_plan_itself_could_not_turn_on(
    run: Remediation, refused: str
) -> None:
    buckets("shop", "site", "access-logs")
    profile(logging_to("shop", "site"))
    with whenever("s3", "PutBucketLogging", refuse_logging_of(refused)):
        first = run.plan(1)
        run.work(first)
        assert not run.finish(first["plan"])["good"]
    done("sunday", 1)

    second = done("monday", undo=first["plan"])

    why, said = left_out(second)[GRANT]
    assert (why, f"{refused} logs into access-logs by now" in said) == (LeftOut.REFUSED, True)
    assert client("s3").get_bucket_policy(Bucket="access-logs")["Policy"]


def test_grant_goes_with_a_bucket_that_logged_before_it_was_granted(run: Remediation) -> None:
    assert run
    buckets("shop", "site", "access-logs")
    target = {"LoggingEnabled": {"TargetBucket": "access-logs", "TargetPrefix": "site/"}}
    # Which S3 takes while it may deliver there.
    grant = {"Version": "2012-10-17", "Statement": [log_grant(Resource(Kind.BUCKET, PLACE, "access-logs"))]}
    client("s3").put_bucket_policy(Bucket="access-logs", Policy=json.dumps(grant))
    client("s3").put_bucket_logging(Bucket="site", BucketLoggingStatus=target)
    client("s3").delete_bucket_policy(Bucket="access-logs")
    profile(logging_to("shop", "site"))
    first = done("saturday", 1)

    assert left_out(done("monday", undo=first)).keys() == {"S3-LOG/s3-bucket/site/0"}

    assert client("s3").get_bucket_logging(Bucket="site")["LoggingEnabled"] == target["LoggingEnabled"]
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        client("s3").get_bucket_policy(Bucket="access-logs")


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


def topic(policy: Any = None, name: str = "alerts") -> str:
    """Make a topic that somebody has subscribed to, which takes alarms only by a policy, and return its ARN."""
    sns = client("sns")
    arn = str(sns.create_topic(Name=name)["TopicArn"])
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="ops@example.com")
    # As AWS makes it, for the account's own people.
    own = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "SNS:Publish", "Resource": arn}
    document = policy or {"Version": "2012-10-17", "Statement": [own]}
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(document))
    return arn


def alarm(name: str, *, by: str, how: str = "AlarmActions") -> None:
    watched = {"Namespace": "shop", "MetricName": "errors", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    breach = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 1}
    client("cloudwatch").put_metric_alarm(AlarmName=name, **watched, **breach, **{how: [by]})


def on_topics(*names: str, **requires: Any) -> dict[str, Any]:
    asked = {check.replace("_", "-"): requirement for check, requirement in requires.items()}
    return {"kind": "sns-topic", "select": [{"name": name} for name in names], "requires": asked}


def lets_alarms_in(arn: str) -> bool:
    return "GatehouseAlarms" in client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]


ALERTS = "SNS-ALERT/sns-topic/alerts/0"


@pytest.mark.parametrize("how", ["AlarmActions", "OKActions", "InsufficientDataActions"])
def test_policy_of_a_topic_stays_while_an_alarm_notifies_by_it_that_was_made_since(run: Remediation, how: str) -> None:
    assert run
    arn = topic()
    profile(on_topics("alerts", SNS_ALERT={}))
    first = done("saturday", 1)
    alarm("since", by=arn, how=how)

    second = done("monday", undo=first)

    why, said = left_out(second)[ALERTS]
    assert (why, "The alarm since was set since, and would reach nobody by alerts any more" in said) == (
        LeftOut.REFUSED,
        True,
    )
    assert lets_alarms_in(arn)


def test_policy_of_a_topic_goes_with_the_alarms_that_reached_nobody_before_it_either(run: Remediation) -> None:
    assert run
    arn = topic()
    alarm("before", by=arn)
    alarm("elsewhere", by=f"{arn}-2")
    profile(on_topics("alerts", SNS_ALERT={}))
    first = done("saturday", 1)
    alarm("of-others", by=f"{arn}-2")

    assert left_out(done("monday", undo=first)) == {}

    assert not lets_alarms_in(arn)


def test_alarm_that_comes_while_the_undoing_waits_for_people_keeps_the_policy(run: Remediation) -> None:
    arn = topic()
    profile(on_topics("alerts", SNS_ALERT={}))
    first = done("saturday", 1)
    planned = run.plan(undo=first)
    alarm("since", by=arn)

    run.work(planned)

    assert run.finish(planned["plan"])["counts"] == {"refused": 1}
    assert "The alarm since was set since" in run.failures[0]
    assert lets_alarms_in(arn)


def test_policy_of_a_topic_waits_for_the_alarms_of_a_later_plan(run: Remediation) -> None:
    assert run
    arn = topic()
    wanted = {"name": "errors", "namespace": "shop", "metric": "errors", "threshold": 1}
    account = {"kind": "account", "requires": {"CW-ALARMS": {"least": 1, "topic": "alerts", "alarms": [wanted]}}}
    profile(on_topics("alerts", SNS_ALERT={}), account)
    first = done("saturday", 1)
    later = done("sunday", 1)

    assert left_out(done("monday", undo=first))[ALERTS][0] is LeftOut.REFUSED
    done("tuesday", undo=later, named=["CW-ALARMS"])
    assert left_out(done("wednesday", undo=first)) == {}

    assert not lets_alarms_in(arn)
