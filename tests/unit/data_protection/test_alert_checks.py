"""Checks of alarms and topics: whether somebody is told."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from data_protection.changes import CannotChange, Reversibility
from data_protection.checks.cloudwatch_alarms import Alarms
from data_protection.policies import Grant, grants, with_statement
from data_protection.readings import Missing, Unreadable
from data_protection.reads.cloudwatch import ALARMS
from data_protection.reads.kms import KEY as DESCRIBE
from data_protection.reads.kms import KEY_POLICY
from data_protection.reads.listings import TABLES
from data_protection.reads.sns import SUBSCRIPTIONS, TOPIC
from data_protection.resources import Kind, Resource, named
from data_protection.verdicts import Status
from tests.support.data_protection_account import ACCOUNT, KEY_ARN, PLACE, ago, changes, verdict
from tests.support.data_protection_healthy import ALIAS, KEY, METADATA, alarm, for_cloudwatch, healthy, statement
from tests.support.data_protection_healthy import TOPIC as ALERTS

PENDING = {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "ops@example.com"}
CLOUDWATCH = "cloudwatch.amazonaws.com"
LISTED = {(ACCOUNT, TABLES): {"TableNames": ["orders"]}}
BY_OPERATION = {"TableName": "orders", "Operation": "PutItem"}
THROTTLED = {
    "name": "throttled",
    "namespace": "AWS/DynamoDB",
    "metric": "ThrottledRequests",
    "dimensions": BY_OPERATION,
    "threshold": 1,
}


def alarms(*metric: dict[str, Any], composite: tuple[dict[str, Any], ...] = ()) -> dict[tuple[Any, Any], Any]:
    return healthy() | {(ACCOUNT, ALARMS): {"MetricAlarms": list(metric), "CompositeAlarms": list(composite)}}


def good(count: int) -> list[dict[str, Any]]:
    return [alarm(f"good-{number}") for number in range(count)]


def watching(metric: str, namespace: str = "AWS/DynamoDB", **dimensions: str) -> dict[str, Any]:
    listed = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    return {"Namespace": namespace, "MetricName": metric, "Dimensions": listed}


def topic(**attributes: Any) -> dict[tuple[Any, Any], Any]:
    whole = {"Policy": for_cloudwatch("sns:Publish"), "KmsMasterKeyId": "1234abcd", **attributes}
    return healthy() | {
        (ALERTS, TOPIC): {"Attributes": {name: value for name, value in whole.items() if value is not None}}
    }


OPEN = {"Attributes": {"Policy": for_cloudwatch("sns:Publish")}}


def another(name: str, attributes: Any, subscriptions: Any = None) -> dict[tuple[Any, Any], Any]:
    """Return the readings of another topic, somebody having confirmed a subscription if nothing else is given."""
    confirmed = {"Subscriptions": [{"SubscriptionArn": "arn:aws:sns:eu-central-1:123456789012:x:1"}]}
    of = Resource(Kind.TOPIC, PLACE, name)
    return {(of, TOPIC): attributes, (of, SUBSCRIPTIONS): subscriptions or confirmed}


def subscribed(*subscriptions: dict[str, Any]) -> dict[tuple[Any, Any], Any]:
    return healthy() | {(ALERTS, SUBSCRIPTIONS): {"Subscriptions": list(subscriptions)}}


# CW-ALARMS


@pytest.mark.parametrize(
    "tenth",
    [
        alarm("TargetTracking-table/orders-AlarmHigh"),
        alarm("scaling", "arn:aws:autoscaling:eu-central-1:123456789012:scalingPolicy:1"),
        alarm("muted", ActionsEnabled=False),
        alarm("without action", ""),
        alarm("of a machine", "arn:aws:automate:eu-central-1:ec2:stop"),
        alarm("of a topic that is gone", "arn:aws:sns:eu-central-1:123456789012:gone"),
        alarm("of a topic nobody confirmed", "arn:aws:sns:eu-central-1:123456789012:pending"),
        alarm("of a topic that takes nothing", "arn:aws:sns:eu-central-1:123456789012:shut"),
        alarm("of a topic with the key of AWS", "arn:aws:sns:eu-central-1:123456789012:managed"),
    ],
    ids=lambda one: one["AlarmName"],
)
def test_alarm_that_reaches_nobody_does_not_count(tenth: dict[str, Any]) -> None:
    readings = alarms(*good(9), tenth) | {
        **another("gone", Missing("NotFound"), Missing("NotFound")),
        **another("pending", OPEN, {"Subscriptions": [PENDING]}),
        **another("shut", {"Attributes": {"Policy": json.dumps({"Statement": []})}}),
        **another("managed", {"Attributes": {**OPEN["Attributes"], "KmsMasterKeyId": "alias/aws/sns"}}),
    }
    found = verdict("CW-ALARMS", ACCOUNT, readings)
    assert (found.status, found.observed["reach_somebody"]) == (Status.FAIL, 9)


def test_composite_alarm_counts() -> None:
    assert verdict("CW-ALARMS", ACCOUNT, alarms(*good(9), composite=(alarm("all"),))).status is Status.PASS


def test_alarm_that_has_had_no_data_for_a_week_is_told() -> None:
    silent = alarm("wrong dimensions", StateValue="INSUFFICIENT_DATA", StateUpdatedTimestamp=ago(days=8))
    found = verdict("CW-ALARMS", ACCOUNT, alarms(*good(10), silent))
    assert (found.status, "wrong dimensions" in found.reason) == (Status.WARN, True)


@pytest.mark.parametrize(
    ("watched", "said"),
    [
        (watching("ThrottledRequests", TableName="orders"), "has data by Operation and TableName, not by TableName"),
        (watching("SystemErrors"), "not by no dimension"),
        (watching("UserErrors", TableName="orders"), "has data by no dimension"),
        (watching("ThrottledRequests", TableName="oders", Operation="PutItem"), "there is no dynamodb-table oders"),
        (watching("ReadThrottleEvents", TableName="oders"), "there is no dynamodb-table oders"),
        (watching("CPUUtilization", "AWS/RDS", DBInstanceIdentifier="order"), "there is no rds-instance order"),
        ({"Metrics": [{"Id": "m", "MetricStat": {"Metric": watching("SystemErrors")}}]}, "not by no dimension"),
    ],
)
def test_alarm_that_can_never_have_data_is_told_although_it_is_ok(watched: dict[str, Any], said: str) -> None:
    found = verdict("CW-ALARMS", ACCOUNT, alarms(*good(10), alarm("blind", **watched)) | LISTED)
    assert (found.status, said in found.reason) == (Status.WARN, True), found.reason
    assert list(found.observed["watch_nothing"]) == ["blind"]


@pytest.mark.parametrize(
    "watched",
    [
        watching("ThrottledRequests", **BY_OPERATION),
        watching("ReadThrottleEvents", TableName="orders", GlobalSecondaryIndexName="by-day"),
        watching("CPUUtilization", "AWS/RDS", DBInstanceIdentifier="orders"),
        watching("Processed", "Our/Shop", TableName="anything"),
        {"Metrics": [{"Id": "m", "Expression": "1"}, {"Id": "n", "AccountId": "9", "MetricStat": {"Metric": {}}}]},
    ],
)
def test_alarm_on_something_that_is_there_counts(watched: dict[str, Any]) -> None:
    found = verdict("CW-ALARMS", ACCOUNT, alarms(*good(9), alarm("tenth", **watched)) | LISTED)
    assert found.status is Status.PASS, found.reason


def test_tables_that_cannot_be_listed_leave_open_only_what_is_about_them() -> None:
    denied = {(ACCOUNT, TABLES): Unreadable("AccessDenied", "no")}
    about = alarm("about a table", **watching("ReadThrottleEvents", TableName="orders"))
    assert verdict("CW-ALARMS", ACCOUNT, alarms(*good(10)) | denied).status is Status.PASS
    assert verdict("CW-ALARMS", ACCOUNT, alarms(*good(10), about) | denied).status is Status.PASS
    assert verdict("CW-ALARMS", ACCOUNT, alarms(*good(9), about) | denied).status is Status.UNKNOWN


def test_alarm_of_the_profiles_name_that_watches_something_else_is_told() -> None:
    asked = {"alarms": [THROTTLED], "topic": "alerts", "least": 10}
    for watched, status in (
        (watching("ThrottledRequests", **BY_OPERATION), Status.PASS),
        (watching("ThrottledRequests", TableName="orders", Operation="Query"), Status.WARN),
        (watching("ReadThrottleEvents", TableName="orders"), Status.WARN),
    ):
        readings = alarms(*good(9), alarm("throttled", **watched)) | LISTED
        assert verdict("CW-ALARMS", ACCOUNT, readings, asked).status is status


def test_alarm_that_would_watch_nothing_is_refused_in_the_profile() -> None:
    with pytest.raises(ValidationError, match="throttled would watch nothing: ThrottledRequests has data by Operation"):
        Alarms(alarms=[{**THROTTLED, "dimensions": {"TableName": "orders"}}])


def test_condition_that_decides_about_alarms_warns() -> None:
    unsure = {"Attributes": {"Policy": for_cloudwatch("sns:Publish", Condition={"Bool": {"a:b": "true"}})}}
    tenth = alarm("tenth", "arn:aws:sns:eu-central-1:123456789012:unsure")
    found = verdict("CW-ALARMS", ACCOUNT, alarms(*good(9), tenth) | another("unsure", unsure))
    assert (found.status, "whether tenth reaches somebody" in found.reason) == (Status.WARN, True), found.reason


@pytest.mark.parametrize(
    "readings",
    [
        {(KEY, KEY_POLICY): {"Policy": for_cloudwatch("kms:Decrypt")}},
        {(KEY, DESCRIBE): {"KeyMetadata": METADATA | {"KeyState": "PendingDeletion"}}},
        {(KEY, DESCRIBE): Missing("NotFoundException")},
    ],
)
def test_key_that_cloudwatch_cannot_use_keeps_alarms_and_alerts_from_everybody(readings: Any) -> None:
    assert verdict("CW-ALARMS", ACCOUNT, healthy() | readings).status is Status.FAIL
    found = verdict("SNS-ALERT", ALERTS, healthy() | readings)
    assert (found.status, "lost silently" in found.reason) == (Status.WARN, True)


def test_new_alarm_without_data_yet_counts() -> None:
    fresh = alarm("fresh", StateValue="INSUFFICIENT_DATA", StateUpdatedTimestamp=ago(days=6))
    assert verdict("CW-ALARMS", ACCOUNT, alarms(*good(9), fresh)).status is Status.PASS


def test_topic_that_cannot_be_read_leaves_open_only_what_hangs_on_it() -> None:
    other = Resource(Kind.TOPIC, PLACE, "other")
    readings = alarms(*good(10), alarm("x", other.arn)) | another("other", OPEN, Unreadable("AccessDenied", "no"))
    assert verdict("CW-ALARMS", ACCOUNT, readings).status is Status.PASS
    assert verdict("CW-ALARMS", ACCOUNT, readings, {"least": 11}).status is Status.UNKNOWN


def test_alarm_that_the_profile_describes_must_be_there_by_name() -> None:
    asked = {"alarms": [THROTTLED], "topic": "alerts", "least": 11}
    assert verdict("CW-ALARMS", ACCOUNT, alarms(*good(10)), asked).status is Status.FAIL
    [change] = changes("CW-ALARMS", ACCOUNT, alarms(*good(10)), asked)
    assert change.call.parameters["AlarmActions"] == [ALERTS.arn]
    assert change.inverse is not None
    assert change.inverse.parameters == {"AlarmNames": ["throttled"]}


def test_alarm_of_that_name_is_never_written_over() -> None:
    asked = {"alarms": [THROTTLED, THROTTLED | {"name": "second"}], "topic": "alerts", "least": 1}
    proposed = changes("CW-ALARMS", ACCOUNT, alarms(alarm("throttled", "")), asked)
    assert [change.call.parameters["AlarmName"] for change in proposed] == ["second"]


def test_alarms_on_a_table_that_is_yet_to_come_are_made_one_after_the_other() -> None:
    dimensions = {"TableName": "coming", "Operation": "PutItem"}
    asked = {
        "alarms": [{**THROTTLED, "name": name, "dimensions": dimensions} for name in ("first", "second")],
        "topic": "alerts",
        "least": 2,
    }
    made = alarms(alarm("first", **watching("ThrottledRequests", **dimensions))) | LISTED
    before, after = (changes("CW-ALARMS", ACCOUNT, readings | LISTED, asked) for readings in (alarms(), made))
    assert list(after) == list(before)[1:]


@pytest.mark.parametrize(
    ("topic_readings", "asked", "said"),
    [
        (subscribed(PENDING), {"topic": "alerts", "alarms": [THROTTLED], "least": 1}, "Nobody has confirmed"),
        (topic(Policy="{}"), {"topic": "alerts", "alarms": [THROTTLED], "least": 1}, "not let CloudWatch publish"),
        (topic(KmsMasterKeyId="alias/aws/sns"), {"topic": "alerts", "alarms": [THROTTLED], "least": 1}, "silently"),
        (
            healthy() | {(ALERTS, TOPIC): Missing("NotFound")},
            {"topic": "alerts", "alarms": [THROTTLED], "least": 1},
            "SNS-ALERT comes first",
        ),
        (subscribed(), {"alarms": [THROTTLED], "least": 1}, "names no topic"),
        (subscribed(), {"alarms": [THROTTLED], "least": 2}, "1 would reach somebody, and 2 are asked"),
        (subscribed(), {}, "are there"),
    ],
)
def test_no_alarm_is_made_that_would_reach_nobody(topic_readings: Any, asked: dict[str, Any], said: str) -> None:
    none: dict[tuple[Any, Any], Any] = {(ACCOUNT, ALARMS): {"MetricAlarms": [], "CompositeAlarms": []}}
    with pytest.raises(CannotChange, match=said):
        changes("CW-ALARMS", ACCOUNT, topic_readings | none, asked)


# SNS-ALERT


@pytest.mark.parametrize(
    ("readings", "status", "said"),
    [
        (subscribed(PENDING), Status.WARN, "confirmed"),
        (topic(Policy=for_cloudwatch("sns:Subscribe")), Status.FAIL, "does not let CloudWatch publish"),
        (topic(KmsMasterKeyId="alias/aws/sns"), Status.WARN, "lost silently"),
        (
            topic(Policy=for_cloudwatch("sns:Publish", Condition={"Bool": {"aws:SecureTransport": "true"}})),
            Status.WARN,
            "condition decides",
        ),
        (topic(KmsMasterKeyId=None), Status.PASS, "confirmed"),
    ],
)
def test_topic_must_reach_somebody(readings: Any, status: Status, said: str) -> None:
    found = verdict("SNS-ALERT", ALERTS, readings)
    assert (found.status, said in found.reason) == (status, True), found.reason


def test_missing_topic_is_made_with_its_key_and_then_subscribed() -> None:
    readings = healthy() | {(ALERTS, TOPIC): Missing("NotFound"), (ALERTS, SUBSCRIPTIONS): Missing("NotFound")}
    asked = {"key": "alias/data", "subscribers": [{"endpoint": "ops@example.com"}]}
    create, subscribe = changes("SNS-ALERT", ALERTS, readings, asked)
    assert create.call.parameters == {"Name": "alerts", "Attributes": {"KmsMasterKeyId": "alias/data"}}
    assert subscribe.call.parameters["TopicArn"] == ALERTS.arn
    assert subscribe.reversibility is Reversibility.SIDE_EFFECTS


@pytest.mark.parametrize(
    "readings",
    [
        healthy() | {(ALERTS, TOPIC): Missing("NotFound"), (ALERTS, SUBSCRIPTIONS): Missing("NotFound")},
        topic(Policy=for_cloudwatch("sns:Subscribe")) | {(ALERTS, SUBSCRIPTIONS): {"Subscriptions": []}},
    ],
    ids=["that is missing", "that does not let CloudWatch publish"],
)
def test_topic_is_not_changed_where_nobody_would_be_told_anyhow(readings: Any) -> None:
    with pytest.raises(CannotChange, match="name `subscribers` in the profile"):
        changes("SNS-ALERT", ALERTS, readings)


def test_topic_of_another_region_is_not_made_here() -> None:
    elsewhere = named(Kind.TOPIC, PLACE, "arn:aws:sns:us-east-1:123456789012:alerts")
    with pytest.raises(CannotChange, match="another account or region"):
        changes("SNS-ALERT", elsewhere, {(elsewhere, TOPIC): Missing("NotFound")})


def test_grant_to_cloudwatch_is_merged_into_the_topics_policy() -> None:
    before = for_cloudwatch("sns:Subscribe", Sid="theirs")
    [change] = changes("SNS-ALERT", ALERTS, topic(Policy=before))
    theirs, ours = json.loads(change.call.parameters["AttributeValue"])["Statement"]
    assert (theirs["Sid"], ours["Action"]) == ("theirs", "sns:Publish")
    assert change.inverse is not None
    assert change.inverse.parameters["AttributeValue"] == before


def test_policy_that_denies_cloudwatch_is_not_worked_around() -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}
    with pytest.raises(CannotChange, match="denies CloudWatch"):
        changes("SNS-ALERT", ALERTS, topic(Policy=json.dumps({"Statement": [deny]})))


def test_subscriber_who_is_pending_is_not_asked_again() -> None:
    asked = {"subscribers": [{"endpoint": "ops@example.com"}]}
    with pytest.raises(CannotChange, match="confirm a subscription"):
        changes("SNS-ALERT", ALERTS, subscribed(PENDING), asked)


# SNS-KMS


def key(policy: str | None = None, **metadata: Any) -> dict[tuple[Any, Any], Any]:
    readings = healthy() | {(KEY, DESCRIBE): {"KeyMetadata": METADATA | metadata}}
    return readings | ({(KEY, KEY_POLICY): {"Policy": policy}} if policy else {})


@pytest.mark.parametrize(
    ("readings", "status", "said"),
    [
        (topic(KmsMasterKeyId=None), Status.FAIL, "not encrypted"),
        (topic(KmsMasterKeyId="alias/aws/sns"), Status.FAIL, "lost silently"),
        (key(for_cloudwatch("kms:Decrypt")), Status.FAIL, "does not let CloudWatch use it"),
        (key(KeyState="Disabled"), Status.FAIL, "Disabled"),
        (
            key(for_cloudwatch("kms:*", Condition={"StringEquals": {"kms:ViaService": "sns"}})),
            Status.WARN,
            "condition decides",
        ),
        (
            key(Arn=f"{KEY_ARN}9")
            | {(Resource(Kind.KEY, PLACE, "1234abcd9"), KEY_POLICY): {"Policy": for_cloudwatch("kms:*")}},
            Status.WARN,
            "another",
        ),
    ],
)
def test_key_of_a_topic_must_serve_cloudwatch(readings: Any, status: Status, said: str) -> None:
    found = verdict("SNS-KMS", ALERTS, readings, {"key": "alias/data"})
    assert (found.status, said in found.reason) == (status, True), found.reason


def test_key_is_opened_to_cloudwatch_before_the_topic_gets_it() -> None:
    before = json.dumps(statement(Principal={"AWS": "arn:aws:iam::123456789012:root"}, Action="kms:*", Resource="*"))
    readings = topic(KmsMasterKeyId="alias/aws/sns") | {(KEY, KEY_POLICY): {"Policy": before}}
    readings |= {(Resource(Kind.KEY, PLACE, "alias/aws/sns"), DESCRIBE): {"KeyMetadata": METADATA | {"Arn": "other"}}}
    asked = {"key": "alias/data", "change_policy": True}
    policy, encrypt = changes("SNS-KMS", ALERTS, readings, asked)
    assert policy.call.parameters["KeyId"] == KEY_ARN
    assert len(json.loads(policy.call.parameters["Policy"])["Statement"]) == 2
    assert policy.inverse is not None
    assert policy.inverse.parameters["Policy"] == before
    assert encrypt.call.parameters["AttributeValue"] == KEY_ARN
    assert encrypt.inverse is not None
    assert encrypt.inverse.parameters["AttributeValue"] == "alias/aws/sns"


def test_key_that_the_topic_has_already_is_only_opened() -> None:
    readings = key(json.dumps(statement(Principal={"AWS": "x"}, Action="kms:*", Resource="*")))
    found = changes("SNS-KMS", ALERTS, readings, {"change_policy": True})
    assert [one.call.operation for one in found] == ["put_key_policy"]


def test_policy_of_a_key_is_left_alone_unless_the_profile_asks_for_its_change() -> None:
    readings = key(json.dumps(statement(Principal={"AWS": "x"}, Action="kms:*", Resource="*")))
    with pytest.raises(CannotChange, match=r"let it kms:Decrypt and kms:GenerateDataKey, or ask for change_policy"):
        changes("SNS-KMS", ALERTS, readings)


@pytest.mark.parametrize(
    ("readings", "asked", "said"),
    [
        (topic(KmsMasterKeyId=None), {}, "names no key"),
        (topic(KmsMasterKeyId=None) | {(ALIAS, DESCRIBE): Missing("x")}, {"key": "alias/data"}, "There is no key"),
        (
            topic(KmsMasterKeyId=None) | {(ALIAS, DESCRIBE): {"KeyMetadata": METADATA | {"KeyManager": "AWS"}}},
            {"key": "alias/data"},
            "managed by AWS",
        ),
        (
            topic(KmsMasterKeyId=None)
            | {(KEY, KEY_POLICY): {"Policy": json.dumps(statement(Sid="a" * 32_700, Action="x", Resource="*"))}},
            {"key": "alias/data", "change_policy": True},
            "32 KB",
        ),
    ],
)
def test_key_that_will_not_do_is_refused_before_the_call(readings: Any, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(CannotChange, match=said):
        changes("SNS-KMS", ALERTS, readings, asked)


# Policies


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, Grant.YES),
        ({"StringEquals": {"aws:SourceAccount": PLACE.account}}, Grant.YES),
        ({"StringEquals": {"AWS:SourceOwner": PLACE.account}}, Grant.YES),
        ({"StringEquals": {"aws:SourceAccount": "999999999999"}}, Grant.NO),
        ({"StringNotEquals": {"aws:SourceAccount": PLACE.account}}, Grant.PERHAPS),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:*"}}, Grant.YES),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:one"}}, Grant.PERHAPS),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:*"}}, Grant.NO),
    ],
)
def test_condition_on_the_source_is_judged(condition: dict[str, Any], expected: Grant) -> None:
    policy = for_cloudwatch("sns:Publish", Condition=condition)
    assert grants(policy, CLOUDWATCH, ["sns:Publish"], PLACE) is expected


def test_default_policy_of_a_topic_lets_the_accounts_alarms_publish() -> None:
    default = statement(
        Principal={"AWS": "*"},
        Action=["SNS:Publish", "SNS:Subscribe"],
        Resource=ALERTS.arn,
        Condition={"StringEquals": {"AWS:SourceOwner": PLACE.account}},
    )
    assert grants(default, CLOUDWATCH, ["sns:Publish"], PLACE) is Grant.YES


def test_statement_replaces_the_one_of_its_name_and_no_other() -> None:
    once = with_statement(for_cloudwatch("a:b", Sid="theirs"), {"Sid": "ours", "Effect": "Allow", "Action": "c:d"})
    twice = with_statement(once, {"Sid": "ours", "Effect": "Allow", "Action": "e:f"})
    assert [one["Action"] for one in json.loads(twice)["Statement"]] == [["a:b"], "e:f"]
