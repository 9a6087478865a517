import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.endpoints import ACCOUNT
from local.supervisor import EmbeddedCloud
from local.users import acting
from tests.cloud.conftest import saw
from tests.support.cloud import eventually

pytestmark = pytest.mark.cloud

HERE, THERE = "444444444444", "555555555555"
READER = f"arn:aws:iam::{THERE}:role/reader"


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _as(cloud: EmbeddedCloud, credentials: dict[str, str], service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=cloud.endpoint,
        region_name=cloud.state.region,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def test_credentials_of_a_role_belong_to_its_account(cloud: EmbeddedCloud) -> None:
    assumed = cloud.client("sts", HERE).assume_role(RoleArn=READER, RoleSessionName="me", ExternalId="x-1")
    identity = _as(cloud, assumed["Credentials"], "sts").get_caller_identity()
    saw("identity", identity)
    assert (identity["Account"], identity["Arn"]) == (THERE, f"arn:aws:sts::{THERE}:assumed-role/reader/me")
    cloud.client("sqs", THERE).create_queue(QueueName="only-there")
    queues = _as(cloud, assumed["Credentials"], "sqs").list_queues()["QueueUrls"]
    assert [url.rpartition("/")[2] for url in queues] == ["only-there"]
    cloud.client("sqs", THERE).delete_queue(QueueUrl=queues[0])


def test_a_rule_sends_an_event_to_the_bus_of_another_account(cloud: EmbeddedCloud) -> None:
    name, region = f"across-{uuid.uuid4().hex[:8]}", cloud.state.region
    pattern = json.dumps({"source": ["test.across"], "account": [HERE]})
    queue = cloud.client("sqs", THERE).create_queue(QueueName=name)["QueueUrl"]
    for account, target in (
        (HERE, f"arn:aws:events:{region}:{THERE}:event-bus/default"),
        (THERE, f"arn:aws:sqs:{region}:{THERE}:{name}"),
    ):
        rule = f"{name}-{account}"
        cloud.client("events", account).put_rule(Name=rule, EventPattern=pattern)
        role = {"RoleArn": f"arn:aws:iam::{HERE}:role/forwarder"} if account == HERE else {}
        cloud.client("events", account).put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": target, **role}])
    cloud.client("events", HERE).put_events(
        Entries=[{"Source": "test.across", "DetailType": "Said", "Detail": '{"word": "hello"}'}]
    )
    [message] = eventually(lambda: cloud.client("sqs", THERE).receive_message(QueueUrl=queue).get("Messages"))
    saw("event", message["Body"])
    event = json.loads(message["Body"])
    assert (event["account"], event["detail"]) == (HERE, {"word": "hello"})
    for account in (HERE, THERE):
        cloud.client("events", account).remove_targets(Rule=f"{name}-{account}", Ids=["1"])
        cloud.client("events", account).delete_rule(Name=f"{name}-{account}")
    cloud.client("sqs", THERE).delete_queue(QueueUrl=queue)


@pytest.fixture(scope="module")
def guarded() -> Iterator[EmbeddedCloud]:
    """Yield a cloud that enforces IAM: a role there that roles named gatehouse-… here may assume, and a bucket."""
    cloud = EmbeddedCloud.start(f"test-{uuid.uuid4().hex[:8]}", enforce_iam=True)
    try:
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{HERE}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"sts:ExternalId": "x-1"},
                "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{HERE}:role/gatehouse-*"},
            },
        }
        read = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        iam, s3 = cloud.client("iam", THERE), cloud.client("s3", THERE)
        iam.create_role(RoleName="reader", AssumeRolePolicyDocument=_document(trust))
        iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=_document(read))
        s3.create_bucket(Bucket="there", CreateBucketConfiguration={"LocationConstraint": cloud.state.region})
        for key in ("in/a", "out/a"):
            s3.put_object(Bucket="there", Key=key, Body=b"x")
        assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": READER}
        own = {"Effect": "Allow", "Principal": {"AWS": HERE}, "Action": "sts:AssumeRole"}
        for role in ("gatehouse-plan", "stranger"):
            cloud.client("iam", HERE).create_role(RoleName=role, AssumeRolePolicyDocument=_document(own))
            cloud.client("iam", HERE).put_role_policy(
                RoleName=role, PolicyName="assume", PolicyDocument=_document(assume)
            )
        yield cloud
    finally:
        cloud.stop()
        shutil.rmtree(cloud.folder, ignore_errors=True)


def _read_as(cloud: EmbeddedCloud, role: str, **given: str) -> Any:
    """Return an S3 client of the role there, assumed by a role here."""
    own = cloud.client("sts", HERE).assume_role(RoleArn=f"arn:aws:iam::{HERE}:role/{role}", RoleSessionName="function")
    assumed = _as(cloud, own["Credentials"], "sts").assume_role(RoleArn=READER, RoleSessionName="me", **given)
    return _as(cloud, assumed["Credentials"], "s3")


def test_a_role_is_given_to_whom_its_trust_policy_names_by_role_and_external_id(guarded: EmbeddedCloud) -> None:
    s3 = _read_as(guarded, "gatehouse-plan", ExternalId="x-1")
    assert s3.get_object(Bucket="there", Key="out/a")["Body"].read() == b"x"
    for role, given in (
        ("gatehouse-plan", {"ExternalId": "x-2"}),
        ("gatehouse-plan", {}),
        ("stranger", {"ExternalId": "x-1"}),
    ):
        with pytest.raises(ClientError, match="AccessDenied") as refused:
            _read_as(guarded, role, **given)
        saw(f"{role} {given}", refused.value)


def test_a_session_does_what_role_and_session_policy_both_allow(guarded: EmbeddedCloud) -> None:
    policy = _document(
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::there/in/*"},
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::there",
            "Condition": {"StringLike": {"s3:prefix": "in/*"}},
        },
    )
    s3 = _read_as(guarded, "gatehouse-plan", ExternalId="x-1", Policy=policy)
    assert s3.get_object(Bucket="there", Key="in/a")["Body"].read() == b"x"
    assert s3.list_objects_v2(Bucket="there", Prefix="in/")["KeyCount"] == 1
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket="there", Key="out/a")
    for prefix in ({}, {"Prefix": "out/"}):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.list_objects_v2(Bucket="there", **prefix)


def test_policy_that_asks_for_tls_is_held_to_in_all_else_it_says(guarded: EmbeddedCloud) -> None:
    buckets = ["arn:aws:s3:::there", "arn:aws:s3:::there/*"]
    tls = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": buckets,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    kept = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": buckets}
    guarded.client("s3", THERE).put_bucket_policy(Bucket="there", Policy=_document(tls, kept))
    s3 = _read_as(guarded, "gatehouse-plan", ExternalId="x-1")
    assert s3.get_object(Bucket="there", Key="in/a")["Body"].read() == b"x"
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket="there", Key="in/a")


def test_calls_are_held_to_the_resources_they_name(guarded: EmbeddedCloud) -> None:
    place = f"{guarded.state.region}:{HERE}"
    table = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    allowed = {
        "Effect": "Allow",
        "Action": ["dynamodb:TagResource", "dynamodb:RestoreTableToPointInTime", "kms:CreateAlias"],
        "Resource": [f"arn:aws:dynamodb:{place}:table/mine", f"arn:aws:kms:{place}:alias/mine"],
    }
    key = guarded.client("kms", HERE).create_key()["KeyMetadata"]["KeyId"]
    for name in ("mine", "others"):
        guarded.client("dynamodb", HERE).create_table(TableName=name, **table)
        guarded.client("dynamodb", HERE).update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    guarded.client("iam", HERE).put_role_policy(
        RoleName="stranger", PolicyName="mine", PolicyDocument=_document(allowed)
    )
    role = f"arn:aws:iam::{HERE}:role/stranger"
    session = guarded.client("sts", HERE).assume_role(RoleArn=role, RoleSessionName="function")["Credentials"]
    dynamodb, kms = (_as(guarded, session, service) for service in ("dynamodb", "kms"))

    def calls(name: str) -> list[Callable[[], Any]]:
        return [
            lambda: dynamodb.tag_resource(
                ResourceArn=f"arn:aws:dynamodb:{place}:table/{name}", Tags=[{"Key": "a", "Value": "b"}]
            ),
            lambda: dynamodb.restore_table_to_point_in_time(
                SourceTableName=name, TargetTableName=f"{name}-again", UseLatestRestorableTime=True
            ),
            lambda: kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key),
        ]

    for call in calls("mine"):
        call()
    for call in calls("others"):
        with pytest.raises(ClientError, match="not authorized to perform"):
            call()


def test_users_act_under_their_names_whoever_asks_for_them_again(guarded: EmbeddedCloud) -> None:
    for name in ("alice", "bob", "alice"):
        who = acting(guarded, name)("sts").get_caller_identity()["Arn"]
        assert who == f"arn:aws:iam::{ACCOUNT}:user/{name}"
    shutil.rmtree(guarded.folder / "users")
    assert acting(guarded, "alice")("sts").get_caller_identity()["Arn"].endswith(":user/alice")
