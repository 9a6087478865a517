"""Recipes over snapshots made by hand: which calls make a resource, and what of one that is there differs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from data_protection.changes import Call
from data_protection.creation.outlines import Outline, Standing, compared, outline, outlines
from data_protection.creation.reads import (
    CLUSTER_PARAMETER_GROUP_TAGS,
    INSTANCE_PROFILE,
    KEY_TAGS,
    OWN_CLUSTER_PARAMETER_GROUP,
    OWN_PARAMETER_GROUP,
    PARAMETER_GROUP_TAGS,
)
from data_protection.creation.requests import parse_request, wishes
from data_protection.creation.tags import CREATING
from data_protection.errors import CreationRefused, ResourceUnreadable
from data_protection.readings import Found, Missing, Read, Reading, Unreadable
from data_protection.reads.dynamodb import TABLE
from data_protection.reads.iam import AUTHORIZATION
from data_protection.reads.kms import KEY, KEY_POLICY, ROTATION
from data_protection.reads.listings import KEYS
from data_protection.reads.rds import CLUSTERS, INSTANCES
from data_protection.reads.scaling import POLICIES, TARGETS
from data_protection.reads.secrets import SECRET
from data_protection.resources import Kind, Resource
from data_protection.snapshot import Snapshot
from tests.support.data_protection_account import ACCOUNT, KEY_ARN, NOW, PLACE, ago, require_valid

BOUNDARY = "arn:aws:iam::123456789012:policy/bounds"
ALIAS = Resource(Kind.KEY, PLACE, "alias/data")
THERE = {
    "Arn": KEY_ARN,
    "KeyState": "Enabled",
    "KeyManager": "CUSTOMER",
    "KeySpec": "SYMMETRIC_DEFAULT",
    "Origin": "AWS_KMS",
}
READS = {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::audio-1/*"]}
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:rotate"
Readings = Mapping[tuple[Resource, Read], Reading | dict[str, Any]]


def seen(readings: Readings) -> Snapshot:
    everything = {(ALIAS, KEY): {"KeyMetadata": THERE}, **readings}
    return Snapshot(
        PLACE,
        NOW,
        {(of, read.name): Found(one) if isinstance(one, dict) else one for (of, read), one in everything.items()},
    )


def outlined(kind: str, wanted: dict[str, Any], readings: Readings, *, made: bool = False) -> Outline:
    [wish] = wishes(parse_request(json.dumps({"name": "shop", kind: [wanted]}), PLACE, BOUNDARY), PLACE)
    found = outline(wish, seen(readings), NOW, made=made)
    for call in found.calls:
        if call.operation != "create_secret":  # whose value is still to come
            require_valid(call)
    return found


def only(calls: Sequence[Call], operation: str) -> dict[str, Any]:
    [call] = [call for call in calls if call.operation == operation]
    return call.parameters


def roles(*found: dict[str, Any]) -> Readings:
    worker = Resource(Kind.ROLE, PLACE, "worker")
    return {
        (ACCOUNT, AUTHORIZATION): {"RoleDetailList": list(found), "Policies": []},
        (worker, INSTANCE_PROFILE): Missing("NoSuchEntity"),
    }


def role(runs: str = "lambda", **statement: Any) -> dict[str, Any]:
    return {"name": "worker", "runs": runs, "statements": [{**READS, **statement}]}


@pytest.mark.parametrize(
    ("runs", "service"),
    [("ec2", "ec2.amazonaws.com"), ("ecs", "ecs-tasks.amazonaws.com"), ("lambda", "lambda.amazonaws.com")],
)
def test_role_is_had_by_its_service_alone_and_within_the_boundary(runs: str, service: str) -> None:
    created = only(outlined("roles", role(runs), roles()).calls, "create_role")
    [trust] = json.loads(created["AssumeRolePolicyDocument"])["Statement"]
    assert trust["Principal"] == {"Service": service}
    assert created["PermissionsBoundary"] == BOUNDARY


def test_role_of_ecs_is_had_by_tasks_of_its_own_account_alone() -> None:
    created = only(outlined("roles", role("ecs"), roles()).calls, "create_role")
    [trust] = json.loads(created["AssumeRolePolicyDocument"])["Statement"]
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": PLACE.account}


def test_only_a_role_of_ec2_gets_an_instance_profile() -> None:
    operations = {
        runs: [call.operation for call in outlined("roles", role(runs), roles()).calls] for runs in ("ec2", "lambda")
    }
    assert operations["lambda"] == ["create_role", "put_role_policy", "untag_role"]
    assert operations["ec2"] == [
        "create_role",
        "put_role_policy",
        "create_instance_profile",
        "add_role_to_instance_profile",
        "untag_instance_profile",
        "untag_role",
    ]


def test_action_on_everything_is_taken_with_a_reason() -> None:
    wide = role(actions=["sqs:ListQueues"], resources=["*"], reason="It knows no resources.")
    assert outlined("roles", wide, roles()).standing is Standing.MISSING


def test_role_that_may_pass_every_role_is_refused_whatever_its_reason() -> None:
    wide = role(actions=["iam:PassRole"], resources=["*"], reason="It starts tasks.")
    with pytest.raises(CreationRefused, match=r"would fail IAM-LEAST: .*may pass every role"):
        outlined("roles", wide, roles())


def test_instance_profile_of_others_is_in_the_way() -> None:
    theirs = {"InstanceProfile": {"InstanceProfileName": "worker", "Tags": []}}
    with pytest.raises(CreationRefused, match="Others made the instance profile worker"):
        outlined("roles", role("ec2"), {**roles(), (Resource(Kind.ROLE, PLACE, "worker"), INSTANCE_PROFILE): theirs})


def test_role_of_others_is_told_in_what_it_differs() -> None:
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    theirs = {
        "RoleName": "worker",
        "Arn": "arn:aws:iam::123456789012:role/worker",
        "AssumeRolePolicyDocument": {"Statement": []},
        "RolePolicyList": [{"PolicyName": "all", "PolicyDocument": everything}],
        "AttachedManagedPolicies": [],
    }
    found = outlined("roles", role(), roles(theirs))
    assert (found.standing, found.calls) == (Standing.DIFFERS, ())
    assert found.differences == [
        "IAM-LEAST: all allows every action.",
        "Others than asked may have it.",
        "It is bounded by no policy.",
        "It may do something else than asked.",
    ]


def test_secret_with_a_function_is_rotated_at_once() -> None:
    wanted = {"name": "partner", "key": "alias/data", "rotate": {"function": FUNCTION, "days": 30}}
    partner = Resource(Kind.SECRET, PLACE, "partner")
    calls = outlined("secrets", wanted, {(partner, SECRET): Missing("ResourceNotFoundException")}).calls
    assert [call.operation for call in calls] == ["create_secret", "rotate_secret", "untag_resource"]
    assert only(calls, "rotate_secret")["RotateImmediately"] is True
    assert only(calls, "create_secret")["KmsKeyId"] == KEY_ARN


def test_secret_is_done_once_it_was_rotated_and_not_before() -> None:
    wanted = {"name": "partner", "key": "alias/data", "rotate": {"function": FUNCTION}}
    partner, tags = Resource(Kind.SECRET, PLACE, "partner"), [{"Key": CREATING, "Value": "shop/partner"}]
    waiting = {"Name": "partner", "Tags": tags, "RotationEnabled": True}
    found = outlined("secrets", wanted, {(partner, SECRET): waiting})
    assert (found.settling, found.calls) == ("Its rotation is on and has never happened.", ())
    rotated = {**waiting, "LastRotatedDate": ago(minutes=1)}
    found = outlined("secrets", wanted, {(partner, SECRET): rotated})
    assert [call.operation for call in found.calls] == ["untag_resource"]


DATABASE = {
    "name": "orders",
    "engine": "mariadb",
    "version": "10.11.6",
    "instance_class": "db.t4g.medium",
    "gigabytes": 50,
    "username": "owner",
    "key": "alias/data",
    "subnet_group": "private",
    "security_groups": ["sg-12345678"],
}
GROUP = Resource(Kind.PARAMETER_GROUP, PLACE, "gatehouse-orders")


def databases(*found: dict[str, Any]) -> Readings:
    return {
        (ACCOUNT, INSTANCES): {"DBInstances": list(found)},
        (GROUP, OWN_PARAMETER_GROUP): Missing("DBParameterGroupNotFound"),
        (GROUP, PARAMETER_GROUP_TAGS): Missing("DBParameterGroupNotFound"),
    }


def test_database_asks_for_tls_before_it_is_there() -> None:
    calls = outlined("databases", DATABASE, databases()).calls
    assert [call.operation for call in calls][:3] == [
        "create_db_parameter_group",
        "modify_db_parameter_group",
        "create_db_instance",
    ]
    assert only(calls, "create_db_parameter_group")["DBParameterGroupFamily"] == "mariadb10.11"
    [setting] = only(calls, "modify_db_parameter_group")["Parameters"]
    assert (setting["ParameterName"], setting["ParameterValue"]) == ("require_secure_transport", "1")


def test_database_has_no_password_in_its_call() -> None:
    created = only(outlined("databases", DATABASE, databases()).calls, "create_db_instance")
    assert "MasterUserPassword" not in created
    assert created["ManageMasterUserPassword"] is True
    assert (created["StorageEncrypted"], created["PubliclyAccessible"], created["DeletionProtection"]) == (
        True,
        False,
        True,
    )


def test_database_that_is_being_made_is_waited_for() -> None:
    making = {
        "DBInstanceIdentifier": "orders",
        "DBInstanceStatus": "creating",
        "TagList": [{"Key": CREATING, "Value": "shop/orders"}],
    }
    found = outlined("databases", DATABASE, databases(making))
    assert (found.standing, found.settling, found.calls) == (Standing.HALFWAY, "It is creating.", ())


def test_parameter_group_of_others_is_in_the_way() -> None:
    theirs: Readings = {
        **databases(),
        (GROUP, OWN_PARAMETER_GROUP): {"DBParameterGroups": [{"DBParameterGroupName": GROUP.name}]},
        (GROUP, PARAMETER_GROUP_TAGS): {"TagList": []},
    }
    with pytest.raises(CreationRefused, match="Others made the parameter group gatehouse-orders"):
        outlined("databases", DATABASE, theirs)


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
CLUSTER_GROUP = Resource(Kind.CLUSTER_PARAMETER_GROUP, PLACE, "gatehouse-ledger")


def clusters(*found: dict[str, Any], instances: Sequence[dict[str, Any]] = ()) -> Readings:
    return {
        (ACCOUNT, CLUSTERS): {"DBClusters": list(found)},
        (ACCOUNT, INSTANCES): {"DBInstances": list(instances)},
        (CLUSTER_GROUP, OWN_CLUSTER_PARAMETER_GROUP): Missing("DBParameterGroupNotFound"),
        (CLUSTER_GROUP, CLUSTER_PARAMETER_GROUP_TAGS): Missing("DBParameterGroupNotFound"),
    }


def begun(**members: Any) -> dict[str, Any]:
    tags = [{"Key": CREATING, "Value": "shop/ledger"}]
    return {"DBClusterIdentifier": "ledger", "Engine": "aurora-postgresql", "Status": "available", "TagList": tags} | (
        members
    )


def member(number: int, **members: Any) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": f"ledger-{number}",
        "DBClusterIdentifier": "ledger",
        "DBInstanceStatus": "available",
    } | members


@pytest.mark.parametrize(
    ("engine", "version", "family", "tls"),
    [
        ("aurora-postgresql", "16.4", "aurora-postgresql16", "rds.force_ssl"),
        ("aurora-mysql", "8.0.mysql_aurora.3.08.0", "aurora-mysql8.0", "require_secure_transport"),
    ],
)
def test_cluster_asks_for_tls_before_it_is_there(engine: str, version: str, family: str, tls: str) -> None:
    calls = outlined("clusters", {**CLUSTER, "engine": engine, "version": version}, clusters()).calls
    assert [call.operation for call in calls] == [
        "create_db_cluster_parameter_group",
        "modify_db_cluster_parameter_group",
        "create_db_cluster",
        "create_db_instance",
        "create_db_instance",
        "remove_tags_from_resource",
        "remove_tags_from_resource",
    ]
    assert only(calls, "create_db_cluster_parameter_group")["DBParameterGroupFamily"] == family
    [setting] = only(calls, "modify_db_cluster_parameter_group")["Parameters"]
    assert (setting["ParameterName"], setting["ParameterValue"]) == (tls, "1")


def test_cluster_comes_into_being_protected_and_none_of_its_instances_public() -> None:
    calls = outlined("clusters", CLUSTER, clusters()).calls
    cluster = only(calls, "create_db_cluster")
    assert "MasterUserPassword" not in cluster
    assert cluster["ManageMasterUserPassword"] is True
    assert (cluster["StorageEncrypted"], cluster["DeletionProtection"], cluster["BackupRetentionPeriod"]) == (
        True,
        True,
        30,
    )
    instances = [call.parameters for call in calls if call.operation == "create_db_instance"]
    assert [one["DBInstanceIdentifier"] for one in instances] == ["ledger-1", "ledger-2"]
    assert [one["PubliclyAccessible"] for one in instances] == [False, False]


def test_only_the_instances_that_a_cluster_lacks_are_made() -> None:
    found = outlined("clusters", CLUSTER, clusters(begun(), instances=[member(1)]), made=True)
    assert only(found.calls, "create_db_instance")["DBInstanceIdentifier"] == "ledger-2"
    assert "create_db_cluster" not in {call.operation for call in found.calls}


def test_cluster_whose_instances_are_being_made_is_waited_for() -> None:
    making = clusters(begun(), instances=[member(1), member(2, DBInstanceStatus="creating")])
    found = outlined("clusters", CLUSTER, making)
    assert (found.standing, found.settling, found.calls) == (Standing.HALFWAY, "ledger-2 is creating.", ())


def test_instance_of_others_with_the_name_of_one_of_a_cluster_is_in_the_way() -> None:
    theirs = clusters(instances=[member(2, DBClusterIdentifier="another")])
    with pytest.raises(CreationRefused, match="Others made the instance ledger-2"):
        outlined("clusters", CLUSTER, theirs)


def test_cluster_of_others_is_told_with_what_its_instances_lack() -> None:
    theirs = begun(TagList=[], BackupRetentionPeriod=1, StorageEncrypted=False)
    found = outlined("clusters", CLUSTER, clusters(theirs, instances=[member(1, PubliclyAccessible=True)]))
    assert (found.standing, found.calls) == (Standing.DIFFERS, ())
    assert "RDS-BACKUP of ledger-1: Backups are kept 1 days, 30 are asked." in found.differences
    assert "RDS-ENC of ledger-2: MISSING: rds-instance/ledger-2 does not exist." in found.differences
    assert "It can be deleted by one call." in found.differences


def test_a_key_that_cannot_encrypt_is_refused_before_the_first_call() -> None:
    disabled = {**databases(), (ALIAS, KEY): {"KeyMetadata": {**THERE, "KeyState": "Disabled"}}}
    with pytest.raises(CreationRefused, match="The key alias/data is Disabled"):
        outlined("databases", DATABASE, disabled)


def test_what_cannot_be_read_is_neither_made_nor_said_to_be_the_same() -> None:
    hidden: Readings = {(ACCOUNT, INSTANCES): Unreadable("AccessDenied", "no")}
    with pytest.raises(ResourceUnreadable, match=r"cannot be made or compared now: rds\.DescribeDBInstances"):
        outlined("databases", DATABASE, hidden)
    [wish] = wishes(parse_request(json.dumps({"name": "shop", "databases": [DATABASE]}), PLACE, BOUNDARY), PLACE)
    told = compared(wish, seen(hidden), NOW)
    assert told.standing is Standing.DIFFERS
    assert "AccessDenied" in told.differences[0]


def test_key_of_others_whose_policy_is_hidden_is_told_so_and_is_no_error() -> None:
    itself = Resource(Kind.KEY, PLACE, KEY_ARN.rpartition("/")[2])
    readings: Readings = {
        (itself, KEY_TAGS): {"Tags": []},
        (itself, ROTATION): {"KeyRotationEnabled": True},
        (itself, KEY_POLICY): Unreadable("AccessDenied", "no"),
    }
    found = outlined("keys", {"name": "alias/data", "services": ["cloudwatch.amazonaws.com"]}, readings)
    assert found.standing is Standing.DIFFERS
    [difference] = found.differences
    assert difference.startswith("It could not be compared as a whole: kms.GetKeyPolicy")


def test_what_this_run_made_is_its_own_before_aws_shows_its_tags() -> None:
    untagged = {"Name": "partner", "Tags": []}
    partner = Resource(Kind.SECRET, PLACE, "partner")
    wanted = {"name": "partner", "key": "alias/data", "unrotated": "The partner sets it."}
    assert outlined("secrets", wanted, {(partner, SECRET): untagged}).standing is Standing.DIFFERS
    assert outlined("secrets", wanted, {(partner, SECRET): untagged}, made=True).standing is Standing.HALFWAY


def test_table_begins_with_its_indexes_scaling_at_seventy_percent() -> None:
    table = {
        "name": "orders",
        "key": "alias/data",
        "keys": {"partition": {"name": "id"}},
        "indexes": [{"name": "by-day", "partition": {"name": "day"}}],
    }
    asked = {"name": "shop", "keys": [{"name": "alias/data"}], "tables": [table]}
    some = wishes(parse_request(json.dumps(asked), PLACE, ""), PLACE)
    nothing = seen(
        {
            (ALIAS, KEY): Missing("NotFoundException"),
            (some[1].resource, TABLE): Missing("ResourceNotFoundException"),
            (ACCOUNT, KEYS): {"Keys": []},
            (ACCOUNT, TARGETS): {"ScalableTargets": []},
            (ACCOUNT, POLICIES): {"ScalingPolicies": []},
        }
    )
    [_, found] = outlines(some, nothing, NOW)
    policies = [call.parameters for call in found.calls if call.operation == "put_scaling_policy"]
    targets = {one["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] for one in policies}
    assert (len(policies), targets) == (4, {70.0})
