"""`lock_objects` as it is deployed, over a bucket in the embedded cloud."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data_protection.remediation.approvals import Approval, Decision
from tests.e2e.conftest import Gatehouse
from tests.support.cloud import LOCKED_BUCKET as BUCKET

pytestmark = pytest.mark.cloud


def approve(gatehouse: Gatehouse, simulation: str) -> None:
    """Decide the approval, as people do."""
    tables = gatehouse.client("dynamodb")
    (table,) = [name for name in tables.list_tables()["TableNames"] if "ProtectionRemediations" in name]
    key = {"plan": {"S": simulation}, "entry": {"S": "approval"}}
    approval = Approval.model_validate_json(tables.get_item(TableName=table, Key=key)["Item"]["approval"]["S"])
    for approver in ("bob", "carol"):
        approval = approval.decide(Decision(approver=approver, approves=True, at=datetime.now(UTC)))
    tables.put_item(TableName=table, Item={**key, "approval": {"S": approval.model_dump_json()}})


def ended(described: dict[str, Any]) -> dict[str, Any]:
    assert described["status"] == "SUCCEEDED", described
    return dict(json.loads(described["output"]))


def test_a_bucket_is_simulated_approved_and_locked(gatehouse: Gatehouse) -> None:
    s3 = gatehouse.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    # Else the machine waits for a quarter of an hour.
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    versions = {
        key: s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")["VersionId"] for key in ("audio/1", "audio/2", "a b/ö")
    }
    s3.delete_object(Bucket=BUCKET, Key="audio/2")

    simulated = ended(gatehouse.run("LockObjectsArn", bucket=BUCKET, days=30, requested_by="alice"))
    refused = gatehouse.run("LockObjectsArn", apply=simulated["simulation"], requested_by="alice")
    approve(gatehouse, simulated["simulation"])
    reported = ended(gatehouse.run("LockObjectsArn", apply=simulated["simulation"], requested_by="alice"))

    assert (simulated["locked"], simulated["refused"]) == (3, 0)
    assert (refused["status"], refused["error"]) == ("FAILED", "LockNotApproved")
    assert reported["outcomes"] == {"delete_marker": 1, "set": 3}
    assert reported["complete"]
    for key, version in versions.items():
        retention = s3.get_object_retention(Bucket=BUCKET, Key=key, VersionId=version)["Retention"]
        assert retention["Mode"] == "GOVERNANCE"
        assert timedelta(days=29) < retention["RetainUntilDate"] - datetime.now(UTC) < timedelta(days=31)
