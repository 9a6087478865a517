"""Drift as it is deployed: from an event on the default bus through rule, queue and functions to the fix."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.e2e.conftest import Gatehouse
from tests.support.cloud import eventually

pytestmark = pytest.mark.cloud

ACCOUNT = "000000000000"
TABLE = "drifting"
PROFILE = {
    "name": "rfc-008",
    "rules": [{"kind": "dynamodb-table", "select": [{"name": TABLE}], "requires": {"DDB-PITR": {}}}],
    "drift": {"fix": ["DDB-PITR"]},
}


def recovery(gatehouse: Gatehouse, *, on: bool) -> None:
    gatehouse.client("dynamodb").update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on}
    )


def is_recoverable(gatehouse: Gatehouse) -> bool:
    answer: Any = gatehouse.client("dynamodb").describe_continuous_backups(TableName=TABLE)
    recovery = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    return bool(recovery["PointInTimeRecoveryStatus"] == "ENABLED")


@pytest.fixture(scope="module", autouse=True)
def _at_once(application: Gatehouse) -> None:
    """Let events gather for a second rather than ten."""
    functions = application.client("lambda")
    name = "gatehouse-local-data-protection-recheck-resource"
    (source,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=source["UUID"], MaximumBatchingWindowInSeconds=1)


def called(region: str) -> dict[str, Any]:
    """Return what CloudTrail tells of the call."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/alice"},
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "dynamodb.amazonaws.com",
        "eventName": "UpdateContinuousBackups",
        "awsRegion": region,
        "requestParameters": {"tableName": TABLE},
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "recipientAccountId": ACCOUNT,
    }


def test_recovery_that_is_turned_off_is_on_again_as_deployed(gatehouse: Gatehouse) -> None:
    tables, s3 = gatehouse.client("dynamodb"), gatehouse.client("s3")
    s3.put_object(
        Bucket=gatehouse.output("LakeBucketName"),
        Key="data_protection/profiles/rfc-008.yaml",
        Body=json.dumps(PROFILE).encode(),
    )
    tables.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    recovery(gatehouse, on=True)
    assert gatehouse.run("AssessAccountArn")["status"] == "SUCCEEDED"
    recovery(gatehouse, on=False)

    # Only AWS itself may say that it is `aws.dynamodb`; the rule asks what CloudTrail says within.
    told = gatehouse.client("events").put_events(
        Entries=[
            {
                "Source": "tests",
                "DetailType": "AWS API Call via CloudTrail",
                "Detail": json.dumps(called(tables.meta.region_name)),
            }
        ]
    )
    assert told["FailedEntryCount"] == 0

    eventually(lambda: is_recoverable(gatehouse), seconds=240)
