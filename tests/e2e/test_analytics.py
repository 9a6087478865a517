"""What analysts see of the deployed application."""

import io
import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.target import Target
from tests.e2e.conftest import Gatehouse
from tests.support import small_lake
from tests.support.cloud import eventually
from tests.support.ocsf import problems
from tests.support.small_lake import SmallLake, on

pytestmark = pytest.mark.cloud

DAY = date(2026, 6, 8)


def test_what_a_run_has_committed_can_be_asked_for(
    gatehouse: Gatehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = gatehouse.put_events("asked", range(375_000, 375_100))
    eventually(lambda: [item for item in gatehouse.ledger(ref) if item["state"] == "COMMITTED"])
    monkeypatch.setattr(Target, "of", lambda env, cloud: Target(env, gatehouse.client, cloud))
    monkeypatch.setattr("local.paths.STATE", tmp_path)
    # Rays are numbers in sixteen hex digits; other tests have rays of their own in the same days.
    rays = "ray_id BETWEEN '000000000005b8d8' AND '000000000005b93b'"
    sql = f"SELECT event_date, count(*) AS n FROM events WHERE {rays} GROUP BY 1 ORDER BY 1"  # noqa: S608 - ours
    options = ["--from", "2026-06-01", "--to", "2026-06-02", "--format", "json"]
    result = CliRunner().invoke(app, ["query", sql, *options])

    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"event_date": "2026-06-01", "n": 50},
        {"event_date": "2026-06-02", "n": 50},
    ], result.stderr


def test_a_sealed_day_is_projected_when_it_is_announced(
    gatehouse: Gatehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3, bucket = gatehouse.client("s3"), gatehouse.output("LakeBucketName")
    monkeypatch.setattr(small_lake, "BUCKET", bucket)
    lake = SmallLake(tmp_path / "lake")
    lake.commit("one", [on(DAY, number) for number in range(20)])
    detail = lake.seal(DAY).model_dump_json()
    for path in lake.folder.rglob("*.*"):
        s3.put_object(Bucket=bucket, Key=str(path.relative_to(lake.folder)), Body=path.read_bytes())
    event = {
        "EventBusName": gatehouse.output("EventBusName"),
        "Source": "gatehouse.firewall_logs",
        "DetailType": "firewall_logs.DaySealed",
        "Detail": detail,
    }
    gatehouse.client("events").put_events(Entries=[event])
    prefix = "firewall_logs/ocsf/ext/gatehouse_firewall/"

    def look() -> list[dict[str, str]]:
        # Other tests seal days of their own.
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return [entry for entry in listed if f"/eventDay={DAY:%Y%m%d}/" in entry["Key"]]

    [found] = eventually(look)
    events = pl.read_parquet(io.BytesIO(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())).to_dicts()

    assert "/eventDay=20260608/v00001-" in found["Key"]
    assert len(events) == 20
    assert not [problem for each in events for problem in problems(each)]
