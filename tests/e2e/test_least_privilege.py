"""The policies of the real template suffice: every function does its work while IAM refuses what they do not allow."""

import json
import shutil
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from local.deploy import deploy
from local.supervisor import EmbeddedCloud
from tests.e2e.conftest import Gatehouse
from tests.support import raw
from tests.support.cloud import eventually

pytestmark = pytest.mark.cloud

PLAN_RUN = "gatehouse-local-firewall-logs-plan-run"


@pytest.fixture(scope="module")
def gatehouse() -> Iterator[Gatehouse]:
    cloud = EmbeddedCloud.start(f"test-{uuid.uuid4().hex[:8]}", enforce_iam=True)
    try:
        deployed = Gatehouse(cloud, deploy(cloud, parameters={"FirewallLogsBatchingSeconds": "1"}))
        _allow_plain_http(deployed)
        yield deployed
    finally:
        cloud.stop()
        shutil.rmtree(cloud.folder, ignore_errors=True)


def _allow_plain_http(gatehouse: Gatehouse) -> None:
    """Drop the buckets' policies, which refuse everything but TLS: the embedded cloud speaks no TLS."""
    for output in ("RawBucketName", "LakeBucketName", "RunsBucketName"):
        gatehouse.client("s3").delete_bucket_policy(Bucket=gatehouse.output(output))


def _refusals(gatehouse: Gatehouse) -> list[str]:
    """Return what the functions' logs say of missing permissions."""
    logs = gatehouse.client("logs")
    return [
        event["message"]
        for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/gatehouse-local-")["logGroups"]
        for event in logs.filter_log_events(logGroupName=group["logGroupName"], limit=10_000)["events"]
        if "not authorized" in event["message"] or "AccessDenied" in event["message"]
    ]


def _is_committed(gatehouse: Gatehouse, ref: dict[str, str]) -> bool:
    return any(item["state"] == "COMMITTED" for item in gatehouse.ledger(ref))


def test_new_objects_are_committed_under_the_functions_own_policies(gatehouse: Gatehouse) -> None:
    refs = [
        gatehouse.put_events("guarded", range(100)),
        gatehouse.put("cloudflare/47/guarded.parquet", raw.parquet(100)),
    ]
    eventually(lambda: all(_is_committed(gatehouse, ref) for ref in refs) or _refusals(gatehouse), seconds=60)
    assert _refusals(gatehouse) == []


def test_failed_run_is_recorded_under_the_functions_own_policies(gatehouse: Gatehouse) -> None:
    gone = gatehouse.put("cloudflare/other/x", b"x")
    described = gatehouse.run(objects=[{**gone, "key": "cloudflare/3/never-there.log.gz"}])
    assert (described["status"], described["error"]) == ("FAILED", "ReconciliationFailed")
    assert gatehouse.document(described, "failure.json")["objects_failed"] == 1
    assert _refusals(gatehouse) == []


def test_function_without_its_policy_is_refused(gatehouse: Gatehouse) -> None:
    functions, iam = gatehouse.client("lambda"), gatehouse.client("iam")
    role = functions.get_function_configuration(FunctionName=PLAN_RUN)["Role"].rpartition("/")[2]
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)
    wanted = {"run_id": "refused", "started_at": "2026-06-03T00:00:00Z", "input": {"feed": "47"}}
    answer: dict[str, Any] = functions.invoke(FunctionName=PLAN_RUN, Payload=json.dumps(wanted))
    assert "not authorized to perform" in answer["Payload"].read().decode()
