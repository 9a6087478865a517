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


def test_a_sealed_day_is_projected_when_it_is_announced_and_its_next_version_in_its_place(
    gatehouse: Gatehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3, bucket = gatehouse.client("s3"), gatehouse.output("LakeBucketName")
    monkeypatch.setattr(small_lake, "BUCKET", bucket)
    lake = SmallLake(tmp_path / "lake")

    def seal(name: str, numbers: range) -> None:
        lake.commit(name, [on(DAY, number) for number in numbers])
        detail = lake.seal(DAY).model_dump_json()
        for path in lake.folder.rglob("*.*"):
            s3.put_object(Bucket=bucket, Key=str(path.relative_to(lake.folder)), Body=path.read_bytes())
        event = {"Source": "gatehouse.firewall_logs", "DetailType": "firewall_logs.DaySealed", "Detail": detail}
        gatehouse.client("events").put_events(Entries=[{"EventBusName": gatehouse.output("EventBusName"), **event}])

    def projected(version: str) -> list[str]:
        """Return the keys of the day, once they are all of a version; other tests seal days of their own."""
        listed = s3.list_objects_v2(Bucket=bucket, Prefix="firewall_logs/ocsf/ext/gatehouse_firewall/")
        keys = [entry["Key"] for entry in listed.get("Contents", []) if f"/eventDay={DAY:%Y%m%d}/" in entry["Key"]]
        return keys if all(f"/{version}-" in key for key in keys) else []

    seal("one", range(20))
    eventually(lambda: projected("v00001"))
    seal("two", range(20, 50))
    [key] = eventually(lambda: projected("v00002"))
    events = pl.read_parquet(io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())).to_dicts()

    assert len(events) == 50
    assert not [problem for each in events for problem in problems(each)]
