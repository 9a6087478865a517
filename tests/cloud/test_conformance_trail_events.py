"""What CloudTrail says on EventBridge of calls that change something."""

import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.supervisor import EmbeddedCloud
from tests.cloud.conftest import saw
from tests.support.cloud import eventually

pytestmark = pytest.mark.cloud

ACCOUNT = "666666666666"
HANDLER = """
import boto3
def handle(event, context):
    boto3.client("dynamodb").update_table(TableName=event["table"], DeletionProtectionEnabled=False)
"""

Said = Callable[[str], dict[str, Any]]


@pytest.fixture
def said(cloud: EmbeddedCloud) -> Iterator[Said]:
    """Return what waits for the record of a call by its name, while a trail logs."""
    name, region = f"trail-{uuid.uuid4().hex[:8]}", cloud.state.region
    trails, events, queues = (cloud.client(one, ACCOUNT) for one in ("cloudtrail", "events", "sqs"))
    trails.create_trail(Name=name, S3BucketName="trails")
    trails.start_logging(Name=name)
    url = queues.create_queue(QueueName=name)["QueueUrl"]
    events.put_rule(Name=name, EventPattern=json.dumps({"detail-type": ["AWS API Call via CloudTrail"]}))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"}])
    heard: dict[str, dict[str, Any]] = {}

    def wait(call: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            for message in queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                event = json.loads(message["Body"])
                heard[event["detail"]["eventName"]] = event
                queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return heard.pop(call, None)

        event = eventually(look)
        saw(call, event)
        return event

    yield wait
    events.remove_targets(Rule=name, Ids=["1"])
    events.delete_rule(Name=name)
    trails.delete_trail(Name=name)
    queues.delete_queue(QueueUrl=url)


@pytest.fixture
def table(cloud: EmbeddedCloud) -> Iterator[str]:
    tables, name = cloud.client("dynamodb", ACCOUNT), f"table-{uuid.uuid4().hex[:8]}"
    tables.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield name
    tables.delete_table(TableName=name)


def test_change_of_a_table_is_told_with_its_parameters(cloud: EmbeddedCloud, table: str, said: Said) -> None:
    cloud.client("dynamodb", ACCOUNT).update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    event = said("UpdateContinuousBackups")
    assert (event["source"], event["account"], event["region"]) == ("aws.dynamodb", ACCOUNT, cloud.state.region)
    assert (
        event["detail"].items()
        >= {
            "eventSource": "dynamodb.amazonaws.com",
            "requestParameters": {
                "tableName": table,
                "pointInTimeRecoverySpecification": {"pointInTimeRecoveryEnabled": False},
            },
            "readOnly": False,
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
        }.items()
    )
    assert "errorCode" not in event["detail"]
    assert event["detail"]["userIdentity"]["type"] == "Root"


def test_call_that_failed_says_why(cloud: EmbeddedCloud, said: Said) -> None:
    with pytest.raises(ClientError):
        cloud.client("dynamodb", ACCOUNT).update_table(TableName="nowhere", DeletionProtectionEnabled=False)
    assert said("UpdateTable")["detail"]["errorCode"] == "ResourceNotFoundException"


def test_calls_about_buckets_have_the_names_that_cloudtrail_gives_them(cloud: EmbeddedCloud, said: Said) -> None:
    s3, name = cloud.client("s3", ACCOUNT), f"bucket-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": cloud.state.region})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=name, Key="a", Body=b"")
    s3.put_bucket_lifecycle_configuration(
        Bucket=name,
        LifecycleConfiguration={
            "Rules": [{"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
        },
    )
    s3.delete_bucket_lifecycle(Bucket=name)
    s3.delete_public_access_block(Bucket=name)
    for call in (
        "CreateBucket",
        "PutBucketVersioning",
        "PutBucketLifecycle",
        "DeleteBucketLifecycle",
        "DeleteBucketPublicAccessBlock",
    ):
        event = said(call)
        assert event["source"] == "aws.s3"
        assert event["detail"]["requestParameters"]["bucketName"] == name


def test_queries_and_the_account_are_told_too(cloud: EmbeddedCloud, said: Said) -> None:
    topic = cloud.client("sns", ACCOUNT).create_topic(Name="told")["TopicArn"]
    cloud.client("sns", ACCOUNT).delete_topic(TopicArn=topic)
    assert said("DeleteTopic")["detail"]["requestParameters"] == {"topicArn": topic}
    cloud.client("cloudwatch", ACCOUNT).delete_alarms(AlarmNames=["one", "two"])
    assert said("DeleteAlarms")["detail"]["requestParameters"] == {"alarmNames": ["one", "two"]}
    cloud.client("s3control", ACCOUNT).delete_public_access_block(AccountId=ACCOUNT)
    deleted = said("DeleteAccountPublicAccessBlock")["detail"]
    assert (deleted["eventSource"], deleted["requestParameters"]) == ("s3.amazonaws.com", {"accountId": ACCOUNT})


def test_function_calls_as_its_role(cloud: EmbeddedCloud, table: str, said: Said) -> None:
    functions, name = cloud.client("lambda", ACCOUNT), f"changes-{uuid.uuid4().hex[:8]}"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("changes.py", HANDLER)
    role = f"arn:aws:iam::{ACCOUNT}:role/changes"
    functions.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=role,
        Handler="changes.handle",
        Code={"ZipFile": archive.getvalue()},
        Timeout=20,
    )
    functions.invoke(FunctionName=name, Payload=json.dumps({"table": table}))
    identity = said("UpdateTable")["detail"]["userIdentity"]
    assert identity["type"] == "AssumedRole"
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == role
    functions.delete_function(FunctionName=name)


def test_trail_tells_of_its_own_end_and_of_nothing_after_it(cloud: EmbeddedCloud, table: str, said: Said) -> None:
    trails, tables = cloud.client("cloudtrail", ACCOUNT), cloud.client("dynamodb", ACCOUNT)
    [trail] = trails.describe_trails()["trailList"]
    trails.stop_logging(Name=trail["Name"])
    tables.update_table(TableName=table, DeletionProtectionEnabled=True)
    trails.start_logging(Name=trail["Name"])
    assert said("StopLogging")["detail"]["requestParameters"] == {"name": trail["Name"]}
    said("StartLogging")
    tables.update_table(TableName=table, DeletionProtectionEnabled=False)
    assert said("UpdateTable")["detail"]["requestParameters"]["deletionProtectionEnabled"] is False
