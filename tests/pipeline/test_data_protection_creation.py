"""Resources that are asked for: made protected, made once, gone on with after a crash, and never taken from others."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from data_protection.creation.outlines import Standing
from data_protection.errors import CreationRefused
from data_protection.verdicts import Status
from tests.support.data_protection_creating import DATABASE, Workshop, workshop

KEY = {"name": "alias/data", "services": ["cloudwatch.amazonaws.com"]}
LOGS = {"name": "logs-1", "receives_logs": True, "tiers": [{"expire_days": 365}]}
AUDIO = {
    "name": "audio-1",
    "key": "alias/data",
    "access_logs": {"target": "logs-1"},
    "lock": {"days": 30},
    "tiers": [{"transitions": [{"days": 90, "storage_class": "STANDARD_IA"}]}],
}
ORDERS = {
    "name": "orders",
    "key": "alias/data",
    "keys": {"partition": {"name": "id"}, "sort": {"name": "at"}},
    "indexes": [{"name": "by-day", "partition": {"name": "day"}}],
    "expires_by": "gone",
}
WORKER = {
    "name": "worker",
    "runs": "ec2",
    "statements": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::audio-1/*"]}],
}
PASSWORD = {"name": "shop/partner", "key": "alias/data", "username": "shop", "unrotated": "The partner sets it."}
CLUSTER = {
    "name": "ledger",
    "engine": "aurora-postgresql",
    "version": "16.4",
    "instance_class": "db.r7g.large",
    "username": "owner",
    "key": "alias/data",
    "subnet_group": "private",
    "security_groups": ["sg-12345678"],
}


def whole(name: str) -> dict[str, Any]:
    """Return a request for one of each, which need each other."""
    key, logs = f"alias/{name}", f"{name}-logs"
    return {
        "name": name,
        "tags": {"project": "shop"},
        "keys": [{"name": key}],
        "buckets": [
            {**AUDIO, "name": f"{name}-audio", "key": key, "access_logs": {"target": logs}},
            {**LOGS, "name": logs},
        ],
        "tables": [{**ORDERS, "name": f"{name}-orders", "key": key}],
        "roles": [{**WORKER, "name": f"{name}-worker"}],
        "secrets": [{**PASSWORD, "name": f"{name}-partner", "key": key}],
        "databases": [{**DATABASE, "name": f"{name}-orders", "key": key}],
        "clusters": [{**CLUSTER, "name": f"{name}-ledger", "key": key}],
    }


class Killed(BaseException):
    """The worker is no more."""


class Mortal:
    """Kills its worker right after a call, before anything is kept of it."""

    def __init__(self, at: int) -> None:
        self.at, self.seen = at, 0

    def __call__(self, calls: Any) -> Any:
        mortal = self

        class Calls:
            def make(self, *arguments: Any) -> Any:
                mortal.seen += 1
                answer = calls.make(*arguments)
                if mortal.seen == mortal.at:
                    raise Killed
                return answer

        return Calls()


@pytest.fixture(scope="module")
def furnished() -> Iterator[Workshop]:
    """Yield an account that has a key and a bucket for logs, for what needs them."""
    with workshop() as made:
        subnets = [one["SubnetId"] for one in made.client("ec2").describe_subnets()["Subnets"]]
        made.client("rds").create_db_subnet_group(
            DBSubnetGroupName="private", DBSubnetGroupDescription="private", SubnetIds=subnets
        )
        assert made.run({"name": "basis", "keys": [KEY], "buckets": [LOGS]}).passed
        yield made


def test_what_is_missing_is_made_and_passes_its_checks_and_a_second_run_writes_nothing(furnished: Workshop) -> None:
    judged = furnished.run(whole("shop"), "first")
    assert judged.problems == ()
    assert (judged.passed, judged.created) == (True, 8)
    assert judged.standings == {**dict.fromkeys(Standing, 0), Standing.SAME: 8}
    assert judged.statuses == {**dict.fromkeys(Status, 0), Status.PASS: sum(judged.statuses.values())}
    made = [resource["made"] for resource in furnished.kept("report.json", "first")["resources"]]
    assert made == [True] * 8

    furnished.made.clear()
    planned = furnished.plan("shop", "second")
    assert (planned.calls, planned.resources, planned.counts[Standing.SAME]) == (0, (), 8)
    furnished.make(planned, "second")
    judged = furnished.judge("second")
    assert furnished.made == []
    assert (judged.passed, judged.created) == (True, 0)


def test_what_comes_into_being_is_never_without_key_lock_stream_and_protection(furnished: Workshop) -> None:
    furnished.run({"name": "born", "buckets": [{**AUDIO, "name": "born-1"}], "tables": [{**ORDERS, "name": "born"}]})
    table = next(call.parameters for call in furnished.made if call.parameters.get("TableName") == "born")
    bucket = next(call.parameters for call in furnished.made if call.parameters.get("Bucket") == "born-1")
    assert table["DeletionProtectionEnabled"] is True
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert table["StreamSpecification"]["StreamEnabled"] is True
    assert bucket["ObjectLockEnabledForBucket"] is True
    assert bucket["ObjectOwnership"] == "BucketOwnerEnforced"


def test_what_is_made_is_what_was_planned(furnished: Workshop) -> None:
    furnished.made.clear()
    some = {"name": "plans", "buckets": [{**AUDIO, "name": "plans-1"}], "tables": [{**ORDERS, "name": "plans"}]}
    furnished.run(some, "plans")
    assert furnished.made == furnished.planned_calls("plans")


def test_plan_of_what_needs_each_other_is_complete_before_anything_exists(furnished: Workshop) -> None:
    furnished.ask(whole("dry"))
    furnished.made.clear()
    planned = furnished.plan("dry", "dry")
    assert [(resource.stage, resource.name) for resource in planned.resources] == [
        (0, "alias/dry"),
        (1, "dry-worker"),
        (2, "dry-logs"),
        (3, "dry-audio"),
        (4, "dry-orders"),
        (5, "dry-partner"),
        (6, "dry-orders"),
        (6, "dry-ledger"),
    ]
    assert furnished.made == []
    furnished.make(planned, "dry")
    assert furnished.operations == [f"{call.service}:{call.operation}" for call in furnished.planned_calls("dry")]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("keys", {"name": "alias/crash-{}"}),
        ("buckets", {**AUDIO, "name": "crash-{}"}),
        ("buckets", {**LOGS, "name": "crash-logs-{}"}),
        ("tables", {**ORDERS, "name": "crash-{}", "indexes": []}),
        ("roles", {**WORKER, "name": "crash-{}"}),
        ("secrets", {**PASSWORD, "name": "crash/{}"}),
        ("databases", {**DATABASE, "name": "crash-{}"}),
        ("clusters", {**CLUSTER, "name": "crash-{}", "instances": 1}),
    ],
    ids=["key", "bucket", "log target", "table", "role", "secret", "database", "cluster"],
)
def test_wherever_a_worker_dies_the_rest_is_done_and_no_call_made_twice(
    furnished: Workshop, kind: str, wanted: dict[str, Any]
) -> None:
    def request(name: str) -> dict[str, Any]:
        return {"name": name, kind: [{**wanted, "name": wanted["name"].format(name)}]}

    furnished.made.clear()
    furnished.run(request("whole"), "whole")
    expected = list(furnished.operations)
    for effect in count(1):
        furnished.made.clear()
        mortal, name = Mortal(effect), f"number-{effect}"
        try:
            furnished.run(request(name), name, mortal)
        except Killed:
            judged = furnished.run(request(name), f"{name}-again")
        else:
            assert mortal.seen == effect - 1 == len(expected)
            break
        assert furnished.operations == expected, effect
        assert (judged.passed, judged.standings[Standing.SAME]) == (True, 1), effect


def test_what_others_made_is_compared_and_left_alone(furnished: Workshop) -> None:
    s3, dynamodb = furnished.client("s3"), furnished.client("dynamodb")
    s3.create_bucket(Bucket="theirs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    dynamodb.create_table(
        TableName="theirs",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    furnished.made.clear()
    judged = furnished.run(
        {"name": "over", "buckets": [{**AUDIO, "name": "theirs"}], "tables": [{**ORDERS, "name": "theirs"}]}, "over"
    )
    assert furnished.made == []
    assert (judged.passed, judged.standings[Standing.DIFFERS]) == (True, 2)
    bucket, table = furnished.kept("report.json", "over")["resources"]
    assert "S3-VERSION: Versioning is never enabled." in bucket["differences"]
    assert "DDB-EXISTS: Its keys are HASH id:S. It has no index by-day." in table["differences"]


def test_what_was_made_and_changed_since_is_reported_and_left_alone(furnished: Workshop) -> None:
    request = {"name": "drift", "tables": [{**ORDERS, "name": "drift"}]}
    furnished.run(request, "drift")
    furnished.made.clear()
    furnished.client("dynamodb").update_continuous_backups(
        TableName="drift", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    judged = furnished.run(request, "drift-again")
    assert furnished.made == []
    assert (judged.passed, judged.standings[Standing.DIFFERS]) == (True, 1)
    [table] = furnished.kept("report.json", "drift-again")["resources"]
    assert table["differences"] == ["DDB-PITR: Point-in-time recovery is off."]


def test_what_another_request_is_making_is_not_gone_on_with(furnished: Workshop) -> None:
    request = {"name": "first", "tables": [{**ORDERS, "name": "shared"}]}
    with pytest.raises(Killed):
        furnished.run(request, "first", Mortal(1))
    furnished.made.clear()
    furnished.run({**request, "name": "second"}, "second")
    assert furnished.made == []
    [table] = furnished.kept("report.json", "second")["resources"]
    assert "It is being made by first/shared." in table["differences"]


def test_policy_of_a_log_target_that_others_made_is_not_touched(furnished: Workshop) -> None:
    furnished.client("s3").create_bucket(
        Bucket="their-logs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    furnished.ask(
        {"name": "logged", "buckets": [{**AUDIO, "name": "audio-9", "access_logs": {"target": "their-logs"}}]}
    )
    with pytest.raises(CreationRefused, match="needs their-logs changed for S3-LOG"):
        furnished.plan("logged")


def test_a_key_that_is_nowhere_is_told_before_the_first_call(furnished: Workshop) -> None:
    furnished.ask({"name": "keyless", "tables": [{**ORDERS, "key": "alias/nowhere", "name": "keyless"}]})
    with pytest.raises(CreationRefused, match="There is no key alias/nowhere"):
        furnished.plan("keyless")


def test_created_resource_that_fails_its_checks_fails_the_run(furnished: Workshop) -> None:
    request = {"name": "spoiled", "tables": [{**ORDERS, "name": "spoiled"}]}
    furnished.ask(request)
    furnished.make(furnished.plan("spoiled", "spoiled"), "spoiled")
    furnished.client("dynamodb").update_table(TableName="spoiled", DeletionProtectionEnabled=False)
    judged = furnished.judge("spoiled")
    assert not judged.passed
    assert judged.problems == ("dynamodb-table/spoiled fails DDB-DELPROT: Deletion protection is off.",)


def test_instance_of_a_created_cluster_that_fails_its_checks_fails_the_run(furnished: Workshop) -> None:
    furnished.ask({"name": "exposed", "clusters": [{**CLUSTER, "name": "exposed"}]})
    furnished.make(furnished.plan("exposed", "exposed"), "exposed")
    furnished.client("rds").modify_db_instance(DBInstanceIdentifier="exposed-2", PubliclyAccessible=True)
    judged = furnished.judge("exposed")
    assert not judged.passed
    assert judged.problems == ("rds-instance/exposed-2 fails RDS-PUBLIC: It has a public address.",)


def test_bucket_of_others_whose_logs_would_not_arrive_is_told_so_and_is_no_failure(furnished: Workshop) -> None:
    s3, location = furnished.client("s3"), {"LocationConstraint": "eu-central-1"}
    for bucket in ("silent", "silent-logs"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
    wanted = {**AUDIO, "name": "silent", "key": "alias/nowhere", "access_logs": {"target": "silent-logs"}}
    furnished.made.clear()
    judged = furnished.run({"name": "silent", "buckets": [wanted]}, "silent")
    assert furnished.made == []
    assert (judged.passed, judged.standings[Standing.DIFFERS]) == (True, 1)


def test_what_others_make_between_plan_and_apply_is_left_alone_and_fails_the_run(furnished: Workshop) -> None:
    furnished.ask({"name": "raced", "buckets": [{**LOGS, "name": "raced-1"}]})
    planned = furnished.plan("raced", "raced")
    furnished.client("s3").create_bucket(
        Bucket="raced-1", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    furnished.made.clear()
    furnished.make(planned, "raced")
    judged = furnished.judge("raced")
    assert furnished.made == []
    assert (judged.passed, judged.created) == (False, 0)
    assert "s3-bucket/raced-1 fails S3-BPA" in judged.problems[1]


def test_two_keys_of_two_runs_at_once_are_told_apart_by_people(furnished: Workshop) -> None:
    request = {"name": "twins", "keys": [{"name": "alias/twin"}]}
    with pytest.raises(Killed):
        furnished.run(request, "twins", Mortal(1))
    tags = furnished.made[-1].parameters["Tags"]
    furnished.client("kms").create_key(Tags=tags)
    with pytest.raises(CreationRefused, match="were both made for alias/twin"):
        furnished.plan("twins")
