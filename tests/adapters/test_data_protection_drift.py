"""What drift keeps, and what it may call."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from data_protection.adapters.attempts import AttemptStore
from data_protection.adapters.calls import Calls, ReversibleCalls
from data_protection.adapters.drifts import DriftStore
from data_protection.adapters.estate import Clients
from data_protection.adapters.findings import Expectations, FindingStore
from data_protection.adapters.fixes import FixQueue
from data_protection.changes import Call
from data_protection.contracts import PlaceRef
from data_protection.drift.attempts import Freeze
from data_protection.drift.drifts import Drift, DriftEnd, Ending
from data_protection.errors import StepRefused
from data_protection.estate import Account
from data_protection.findings import Standing
from data_protection.resources import Kind, Place, Resource, account_of
from data_protection.verdicts import Status
from kernel import aws
from tests.support.aws import LAKE
from tests.support.data_protection_account import NOW, PLACE
from tests.support.data_protection_drift import FINDINGS, REMEDIATIONS, Watched, watched
from tests.support.data_protection_reports import row


@pytest.fixture
def aws_account() -> None:
    """Leave the account to `watched`."""


@pytest.fixture(scope="module")
def account() -> Iterator[Watched]:
    with watched() as made:
        yield made


def store() -> FindingStore:
    return FindingStore(aws.s3(), LAKE, aws.dynamodb(), FINDINGS)


def drift(place: Place = PLACE, check: str = "DDB-PITR", of: Resource | None = None) -> Drift:
    resource = of or Resource(Kind.TABLE, place, "orders")
    return Drift(
        id=f"{check}-1",
        place=PlaceRef.of(place),
        check=check,
        kind=resource.kind,
        name=resource.name,
        arn=resource.arn,
        before=Status.PASS,
        status=Status.FAIL,
        reason="It is off.",
        since=NOW,
        found=NOW,
    )


def end(of: Drift, ended: datetime = NOW) -> DriftEnd:
    return DriftEnd(drift=of, how=Ending.FIXED, ended=ended, look="sweep-1")


@pytest.mark.usefixtures("account")
def test_a_look_does_not_overwrite_what_a_later_one_saw() -> None:
    seen = row("DDB-PITR", Status.PASS)
    earlier = row("DDB-PITR", Status.FAIL)
    later = Standing(Status.PASS, seen.time + timedelta(minutes=5), Status.PASS)
    findings = store()
    findings.follow(PLACE, [seen], {}, whole=True)

    findings.follow(PLACE, [earlier], {(seen.check, seen.arn): later}, whole=False)

    assert {one.status for one in findings.standings(PLACE).values()} == {Status.PASS}


@pytest.mark.usefixtures("account")
def test_closing_a_drift_leaves_the_one_that_came_after_it() -> None:
    drifts, place = DriftStore(aws.dynamodb(), FINDINGS), Place("000000000009", PLACE.region)
    first = drift(place)
    again = first.model_copy(update={"id": "another", "found": NOW + timedelta(seconds=1)})
    drifts.open(first)
    drifts.open(again)

    drifts.close(end(first))
    assert drifts.open_in(place) == {again.pair: again}
    drifts.close(end(again))
    drifts.close(end(again, NOW + timedelta(minutes=5)))

    assert drifts.open_in(place) == {}
    assert drifts.ended_in(place) == [end(first), end(again)], "each as it was seen first"


@pytest.mark.usefixtures("account")
def test_a_finding_of_before_standings_were_remembered_stands_as_it_is() -> None:
    item = {
        "place": {"S": "old/eu-central-1"},
        "entry": {"S": "finding#DDB-PITR#arn"},
        "check": {"S": "DDB-PITR"},
        "arn": {"S": "arn"},
        "status": {"S": "warn"},
        "since": {"S": NOW.isoformat()},
    }
    aws.dynamodb().put_item(TableName=FINDINGS, Item=item)

    [standing] = store().standings(Place("old", "eu-central-1")).values()
    assert standing == Standing(Status.WARN, NOW, Status.WARN)


@pytest.mark.usefixtures("account")
def test_a_freeze_is_of_the_resource_in_its_region() -> None:
    attempts = AttemptStore(aws.dynamodb(), REMEDIATIONS)
    made = Freeze(drift=drift(), until=NOW, reverts=())
    attempts.freeze(made)

    assert attempts.frozen(drift()) == made
    assert attempts.frozen(drift(Place(PLACE.account, "us-east-1"))) is None
    assert attempts.since(drift(), NOW - timedelta(days=1)) == []


def test_fixes_of_one_resource_wait_for_each_other_and_those_of_the_account_do_not(account: Watched) -> None:
    queue, of_account = FixQueue(aws.sqs(), account.fix_queue), account_of(PLACE)
    for asked in (
        drift(),
        drift(check="DDB-DELPROT"),
        drift(check="CT-LOGGING", of=of_account),
        drift(check="CW-ALARMS", of=of_account),
    ):
        queue.ask(asked)

    given = aws.sqs().receive_message(
        QueueUrl=account.fix_queue, MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"]
    )["Messages"]
    groups = {json.loads(one["Body"])["check"]: one["Attributes"]["MessageGroupId"] for one in given}

    assert groups["DDB-PITR"] == groups["DDB-DELPROT"]
    assert len(set(groups.values())) == 3


@pytest.mark.parametrize(
    ("check", "call"),
    [
        ("DDB-KMS", Call(service="dynamodb", operation="update_table", parameters={"TableName": "orders"})),
        ("S3-LOCK", Call(service="s3", operation="put_object_lock_configuration", parameters={})),
        ("DDB-PITR", Call(service="dynamodb", operation="delete_table", parameters={"TableName": "orders"})),
        ("IAM-LEAST", Call(service="iam", operation="delete_role", parameters={})),
        ("RDS-TLS", Call(service="rds", operation="modify_db_parameter_group", parameters={})),  # of phase 3
    ],
)
def test_nothing_grave_or_undeclared_is_called_without_asking(check: str, call: Call) -> None:
    def client(*_: Any) -> Any:
        raise AssertionError("it was called")

    with pytest.raises(StepRefused):
        ReversibleCalls(client).make(check, call, PLACE.region)


def test_what_is_done_without_asking_needs_fewer_permissions() -> None:
    assert ReversibleCalls.IAM < Calls.IAM
    assert not {"iam:PassRole", "lambda:InvokeFunction", "s3:PutBucketObjectLockConfiguration"} & ReversibleCalls.IAM
    assert not {"rds:ModifyDBParameterGroup", "application-autoscaling:PutScalingPolicy"} & ReversibleCalls.IAM


@pytest.mark.usefixtures("account")
def test_only_the_own_account_is_changed_without_a_role() -> None:
    account = Account(account=PLACE.account, regions=(PLACE.region,))

    assert Clients.changing(account, 1, own_account=PLACE.account) is not None
    assert Clients.changing(account, 1, own_account="210987654321") is None


@pytest.mark.usefixtures("account")
def test_what_is_expected_to_get_worse_stands_as_the_last_look_has_kept_it() -> None:
    place, until = Place("000000000008", PLACE.region), NOW + timedelta(hours=1)
    findings, expectations = store(), Expectations(aws.dynamodb(), FINDINGS)
    read = row("DDB-PITR", Status.PASS, account=place.account)
    unseen = row("DDB-DELPROT", Status.PASS, account=place.account)
    worse = row("DDB-PITR", Status.FAIL, account=place.account, run="meanwhile")
    findings.follow(place, [worse], {worse.pair: Standing(Status.PASS, worse.since, Status.PASS)}, whole=False)

    expectations.keep(place, [read, unseen], until)

    kept = findings.standings(place)
    assert kept == {
        read.pair: Standing(Status.FAIL, worse.since, Status.PASS, until),
        unseen.pair: Standing(Status.PASS, unseen.since, Status.PASS, until),
    }
    assert kept[read.pair].look == "meanwhile"
