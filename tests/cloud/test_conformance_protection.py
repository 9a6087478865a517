"""What assessments read of an account, and what fixes of it change, is there as AWS' API has it."""

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.supervisor import EmbeddedCloud
from tests.cloud.conftest import saw

pytestmark = pytest.mark.cloud

ACCOUNT = "333333333333"
FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")

HANDLER = """
import boto3
def handle(account, context):
    found = boto3.client("s3control").get_public_access_block(AccountId=account)
    return found["PublicAccessBlockConfiguration"]
"""


@pytest.fixture
def table(cloud: EmbeddedCloud) -> Iterator[str]:
    tables, name = cloud.client("dynamodb", ACCOUNT), f"table-{uuid.uuid4().hex[:8]}"
    tables.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    )
    yield name
    tables.delete_table(TableName=name)


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def required(client: Any, operation: str, shape: str) -> set[str]:
    """Return the members that AWS' API promises of a shape in an answer."""
    model = client.meta.service_model
    assert operation in model.operation_names
    return set(model.shape_for(shape).required_members)


def reads_of(table: str) -> dict[str, str]:
    return {
        "ServiceNamespace": "dynamodb",
        "ResourceId": f"table/{table}",
        "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
    }


def tracking(percent: float) -> dict[str, Any]:
    return {
        "PolicyName": "reads",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": percent,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"},
        },
    }


def test_scalable_target_and_its_policy_are_described(cloud: EmbeddedCloud, table: str) -> None:
    scaling = cloud.client("application-autoscaling", ACCOUNT)
    scaling.register_scalable_target(**reads_of(table), MinCapacity=5, MaxCapacity=50)
    scaling.register_scalable_target(**reads_of(table), MaxCapacity=100)
    put = scaling.put_scaling_policy(**reads_of(table), **tracking(70))

    [target] = scaling.describe_scalable_targets(ServiceNamespace="dynamodb", ResourceIds=[f"table/{table}"])[
        "ScalableTargets"
    ]
    saw("scalable target", target)
    assert required(scaling, "DescribeScalableTargets", "ScalableTarget") <= target.keys()
    assert (target["MinCapacity"], target["MaxCapacity"]) == (5, 100)
    [policy] = scaling.describe_scaling_policies(ServiceNamespace="dynamodb", ResourceId=f"table/{table}")[
        "ScalingPolicies"
    ]
    saw("scaling policy", policy)
    assert required(scaling, "DescribeScalingPolicies", "ScalingPolicy") <= policy.keys()
    assert policy["PolicyARN"] == put["PolicyARN"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 70

    scaling.deregister_scalable_target(**reads_of(table))
    assert not scaling.describe_scaling_policies(ServiceNamespace="dynamodb", ResourceId=f"table/{table}")[
        "ScalingPolicies"
    ]


def test_scheduled_action_is_described_and_goes_with_its_target(cloud: EmbeddedCloud, table: str) -> None:
    scaling, resource = cloud.client("application-autoscaling", ACCOUNT), f"table/{table}"
    scaling.register_scalable_target(**reads_of(table), MinCapacity=5, MaxCapacity=50)
    for least in (10, 20):
        scaling.put_scheduled_action(
            **reads_of(table),
            ScheduledActionName="black-friday",
            Schedule="cron(0 0 27 11 ? 2026)",
            ScalableTargetAction={"MinCapacity": least},
        )

    [action] = scaling.describe_scheduled_actions(ServiceNamespace="dynamodb", ResourceId=resource)["ScheduledActions"]
    saw("scheduled action", action)
    assert required(scaling, "DescribeScheduledActions", "ScheduledAction") <= action.keys()
    assert action["ScalableTargetAction"] == {"MinCapacity": 20}

    scaling.deregister_scalable_target(**reads_of(table))
    assert not scaling.describe_scheduled_actions(ServiceNamespace="dynamodb", ResourceId=resource)["ScheduledActions"]


def test_policy_brings_alarms_of_its_own_and_takes_them_along(cloud: EmbeddedCloud, table: str) -> None:
    scaling, alarms = cloud.client("application-autoscaling", ACCOUNT), cloud.client("cloudwatch", ACCOUNT)
    prefix = f"TargetTracking-table/{table}-"
    scaling.register_scalable_target(**reads_of(table), MinCapacity=5, MaxCapacity=50)
    for percent in (50, 70):
        scaling.put_scaling_policy(**reads_of(table), **tracking(percent))

    made = alarms.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    saw("alarms", [alarm["AlarmName"] for alarm in made])
    assert [alarm["Threshold"] for alarm in made] == [70] * 4

    scaling.delete_scaling_policy(**reads_of(table), PolicyName="reads")
    assert not alarms.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]


def test_policy_without_a_target_is_refused(cloud: EmbeddedCloud) -> None:
    scaling = cloud.client("application-autoscaling", ACCOUNT)
    assert refused(scaling.put_scaling_policy, **reads_of("nowhere"), **tracking(70)) == "ObjectNotFoundException"
    assert refused(scaling.register_scalable_target, **reads_of("nowhere")) == "ValidationException"


def test_targets_come_in_pages(cloud: EmbeddedCloud) -> None:
    account = "333333333334"
    scaling = cloud.client("application-autoscaling", account)
    for number in range(51):
        scaling.register_scalable_target(**reads_of(f"t{number}"), MinCapacity=1, MaxCapacity=2)
    pages = list(scaling.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="dynamodb"))
    assert [len(page["ScalableTargets"]) for page in pages] == [50, 1]


def test_public_access_of_an_account_is_blocked_and_let(cloud: EmbeddedCloud) -> None:
    control = cloud.client("s3control", ACCOUNT)
    absent = "NoSuchPublicAccessBlockConfiguration"
    assert refused(control.get_public_access_block, AccountId=ACCOUNT) == absent
    wanted = dict.fromkeys(FLAGS, True) | {"IgnorePublicAcls": False}
    control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=wanted)
    assert control.get_public_access_block(AccountId=ACCOUNT)["PublicAccessBlockConfiguration"] == wanted
    assert (
        refused(cloud.client("s3control", "333333333335").get_public_access_block, AccountId="333333333335") == absent
    )
    control.delete_public_access_block(AccountId=ACCOUNT)
    assert refused(control.get_public_access_block, AccountId=ACCOUNT) == absent


def test_function_finds_the_api_of_its_account(cloud: EmbeddedCloud) -> None:
    functions, name = cloud.client("lambda", ACCOUNT), f"asks-{uuid.uuid4().hex[:8]}"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("asks.py", HANDLER)
    functions.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=f"arn:aws:iam::{ACCOUNT}:role/asks",
        Handler="asks.handle",
        Code={"ZipFile": archive.getvalue()},
        Timeout=20,
    )
    wanted = dict.fromkeys(FLAGS, True)
    cloud.client("s3control", ACCOUNT).put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=wanted)
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(ACCOUNT))
    assert json.load(answer["Payload"]) == wanted
    cloud.client("s3control", ACCOUNT).delete_public_access_block(AccountId=ACCOUNT)
    functions.delete_function(FunctionName=name)


def test_recovery_has_the_period_that_was_asked_for(cloud: EmbeddedCloud, table: str) -> None:
    tables = cloud.client("dynamodb", ACCOUNT)

    def recovery() -> dict[str, Any]:
        described = tables.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        saw("recovery", described)
        return dict(described["PointInTimeRecoveryDescription"])

    def switch(**to: Any) -> None:
        tables.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=to)

    assert recovery() == {"PointInTimeRecoveryStatus": "DISABLED"}
    switch(PointInTimeRecoveryEnabled=True, RecoveryPeriodInDays=7)
    since = recovery()["EarliestRestorableDateTime"]
    assert datetime.now(UTC) - since < timedelta(minutes=1)
    assert recovery()["RecoveryPeriodInDays"] == 7
    switch(PointInTimeRecoveryEnabled=True)
    assert (recovery()["RecoveryPeriodInDays"], recovery()["EarliestRestorableDateTime"]) == (35, since)
    too_long = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 36}
    asked = {"TableName": table, "PointInTimeRecoverySpecification": too_long}
    assert refused(tables.update_continuous_backups, **asked) == "ValidationException"
    switch(PointInTimeRecoveryEnabled=False)
    assert recovery() == {"PointInTimeRecoveryStatus": "DISABLED"}


def test_restored_table_is_created_for_a_while_and_says_of_what(cloud: EmbeddedCloud, table: str) -> None:
    tables, target = cloud.client("dynamodb", ACCOUNT), f"{table}-restored"
    source = tables.update_table(
        TableName=table,
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "alias/tables"},
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        DeletionProtectionEnabled=True,
    )["TableDescription"]
    tables.tag_resource(ResourceArn=source["TableArn"], Tags=[{"Key": "team", "Value": "data"}])
    tables.update_time_to_live(TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"})
    tables.put_item(TableName=table, Item={"id": {"S": "1"}})
    recovery = {"PointInTimeRecoveryEnabled": True}
    restore = {"SourceTableName": table, "TargetTableName": target}
    code = refused(tables.restore_table_to_point_in_time, **restore, UseLatestRestorableTime=True)
    assert code == "PointInTimeRecoveryUnavailableException"
    tables.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=recovery)
    described = tables.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    latest = described["PointInTimeRecoveryDescription"]["LatestRestorableDateTime"]
    ahead = datetime.now(UTC) + timedelta(minutes=1)
    assert refused(tables.restore_table_to_point_in_time, **restore, RestoreDateTime=ahead) == (
        "InvalidRestoreTimeException"
    )

    tables.restore_table_to_point_in_time(**restore, RestoreDateTime=latest)

    restored = tables.describe_table(TableName=target)["Table"]
    saw("while it is restored", restored)
    assert restored["TableStatus"] == "CREATING"
    wanted = {"SourceTableArn": source["TableArn"], "RestoreDateTime": latest.replace(microsecond=0)}
    assert restored["RestoreSummary"] == {**wanted, "RestoreInProgress": True}
    assert refused(tables.restore_table_to_point_in_time, **restore, RestoreDateTime=latest) == (
        "TableAlreadyExistsException"
    )
    assert refused(tables.delete_table, TableName=target) == "ResourceInUseException"
    assert refused(tables.update_table, TableName=target, BillingMode="PAY_PER_REQUEST") == "ResourceInUseException"

    tables.get_waiter("table_exists").wait(TableName=target, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    restored = tables.describe_table(TableName=target)["Table"]
    saw("restored", restored)
    assert restored["RestoreSummary"] == {**wanted, "RestoreInProgress": False}
    assert restored["SSEDescription"] == source["SSEDescription"]
    assert restored["ProvisionedThroughput"] == source["ProvisionedThroughput"]
    assert tables.scan(TableName=target)["Count"] == 1
    # What people have to set again.
    assert "StreamSpecification" not in restored
    assert not restored["DeletionProtectionEnabled"]
    assert not tables.list_tags_of_resource(ResourceArn=restored["TableArn"])["Tags"]
    assert tables.describe_time_to_live(TableName=target)["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    described = tables.describe_continuous_backups(TableName=target)["ContinuousBackupsDescription"]
    assert described["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"

    tables.delete_table(TableName=target)
    tables.update_table(TableName=table, DeletionProtectionEnabled=False)


def test_trail_that_logs_has_delivered(cloud: EmbeddedCloud) -> None:
    trails, name = cloud.client("cloudtrail", ACCOUNT), f"trail-{uuid.uuid4().hex[:8]}"
    trails.create_trail(Name=name, S3BucketName="trails")
    assert "LatestDeliveryTime" not in trails.get_trail_status(Name=name)
    trails.start_logging(Name=name)
    status = trails.get_trail_status(Name=name)
    saw("trail", status)
    assert datetime.now(UTC) - status["LatestDeliveryTime"] < timedelta(minutes=1)
    trails.delete_trail(Name=name)


def test_what_a_job_has_backed_up_is_protected(cloud: EmbeddedCloud, table: str) -> None:
    backup, arn = cloud.client("backup", ACCOUNT), f"arn:aws:dynamodb:{cloud.state.region}:{ACCOUNT}:table/{table}"
    backup.create_backup_vault(BackupVaultName=table)
    assert arn not in {one["ResourceArn"] for one in backup.list_protected_resources()["Results"]}
    role = f"arn:aws:iam::{ACCOUNT}:role/backup"
    for _ in range(2):
        backup.start_backup_job(BackupVaultName=table, ResourceArn=arn, IamRoleArn=role)
    [protected] = [one for one in backup.list_protected_resources()["Results"] if one["ResourceArn"] == arn]
    saw("protected", protected)
    assert protected["ResourceType"] == "DynamoDB"
    assert datetime.now(UTC) - protected["LastBackupTime"] < timedelta(minutes=1)


def test_secret_is_rotated_at_once_unless_asked_not_to(cloud: EmbeddedCloud) -> None:
    secrets, name = cloud.client("secretsmanager", ACCOUNT), f"secret-{uuid.uuid4().hex[:8]}"
    secrets.create_secret(Name=name, SecretString="a")
    function = f"arn:aws:lambda:{cloud.state.region}:{ACCOUNT}:function:rotate"
    rules = {"AutomaticallyAfterDays": 90}
    secrets.rotate_secret(SecretId=name, RotationLambdaARN=function, RotationRules=rules, RotateImmediately=False)
    assert "LastRotatedDate" not in secrets.describe_secret(SecretId=name)
    secrets.rotate_secret(SecretId=name)
    described = secrets.describe_secret(SecretId=name)
    saw("secret", described)
    assert (described["RotationEnabled"], described["RotationRules"]) == (True, rules)
    assert datetime.now(UTC) - described["LastRotatedDate"] < timedelta(minutes=1)


@pytest.mark.parametrize(("family", "value"), [("postgres14", "0"), ("aurora-postgresql15", "1"), ("mysql8.0", None)])
def test_group_of_postgres_says_whether_tls_is_asked_for(cloud: EmbeddedCloud, family: str, value: str | None) -> None:
    databases, name = cloud.client("rds", ACCOUNT), f"group-{uuid.uuid4().hex[:8]}"

    def force() -> str | None:
        pages = databases.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=name)
        parameters = [one for page in pages for one in page["Parameters"]]
        return next((one["ParameterValue"] for one in parameters if one["ParameterName"] == "rds.force_ssl"), None)

    databases.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily=family, Description="test")
    assert force() == value
    if value == "0":
        parameter = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
        databases.modify_db_parameter_group(DBParameterGroupName=name, Parameters=[parameter])
        assert force() == "1"
    databases.delete_db_parameter_group(DBParameterGroupName=name)
