"""`assess_account` and `remediate_account` as they are deployed, over an account in the embedded cloud."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.target import Target
from data_protection.adapters.evidence import chains_of
from data_protection.remediation.audits import audit
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
    "exceptions": [
        {
            "check": "S3-TLS",
            "kind": "s3-bucket",
            "name": "audoi-1",
            "owner": "team-shop",
            "reason": "A slip of the pen in its name",
            "expires": "2099-12-31",
        }
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


def told(gatehouse: Gatehouse, *arguments: str) -> str:
    """Return what the command line says about the deployed application."""
    ended = CliRunner().invoke(app, [*arguments, "--cloud", gatehouse.cloud.state.name])
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def test_an_account_is_judged_by_the_profile_in_the_bucket(gatehouse: Gatehouse, tmp_path: Path) -> None:
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
    assert report["misaimed_exceptions"] == 1
    page = gatehouse.client("s3").get_object(
        Bucket=gatehouse.output("LakeBucketName"), Key=f"{report['prefix']}index.html"
    )
    shown = page["Body"].read()
    assert b"DDB-STREAM" in shown
    assert b"is called audoi-1; did you mean audio-1?" in shown
    assert b"gatehouse run remediate_account --env local --input" in shown
    listed = told(gatehouse, "assessments").splitlines()[1].split("\t")
    assert listed[:6] == [run, ANY, "succeeded", "1", "25 %", "100 %"]
    listed = told(gatehouse, "results").splitlines()[1].split("\t")
    assert listed == [run, "assess_account", ANY, "Score 25 %, coverage 100 %: 3 pass, 9 fail"]
    fetched = told(gatehouse, "assessments", run, "--out", str(tmp_path))
    assert fetched.replace("\n", "") == str(tmp_path / run / "index.html")
    assert (tmp_path / run / "index.html").read_bytes() == shown


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

    target = Target.of("local", gatehouse.cloud.state.name, "bob")
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
    shown = told(gatehouse, "plans", plan["plan"][:8])
    assert "  outcome     done: 4 verified\n" in shown
    assert ": yes by arn:aws:iam::000000000000:user/bob at " in shown
    assert "4 verified" in told(gatehouse, "plans")
    assert told(gatehouse, "drifts").startswith("check\t")
    _is_undone(gatehouse, plan["plan"])


def _is_undone(gatehouse: Gatehouse, plan: str) -> None:
    """Undo a part of a plan: people approve that, drift leaves it alone, and the evidence of both tells of it."""
    tables = gatehouse.client("dynamodb")
    asked = {"undo": plan, "steps": ["DDB-DELPROT"], "requested_by": "alice"}
    dry = json.loads(gatehouse.run("RemediateAccountArn", **asked)["output"])
    assert (dry["undoes"], dry["changes"], dry["approvers"], dry["omitted"]) == (plan, 2, 1, {"not_asked": 2})
    target = Target("local", gatehouse.client, gatehouse.cloud.folder.name)

    running = gatehouse.start("RemediateAccountArn", plan=dry["plan"], requested_by="alice", dry_run=False)
    eventually(lambda: decided(target, dry["plan"], approves=True))
    ended = gatehouse.end(running)

    assert ended["status"] == "SUCCEEDED", ended
    assert json.loads(ended["output"])["finished"]["counts"] == {"verified": 2}
    described = [tables.describe_table(TableName=name)["Table"] for name in ("carts", "orders")]
    assert [one["DeletionProtectionEnabled"] for one in described] == [False, False]
    assert all(recovers(tables, name) for name in ("carts", "orders"))
    for one in (plan, dry["plan"]):
        chains = chains_of(gatehouse.client("s3"), gatehouse.output("EvidenceBucketName"), one)
        found = audit(one, chains)
        assert (found.breaks, found.open) == ((), ())
    again = gatehouse.run("RemediateAccountArn", plan=plan, requested_by="alice", dry_run=False)
    assert (again["status"], again["error"]) == ("FAILED", "PlanUndone")


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
    told, _, counts = ended["cause"].rpartition(f" Plan {plan['plan']}: ")
    assert json.loads(counts) == {"refused": 1, "planned": 1}
    assert told.startswith("DDB-PITR/dynamodb-table/a-gone/0 is refused: ")
    assert not recovers(tables, "b-there")


@pytest.mark.parametrize(
    ("machine", "given", "error", "cause"),
    [
        (
            "AssessAccountArn",
            {"account": "000000000000"},
            "AssessmentIncomplete",
            "ValidationError: `account` is unknown; did you mean accounts? docs/data_protection.md#assess",
        ),
        (
            "RemediateAccountArn",
            {"account": "000000000000", "region": "eu-central-1", "phases": [5], "requested_by": "alice"},
            "ValidationError",
            "`phases[0]`: 5 is not one of 1 to 4. docs/data_protection.md#remediate",
        ),
        (
            "LockObjectsArn",
            {"bucket": "audio-1", "days": 0, "requested_by": "alice"},
            "ValidationError",
            "BeginLock: `days`: 0 is not one of 1 to 36500. docs/data_protection.md#simulate",
        ),
        ("CreateSecureResourcesArn", {}, "ValidationError", "`request` is missing. docs/data_protection.md#create"),
    ],
)
def test_wrong_input_ends_an_execution_at_once_with_a_sentence(
    gatehouse: Gatehouse, machine: str, given: dict[str, Any], error: str, cause: str
) -> None:
    ended = gatehouse.run(machine, **given)

    assert (ended["status"], ended["error"]) == ("FAILED", error)
    assert ended["cause"] == f"{cause} describes the fields."


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
