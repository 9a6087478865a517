"""The policies of the real template suffice: every function does its work while IAM refuses what they do not allow."""

import json
import shutil
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from firewall_logs.contracts import LakeFile, Manifest
from firewall_logs.days.contracts import Cut
from firewall_logs.days.identity import inputs_id
from firewall_logs.locations import seal_key
from local.deploy import deploy
from local.schedules import pause
from local.supervisor import EmbeddedCloud
from tests.e2e.conftest import Gatehouse
from tests.support import raw, small_lake
from tests.support.cloud import WAIT_SCALE, eventually
from tests.support.firewall_compaction import planned_input
from tests.support.firewall_days import DAY, SEAL_ID, a_unit
from tests.support.small_lake import SmallLake, on

pytestmark = pytest.mark.cloud

PARAMETERS = {
    "FirewallLogsBatchingSeconds": "1",
    "FirewallLogsSealGraceSeconds": "0",
    "FirewallLogsOcsf": "enabled",
}
COMPACT_UNIT = "gatehouse-local-firewall-logs-compact-unit"
PLAN_RUN = "gatehouse-local-firewall-logs-plan-run"


@pytest.fixture(scope="module")
def gatehouse() -> Iterator[Gatehouse]:
    cloud = EmbeddedCloud.start(f"test-{uuid.uuid4().hex[:8]}", enforce_iam=True, wait_scale=WAIT_SCALE)
    try:
        deployed = Gatehouse(cloud, deploy(cloud, parameters=PARAMETERS))
        pause(cloud.client("events"))
        yield deployed
    finally:
        cloud.stop()
        shutil.rmtree(cloud.folder, ignore_errors=True)


def _is_committed(gatehouse: Gatehouse, ref: dict[str, str]) -> bool:
    return any(item["state"] == "COMMITTED" for item in gatehouse.ledger(ref))


def test_new_objects_are_committed_under_the_functions_own_policies(gatehouse: Gatehouse) -> None:
    refs = [
        gatehouse.put_events("guarded", range(100)),
        gatehouse.put("cloudflare/47/guarded.parquet", raw.parquet(100)),
    ]
    eventually(lambda: all(_is_committed(gatehouse, ref) for ref in refs) or gatehouse.refusals())
    assert gatehouse.refusals() == []


def test_failed_run_is_recorded_under_the_functions_own_policies(gatehouse: Gatehouse) -> None:
    gone = gatehouse.put("cloudflare/other/x", b"x")
    described = gatehouse.run(objects=[{**gone, "key": "cloudflare/3/never-there.log.gz"}])
    assert (described["status"], described["error"]) == ("FAILED", "ReconciliationFailed")
    assert gatehouse.document(described, "failure.json")["objects_failed"] == 1
    assert gatehouse.refusals() == []


def test_backfill_and_replay_do_their_work_under_the_functions_own_policies(gatehouse: Gatehouse) -> None:
    bad = {"Datetime": "yesterday", "RayID": "f" * 16}
    with gatehouse.untriggered():
        ref = gatehouse.put("cloudflare/3/filled/a.log.gz", raw.ndjson([raw.an_event(1), bad]))
        parquet = gatehouse.put("cloudflare/47/filled/a.parquet", raw.parquet(100))
    for feed in ("3", "47"):
        described = gatehouse.run("BackfillArn", feed=feed, prefix=f"cloudflare/{feed}/filled/", dry_run=False)
        assert (described["status"], gatehouse.refusals()) == ("SUCCEEDED", [])
    assert _is_committed(gatehouse, ref)
    assert _is_committed(gatehouse, parquet)
    described = gatehouse.run("ReplayQuarantineArn", keys=[ref["key"]], dry_run=False)
    assert (described["status"], gatehouse.refusals()) == ("SUCCEEDED", [])


def test_day_is_swept_and_sealed_under_the_functions_own_policies(gatehouse: Gatehouse) -> None:
    events = [raw.an_event(n, Datetime="2025-05-01T10:00:00Z") for n in range(50)]
    with gatehouse.untriggered():
        gatehouse.put("cloudflare/3/20250501/a.log.gz", raw.ndjson(events))
        gatehouse.put("cloudflare/47/20250501/b.parquet", raw.parquet(10))
    described = gatehouse.run("SealDayArn", date="2025-05-01")
    assert (described["status"], gatehouse.refusals()) == ("SUCCEEDED", [])
    assert json.loads(described["output"])["rows"] == 50
    blocked = gatehouse.run("SealDayArn", date="no day")
    assert (blocked["status"], gatehouse.refusals()) == ("FAILED", [])


def test_cut_is_compacted_under_the_functions_own_policy(gatehouse: Gatehouse, tmp_path: Path) -> None:
    ref = gatehouse.put_events("compacted", range(200, 260))
    eventually(lambda: _is_committed(gatehouse, ref) or gatehouse.refusals())
    files = [file for file in _files(gatehouse, ref) if (file.kind, file.event_date) == ("events", DAY)]
    cut = Cut(start=None, end=None, rows=30)
    s3, path = gatehouse.client("s3"), tmp_path / "events.parquet"
    lines = []
    for file in files:
        path.write_bytes(s3.get_object(Bucket=gatehouse.output("LakeBucketName"), Key=file.key)["Body"].read())
        lines.append(planned_input(path, file.key).model_dump_json())
    key = seal_key(SEAL_ID, "inputs.jsonl")
    s3.put_object(Bucket=gatehouse.output("RunsBucketName"), Key=key, Body="\n".join(lines).encode())
    unit = a_unit(inputs_id=inputs_id(DAY, files, [cut]), cut=cut).model_dump_json()
    for _ in range(2):
        answer = gatehouse.client("lambda").invoke(FunctionName=COMPACT_UNIT, Payload=unit)
        assert json.loads(answer["Payload"].read()) == {"index": 0, "rows_in": 30, "rows_out": 30, "duplicates": 0}
    assert gatehouse.refusals() == []


def _files(gatehouse: Gatehouse, ref: dict[str, str]) -> list[LakeFile]:
    """Return the files that the manifest of an object names."""
    s3, lake = gatehouse.client("s3"), gatehouse.output("LakeBucketName")
    listed = s3.list_objects_v2(Bucket=lake, Prefix="firewall_logs/manifests/")["Contents"]
    manifests = [
        Manifest.model_validate_json(s3.get_object(Bucket=lake, Key=found["Key"])["Body"].read()) for found in listed
    ]
    return next(manifest.files for manifest in manifests if manifest.source.key == ref["key"])


def test_sealed_days_are_projected_under_the_functions_own_policy(
    gatehouse: Gatehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, s3, bucket = date(2026, 6, 8), gatehouse.client("s3"), gatehouse.output("LakeBucketName")
    monkeypatch.setattr(small_lake, "BUCKET", bucket)
    lake = SmallLake(tmp_path / "lake")

    def seal(version: int) -> None:
        lake.commit(f"object-{version}", [on(day, version)])
        detail = lake.seal(day).model_dump_json()
        for path in lake.folder.rglob("*.*"):
            s3.put_object(Bucket=bucket, Key=str(path.relative_to(lake.folder)), Body=path.read_bytes())
        event = {"Source": "gatehouse.firewall_logs", "DetailType": "firewall_logs.DaySealed", "Detail": detail}
        entries = [{"EventBusName": gatehouse.output("EventBusName"), **event}]
        gatehouse.client("events").put_events(Entries=entries)

    def projected() -> list[str]:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix="firewall_logs/ocsf/").get("Contents", [])
        keys = [entry["Key"] for entry in listed if f"eventDay={day:%Y%m%d}/" in entry["Key"]]
        return [key.rpartition("/")[2].partition("-")[0] for key in keys]

    for version in (1, 2):
        seal(version)
        wanted = [f"v{version:05d}"]
        eventually(lambda: projected() == wanted or gatehouse.refusals())  # noqa: B023 - called at once
    assert gatehouse.refusals() == []


def test_function_without_its_policy_is_refused(gatehouse: Gatehouse) -> None:
    functions, iam = gatehouse.client("lambda"), gatehouse.client("iam")
    role = functions.get_function_configuration(FunctionName=PLAN_RUN)["Role"].rpartition("/")[2]
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)
    wanted = {"run_id": "refused", "started_at": "2026-06-03T00:00:00Z", "input": {"feed": "47"}}
    answer: dict[str, Any] = functions.invoke(FunctionName=PLAN_RUN, Payload=json.dumps(wanted))
    assert "not authorized to perform" in answer["Payload"].read().decode()
