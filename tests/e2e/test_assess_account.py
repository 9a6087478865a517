"""`assess_account` and `remediate_account` as they are deployed, over an account in the embedded cloud."""

import json

import pytest

from cli.target import Target
from tests.e2e.conftest import Gatehouse
from tests.support.cloud import eventually
from tests.support.deployed_protection import decided, findings, keep_profile, make_tables, recovers

pytestmark = pytest.mark.cloud

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
REMEDIATED = {
    "name": "rfc-008",
    "rules": [
        {
            "kind": "dynamodb-table",
            "select": [{"name": "carts"}, {"name": "orders"}],
            "requires": {"DDB-PITR": {}, "DDB-DELPROT": {}},
        },
    ],
}


def test_an_account_is_judged_by_the_profile_in_the_bucket(gatehouse: Gatehouse) -> None:
    tables, s3 = gatehouse.client("dynamodb"), gatehouse.client("s3")
    s3.put_object(
        Bucket=gatehouse.output("LakeBucketName"),
        Key="data_protection/profiles/rfc-008.yaml",
        Body=json.dumps(PROFILE).encode(),
    )
    make_tables(tables, ["users", "messages"])
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


def test_a_plan_is_made_approved_and_carried_out(gatehouse: Gatehouse) -> None:
    tables, bucket = gatehouse.client("dynamodb"), gatehouse.output("LakeBucketName")
    gatehouse.client("s3").put_object(
        Bucket=bucket, Key="data_protection/profiles/rfc-008.yaml", Body=json.dumps(REMEDIATED).encode()
    )
    make_tables(tables, ["carts", "orders"])
    asked = {"account": "000000000000", "region": tables.meta.region_name, "phases": [1], "requested_by": "alice"}

    dry = gatehouse.run("RemediateAccountArn", **asked)
    plan = json.loads(dry["output"])
    assert (dry["status"], plan["changes"], plan["approvers"]) == ("SUCCEEDED", 4, 1)
    assert not any(recovers(tables, name) for name in ("carts", "orders"))

    target = Target("local", gatehouse.client, gatehouse.cloud.folder.name)
    running = gatehouse.start("RemediateAccountArn", plan=plan["plan"], requested_by="alice", dry_run=False)
    said = eventually(lambda: decided(target, plan["plan"], approves=True))
    assert said["outcome"] == "approved"
    ended = gatehouse.end(running)

    assert ended["status"] == "SUCCEEDED", ended
    finished = json.loads(ended["output"])["finished"]
    assert (finished["good"], finished["counts"]) == (True, {"verified": 4})
    assert all(recovers(tables, name) for name in ("carts", "orders"))
    prefix = f"data_protection/evidence/{plan['plan']}/"
    kept = gatehouse.client("s3").list_objects_v2(Bucket=gatehouse.output("EvidenceBucketName"), Prefix=prefix)
    # Seen, applied and verified of each step; of the plan planned, by the dry run as well, approved and finished.
    assert kept["KeyCount"] == 4 * 3 + 4
    assert not gatehouse.refusals()


def test_first_wave_that_is_not_good_is_the_last_and_the_execution_says_why(gatehouse: Gatehouse) -> None:
    tables = gatehouse.client("dynamodb")
    names = ["a-gone", "b-there"]
    keep_profile(gatehouse, names, preapproved_phases=[1])
    make_tables(tables, names)
    asked = {"account": "000000000000", "region": tables.meta.region_name, "phases": [1], "requested_by": "alice"}
    plan = json.loads(gatehouse.run("RemediateAccountArn", **asked)["output"])
    tables.delete_table(TableName="a-gone")

    ended = gatehouse.run("RemediateAccountArn", plan=plan["plan"], requested_by="alice", dry_run=False)

    assert (plan["approvers"], ended["status"], ended["error"]) == (0, "FAILED", "RemediationIncomplete")
    cause = json.loads(ended["cause"])
    assert cause["counts"] == {"refused": 1, "planned": 1}
    assert cause["failures"][0].startswith("DDB-PITR/dynamodb-table/a-gone/0 is refused: ")
    assert not recovers(tables, "b-there")


def test_rejected_plan_ends_without_a_change(gatehouse: Gatehouse) -> None:
    tables = gatehouse.client("dynamodb")
    keep_profile(gatehouse, ["untouched"])
    make_tables(tables, ["untouched"])
    asked = {"account": "000000000000", "region": tables.meta.region_name, "phases": [1], "requested_by": "alice"}
    plan = json.loads(gatehouse.run("RemediateAccountArn", **asked)["output"])["plan"]
    target = Target("local", gatehouse.client, gatehouse.cloud.folder.name)

    running = gatehouse.start("RemediateAccountArn", plan=plan, requested_by="alice", dry_run=False)
    eventually(lambda: decided(target, plan, approves=False))
    ended = gatehouse.end(running)

    assert (ended["status"], json.loads(ended["output"])["approved"]) == ("SUCCEEDED", False)
    assert not recovers(tables, "untouched")
