"""Snapshots and findings against moto: what is throttled or odd stays what it is, and touches nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from data_protection.adapters.findings import FindingStore
from data_protection.adapters.reports import ReportStore
from data_protection.adapters.snapshots import Snapshots, reading_of
from data_protection.assessor import Assessor
from data_protection.contracts import AssessPlace, PlaceAssessed, PlaceRef
from data_protection.profiles import Profile, parse
from data_protection.readings import Found, Read, Unreadable
from data_protection.reads.cloudwatch import ALARMS
from data_protection.resources import Kind, Resource, account_of
from data_protection.verdicts import Status
from tests.support.protection import NOON, PLACE, REGION, Protected, protected

LAKE, FINDINGS = "lake-of-findings", "findings"
BY_PATTERN = """
name: t
rules:
- {kind: dynamodb-table, select: [{pattern: orders*}], requires: {DDB-DELPROT: {}, DDB-PITR: {}}}
"""
BY_TAG = "{name: t, rules: [{kind: sns-topic, select: [{name: alerts}, {tag: {team: x}}], requires: {SNS-ALERT: {}}}]}"


@pytest.fixture
def account() -> Iterator[Protected]:
    with protected() as made:
        made.client("s3").create_bucket(Bucket=LAKE, CreateBucketConfiguration={"LocationConstraint": REGION})
        made.client("dynamodb").create_table(
            TableName=FINDINGS,
            KeySchema=[{"AttributeName": "place", "KeyType": "HASH"}, {"AttributeName": "entry", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("place", "entry")],
            BillingMode="PAY_PER_REQUEST",
        )
        yield made


@contextmanager
def throttled(client: Any, operation: str, about: str = "") -> Iterator[None]:
    """Throttle an operation to the end, for requests that speak of something."""

    def refuse(params: Any, **_: Any) -> None:
        if about in str(params["body"]):
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, operation)

    event = f"before-call.{client.meta.service_model.service_name}.{operation}"
    client.meta.events.register(event, refuse)
    try:
        yield
    finally:
        client.meta.events.unregister(event, refuse)


def store(account: Protected) -> FindingStore:
    return FindingStore(account.client("s3"), LAKE, account.client("dynamodb"), FINDINGS)


def assessed(account: Protected, profile: Profile, run: str) -> PlaceAssessed:
    asked = AssessPlace(run=run, time=account.now, place=PlaceRef.of(PLACE))
    return Assessor(Snapshots(account.client), store(account), profile, "t").assess(asked, account.now)


def test_read_that_is_throttled_to_the_end_is_unknown_and_changes_no_other_result(account: Protected) -> None:
    for name in ("orders-1", "orders-2", "orders-3"):
        account.table(name)
    profile = parse(BY_PATTERN)

    def verdicts() -> dict[tuple[str, str], Any]:
        return {(one.check.id, one.resource.name): one.verdict for one in account.assess(profile).findings}

    control = verdicts()
    with throttled(account.client("dynamodb"), "DescribeContinuousBackups", about='"orders-2"'):
        found = verdicts()

    changed = {pair: verdict for pair, verdict in found.items() if verdict != control[pair]}
    assert changed.keys() == {("DDB-PITR", "orders-2")}
    assert changed["DDB-PITR", "orders-2"].status is Status.UNKNOWN
    assert changed["DDB-PITR", "orders-2"].observed == {"error": "ThrottlingException"}


def test_listing_that_is_throttled_makes_nothing_vanish_and_forgets_nothing(account: Protected) -> None:
    account.table("orders")
    account.client("dynamodb").update_table(TableName="orders", DeletionProtectionEnabled=True)
    profile, pair = parse(BY_PATTERN), ("DDB-DELPROT", f"arn:aws:dynamodb:{REGION}:{PLACE.account}:table/orders")
    assessed(account, profile, "monday")

    account.pass_time(days=1)
    with throttled(account.client("dynamodb"), "ListTables"):
        found = assessed(account, profile, "tuesday")
    assert (found.counts[Status.UNKNOWN], found.coverage) == (3, 0.0)
    standing = store(account).standings(PLACE)[pair]
    assert (standing.status, standing.best) == (Status.UNKNOWN, Status.PASS)

    # What was changed in the meantime is still known to have been better.
    account.client("dynamodb").update_table(TableName="orders", DeletionProtectionEnabled=False)
    account.pass_time(days=1)
    assessed(account, profile, "wednesday")
    standing = store(account).standings(PLACE)[pair]
    assert (standing.status, standing.best) == (Status.FAIL, Status.PASS)
    assert standing.since == NOON + timedelta(days=2)


def test_table_that_is_gone_is_forgotten_once_that_can_be_seen(account: Protected) -> None:
    account.table("orders")
    assessed(account, parse(BY_PATTERN), "monday")
    account.client("dynamodb").delete_table(TableName="orders")

    account.pass_time(days=1)
    assessed(account, parse(BY_PATTERN), "tuesday")

    assert [check for check, _ in store(account).standings(PLACE)] == ["SCOPE-LISTED"]


def test_assessment_keeps_what_exceptions_it_met_and_by_which_profile_it_was(account: Protected) -> None:
    account.table("orders")
    given = {
        "check": "DDB-PITR",
        "kind": "dynamodb-table",
        "owner": "x",
        "reason": "made every night",
        "expires": "2099-12-31",
    }
    named = [given | {"name": "orders"}, given | {"name": "order"}]
    assessed(account, Profile.model_validate(parse(BY_PATTERN).model_dump() | {"exceptions": named}), "monday")

    reports = ReportStore(account.client("s3"), LAKE, account.client("dynamodb"), FINDINGS)
    [look] = reports.looks("monday", account.now)
    assert [(one.name, one.aimed, one.profile) for one in look.exceptions] == [
        ("orders", True, "t"),
        ("order", False, "t"),
    ]
    account.pass_time(days=1)
    assessed(account, parse(BY_PATTERN), "tuesday")
    [look] = reports.looks("tuesday", account.now)
    assert (look.profile, [one.run for one in look.comparable], len(look.former or ())) == ("t", ["monday"], 3)


def test_topic_that_is_named_and_tagged_can_be_assessed(account: Protected) -> None:
    account.client("sns").create_topic(Name="alerts", Tags=[{"Key": "team", "Value": "x"}])

    found = assessed(account, parse(BY_TAG), "monday")

    assert sum(found.counts.values()) == 2
    assert [check for check, _ in store(account).standings(PLACE)] == ["SCOPE-LISTED", "SNS-ALERT"]


def test_answer_that_leads_nowhere_is_unreadable_of_this_call_alone(account: Protected) -> None:
    def lead(_resource: Resource, answer: Any) -> list[Resource]:
        return [Resource(Kind.TABLE, PLACE, answer["TableNames"][99])]

    read = Read("test", Kind.ACCOUNT, "dynamodb", "list_tables", lambda _: {}, frozenset())
    leading = Read(**{**vars(read), "leads_to": lead})

    assert isinstance(reading_of(account.client, read, account_of(PLACE), account.now), Found)
    reading = reading_of(account.client, leading, account_of(PLACE), account.now)
    assert isinstance(reading, Unreadable)
    assert (reading.code, reading.message) == ("MalformedResponse", "IndexError: list index out of range")


def test_alarm_whose_action_is_no_topic_leads_nowhere() -> None:
    alarms = [{"AlarmActions": ["arn:aws:automate:eu-central-1:ec2:stop", "odd", "arn:aws:sns:eu-central-1:1:t"]}]

    assert ALARMS.leads_to is not None
    led = ALARMS.leads_to(account_of(PLACE), {"MetricAlarms": alarms, "CompositeAlarms": []})

    assert [one.name for one in led] == ["arn:aws:sns:eu-central-1:1:t"]
