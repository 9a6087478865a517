"""`assess_account` as it is deployed, over an account in the embedded cloud."""

import gzip
import json
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from local.deploy import deploy
from local.schedules import pause
from local.supervisor import EmbeddedCloud
from tests.e2e.conftest import Gatehouse

pytestmark = pytest.mark.cloud

PARAMETERS = {"FirewallLogs": "disabled", "FirewallLogsBatch": "disabled", "DataProtection": "enabled"}
PROFILE = {
    "name": "rfc-008",
    "rules": [
        {
            "kind": "dynamodb-table",
            "select": [{"name": "users"}, {"name": "messages"}, {"name": "nowhere"}],
            "requires": {"DDB-PITR": {}, "DDB-DELPROT": {}, "DDB-STREAM": {}},
        },
        {"kind": "s3-bucket", "select": [{"pattern": "audio-*"}], "requires": {"S3-VERSION": {}, "S3-TLS": {}}},
    ],
}


@pytest.fixture(scope="module")
def gatehouse() -> Iterator[Gatehouse]:
    cloud = EmbeddedCloud.start(f"test-{uuid.uuid4().hex[:8]}")
    try:
        deployed = deploy(cloud, parameters=PARAMETERS, on_progress=print)
        pause(cloud.client("events"))
        yield Gatehouse(cloud, deployed)
    finally:
        cloud.stop()
        shutil.rmtree(cloud.folder, ignore_errors=True)


def findings(gatehouse: Gatehouse, run: str) -> dict[tuple[str, str], str]:
    """Return the status of each check on each resource in a run."""
    s3, bucket = gatehouse.client("s3"), gatehouse.output("LakeBucketName")
    prefix = f"data_protection/findings/date={datetime.now(UTC).date()}/run={run}/"
    (entry,) = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    body = gzip.decompress(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
    rows = [json.loads(line) for line in body.splitlines()]
    return {(row["check"], row["name"]): row["status"] for row in rows}


def test_an_account_is_judged_by_the_profile_in_the_bucket(gatehouse: Gatehouse) -> None:
    tables, s3 = gatehouse.client("dynamodb"), gatehouse.client("s3")
    s3.put_object(
        Bucket=gatehouse.output("LakeBucketName"),
        Key="data_protection/profiles/rfc-008.yaml",
        Body=json.dumps(PROFILE).encode(),
    )
    for name in ("users", "messages"):
        tables.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    tables.update_continuous_backups(
        TableName="users", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    s3.create_bucket(Bucket="audio-1", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    s3.put_bucket_versioning(Bucket="audio-1", VersioningConfiguration={"Status": "Enabled"})

    described = gatehouse.run("AssessAccountArn")

    assert described["status"] == "SUCCEEDED", described
    run = described["executionArn"].rsplit(":", 1)[1]
    assert findings(gatehouse, run) == {
        ("SCOPE-LISTED", "000000000000"): "pass",
        ("DDB-PITR", "users"): "pass",
        ("DDB-DELPROT", "users"): "fail",
        ("DDB-STREAM", "users"): "fail",
        ("DDB-PITR", "messages"): "fail",
        ("DDB-DELPROT", "messages"): "fail",
        ("DDB-STREAM", "messages"): "fail",
        ("DDB-PITR", "nowhere"): "fail",
        ("DDB-DELPROT", "nowhere"): "fail",
        ("DDB-STREAM", "nowhere"): "fail",
        ("S3-VERSION", "audio-1"): "pass",
        ("S3-TLS", "audio-1"): "fail",
    }
    (place,) = json.loads(described["output"])["places"]
    assert (place["percent"], place["coverage"]) == (25.0, 100.0)
    report = json.loads(described["output"])["report"]
    assert (report["places"], report["failed"], report["percent"]) == (1, 0, 25.0)
    page = gatehouse.client("s3").get_object(
        Bucket=gatehouse.output("LakeBucketName"), Key=f"{report['prefix']}index.html"
    )
    assert b"DDB-STREAM" in page["Body"].read()
