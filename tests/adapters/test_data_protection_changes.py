"""From what an account is to what the checks ask: read, changed and read again, in moto's AWS.

moto takes more than AWS does, so that this says nothing of limits: those are tested where they are kept.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from data_protection.adapters.snapshots import Snapshots
from data_protection.assessments import Assessment, Finding, assess
from data_protection.changes import Call, Change
from data_protection.checks.catalogue import catalogue
from data_protection.collection import Questions
from data_protection.profiles import Profile
from data_protection.resources import Kind, Place, Resource, account_of
from data_protection.verdicts import Status
from tests.support.data_protection_account import profile
from tests.support.data_protection_moto import say_where_buckets_are

say_where_buckets_are()

PLACE = Place("123456789012", "eu-central-1")
ACCOUNT = account_of(PLACE)
ORDERS, NEW = (Resource(Kind.TABLE, PLACE, name) for name in ("orders", "new"))
AUDIO = Resource(Kind.BUCKET, PLACE, "audio")
ALERTS = Resource(Kind.TOPIC, PLACE, "alerts")
DATABASE = Resource(Kind.DATABASE, PLACE, "orders")
ALIAS = Resource(Kind.KEY, PLACE, "alias/data")
ROLE = Resource(Kind.ROLE, PLACE, "worker")
SECRET = Resource(Kind.SECRET, PLACE, "database")

ALARM = {
    "namespace": "AWS/DynamoDB",
    "metric": "ThrottledRequests",
    "dimensions": {"TableName": ORDERS.name, "Operation": "PutItem"},
    "threshold": 1,
}
ASKED: Mapping[Resource, Mapping[str, Any]] = {
    ORDERS: {"DDB-PITR": {}, "DDB-DELPROT": {}, "DDB-STREAM": {}, "DDB-TTL": {"attribute": "gone"}, "DDB-SCALE": {}},
    NEW: {
        "DDB-EXISTS": {
            "keys": {"partition": {"name": "id"}},
            "indexes": [{"name": "by-day", "partition": {"name": "day"}}],
        },
        "DDB-KMS": {"key": "alias/data"},
    },
    ACCOUNT: {
        "CT-LOGGING": {},
        "CT-HARDEN": {"encrypted": False},
        "CT-DATA": {},
        "CW-ALARMS": {
            "topic": "alerts",
            "least": 3,
            "alarms": [{"name": f"throttled-{number}", **ALARM} for number in range(3)],
        },
    },
    ALERTS: {
        "SNS-ALERT": {"subscribers": [{"protocol": "email", "endpoint": "ops@example.com"}]},
        "SNS-KMS": {"key": "alias/data", "change_policy": True},
    },
    DATABASE: {"RDS-BACKUP": {}, "RDS-PUBLIC": {}, "RDS-ENC": {}},
    ALIAS: {"KMS-ROT": {}},
    AUDIO: {"S3-BPA": {}},
    ROLE: {"IAM-LEAST": {}},
    SECRET: {"SEC-ROT": {}},
}


_clients: dict[str, Any] = {}


def client(service: str, region: str = PLACE.region) -> Any:
    assert region == PLACE.region
    return _clients[service]


@pytest.fixture(autouse=True)
def bare_account() -> None:
    # Made before the threads that share them, as a session may make clients in one thread only; and once for all tests.
    services = {read.service for check in catalogue().values() for read in (*check.reads, *check.further)}
    for service in sorted(services - set(_clients)):
        _clients[service] = boto3.client(service, region_name=PLACE.region)  # type: ignore[call-overload]
    client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    )
    for bucket in ("audio", "trail-logs"):
        client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": PLACE.region})
    client("cloudtrail").create_trail(Name="main", S3BucketName="trail-logs", IsMultiRegionTrail=True)
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName="alias/data", TargetKeyId=key)
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    anybody = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}],
    }
    client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(anybody))
    client("iam").put_role_policy(RoleName="worker", PolicyName="all", PolicyDocument=json.dumps(everything))
    client("secretsmanager").create_secret(Name="database", SecretString="none")
    client("rds").create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        PubliclyAccessible=True,
        BackupRetentionPeriod=1,
        MasterUsername="admin_user",
        MasterUserPassword="not-a-secret-1",
        AllocatedStorage=20,
    )


def look(asked: Profile) -> Assessment:
    now = datetime.now(UTC)
    return assess(Snapshots(client).take(Questions(PLACE, asked), now), asked, now)


def statuses(assessment: Assessment) -> dict[tuple[str, str], Status]:
    return {(one.check.id, str(one.resource)): one.status for one in assessment.findings}


def apply(call: Call) -> None:
    getattr(client(call.service), call.operation)(**call.parameters)


def fix(asked: Profile, *checks: str) -> int:
    """Apply everything that the mutators of some checks propose for what does not pass, and return how much it was.

    What stands there is by their own reading what a change replaces, and then what the last one makes.
    """
    changes = [
        (finding, change)
        for finding in look(asked).findings
        if finding.check.id in checks and finding.status in {Status.FAIL, Status.WARN}
        for change in propose(finding)
    ]
    for finding, change in changes:
        assert present(finding, change) == change.before
        apply(change.call)
    if changes:
        snapshot = look(asked).snapshot
        last = {id(finding): (finding, change) for finding, change in changes}
        for finding, change in last.values():
            now = replace(finding, case=replace(finding.case, snapshot=snapshot))
            assert present(now, change) == change.after
    return len(changes)


def present(finding: Finding, change: Change) -> Any:
    assert finding.check.mutator is not None
    return finding.check.mutator.present(finding.case, change)


def propose(finding: Finding) -> Sequence[Change]:
    assert finding.check.mutator is not None
    return finding.check.mutator.propose(finding.case)


FIRST = ("DDB-EXISTS", "SNS-ALERT", "CT-LOGGING", "KMS-ROT", "RDS-BACKUP", "RDS-PUBLIC", "DDB-PITR", "DDB-DELPROT")
SECOND = ("SNS-KMS", "CW-ALARMS", "CT-DATA", "CT-HARDEN", "DDB-STREAM", "DDB-SCALE", "DDB-TTL")


def test_bare_account_fails_everything_that_is_asked() -> None:
    found = statuses(look(profile(ASKED)))
    assert {one for one, status in found.items() if status is Status.PASS} == set()
    assert set(found.values()) == {Status.FAIL}


def test_faults_of_a_role_are_read_from_all_its_policies() -> None:
    [verdict] = [one.verdict for one in look(profile({ROLE: {"IAM-LEAST": {}}})).findings]
    assert verdict.observed["faults"] == ["its trust policy lets everybody have it", "all allows every action"]


def test_changes_make_the_checks_pass_that_proposed_them() -> None:
    asked = profile(ASKED)
    fix(asked, *FIRST)
    fix(asked, *SECOND)
    found = {one: status for one, status in statuses(look(asked)).items() if one[0] in {*FIRST, *SECOND, "DDB-KMS"}}
    assert found == dict.fromkeys(found, Status.PASS)


@pytest.mark.parametrize(
    ("resource", "check"), [(ORDERS, "DDB-SCALE"), (ALERTS, "SNS-ALERT"), (ALERTS, "SNS-KMS"), (ACCOUNT, "CW-ALARMS")]
)
def test_each_of_several_changes_makes_way_for_the_next(resource: Resource, check: str) -> None:
    if check != "SNS-ALERT":
        fix(profile(ASKED), "SNS-ALERT")
    asked = profile({resource: {check: ASKED[resource][check]}})
    [finding] = look(asked).findings
    planned = propose(finding)
    assert len(planned) > 1
    for change, following in pairwise(planned):
        apply(change.call)
        [finding] = look(asked).findings
        assert present(finding, change) == change.after
        assert propose(finding)[0] == following


def test_second_run_plans_nothing() -> None:
    asked = profile(ASKED)
    fix(asked, *FIRST)
    fix(asked, *SECOND)
    assert fix(asked, *FIRST, *SECOND) == 0


def test_denied_call_leaves_unknown_what_it_is_about_and_nothing_else() -> None:
    asked = profile(ASKED)
    control = statuses(look(asked))

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeAlarms")

    events = client("cloudwatch").meta.events
    events.register("before-call.cloudwatch.DescribeAlarms", refuse)
    try:
        found = statuses(look(asked))
    finally:
        events.unregister("before-call.cloudwatch.DescribeAlarms", refuse)
    assert found == control | {("CW-ALARMS", str(ACCOUNT)): Status.UNKNOWN}
