"""`forecast_lifecycle` and `drill_restore` as they are deployed, in the embedded cloud."""

import json
import uuid
from typing import Any

import pytest

from tests.e2e.conftest import Gatehouse
from tests.support.cloud import finished

pytestmark = pytest.mark.cloud

TABLE = "drilled"
RULE = {
    "ID": "small-logs",
    "Status": "Enabled",
    "Filter": {"ObjectSizeGreaterThan": 0},
    "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}],
}


def run(gatehouse: Gatehouse, machine: str, **given: Any) -> dict[str, Any]:
    states = gatehouse.client("stepfunctions")
    (arn,) = [
        found["stateMachineArn"]
        for found in states.list_state_machines()["stateMachines"]
        if found["name"].endswith(machine)
    ]
    started = states.start_execution(stateMachineArn=arn, name=f"test-{uuid.uuid4().hex}", input=json.dumps(given))
    return finished(states, started["executionArn"], seconds=240)


def test_listed_bucket_is_forecast_and_the_losing_rule_named(gatehouse: Gatehouse) -> None:
    s3 = gatehouse.client("s3")
    s3.create_bucket(Bucket="logs-1", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    for number in range(5):
        s3.put_object(Bucket="logs-1", Key=f"app/{number}", Body=b"x" * 8192)

    described = run(gatehouse, "forecast_lifecycle", bucket="logs-1", rules=[RULE])

    assert described["status"] == "SUCCEEDED", described.get("cause")
    told = json.loads(described["output"])
    assert told["losing_rules"] == ["small-logs"]
    page = s3.get_object(Bucket=gatehouse.output("LakeBucketName"), Key=f"{told['prefix']}index.html")
    assert b"It loses money" in page["Body"].read()


def test_forecast_of_a_bucket_that_is_not_there_says_so(gatehouse: Gatehouse) -> None:
    described = run(gatehouse, "forecast_lifecycle", bucket="nowhere", use="own")

    assert described["status"] == "FAILED"
    assert "ForecastInvalid" in described["cause"]


def test_drill_restores_measures_counts_and_leaves_nothing(gatehouse: Gatehouse) -> None:
    tables, s3 = gatehouse.client("dynamodb"), gatehouse.client("s3")
    tables.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        Tags=[{"Key": "team", "Value": "data"}],
    )
    for number in range(3):
        tables.put_item(TableName=TABLE, Item={"id": {"S": str(number)}})
    tables.update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )

    described = run(gatehouse, "drill_restore", table=TABLE)

    assert described["status"] == "SUCCEEDED", described.get("cause")
    bucket = gatehouse.output("LakeBucketName")
    kept = {
        entry["Key"].rpartition("/")[2]: json.loads(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
        for entry in s3.list_objects_v2(Bucket=bucket, Prefix=f"data_protection/drills/table={TABLE}/")["Contents"]
    }
    found, count = kept["result.json"], kept["count.json"]
    assert found["differing"] == []
    assert [line.partition(" must")[0] for line in found["to_set"]] == [
        "The stream (NEW_IMAGE)",
        "Point-in-time recovery",
        "The tags team",
        "Scaling policies, alarms and policies that name the table",
    ]
    assert found["seconds"] > 0
    assert (count["counted"], count["items"]) == (count["segments"], 3)
    output = json.loads(described["output"])
    assert json.loads(s3.get_object(Bucket=bucket, Key=output.pop("key"))["Body"].read()) == found
    assert output == {
        "table": TABLE,
        "restored_to": found["drill"]["restored_to"],
        "seconds": found["seconds"],
        "items": 3,
        "all_counted": True,
    }
    assert found["drill"]["scratch"].startswith("gatehouse-drill-")
    assert [name for name in tables.list_tables()["TableNames"] if TABLE in name] == [TABLE]


def test_drill_of_a_table_without_recovery_is_refused(gatehouse: Gatehouse) -> None:
    described = run(gatehouse, "drill_restore", table="nowhere")

    assert described["status"] == "FAILED"
    assert "DrillRefused" in described["cause"]


@pytest.mark.parametrize(
    ("machine", "given", "cause"),
    [
        (
            "drill_restore",
            {"tabel": "x"},
            "The input was refused: ValidationError: `table` is missing.",
        ),
        (
            "forecast_lifecycle",
            {"bukket": "x"},
            "Nothing was counted: ValidationError: `bucket` is missing.",
        ),
    ],
)
def test_wrong_input_is_refused_by_field(gatehouse: Gatehouse, machine: str, given: dict[str, Any], cause: str) -> None:
    described = run(gatehouse, machine, **given)

    assert described["status"] == "FAILED"
    assert described["cause"].startswith(cause)
