"""`database_logs` as it is deployed: the template's machines, queues and functions against the local log API of RDS."""

import json
import shutil
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from local.deploy import deploy
from local.rds.model.sources import MemorySource
from local.rds.model.world import World
from local.rds.server import RdsServer
from local.schedules import pause
from local.supervisor import EmbeddedCloud
from tests.e2e.conftest import Gatehouse
from tests.support.cloud import eventually
from tests.support.rds import SLOW, add_instance, write

pytestmark = pytest.mark.cloud

PARAMETERS = {"FirewallLogs": "disabled", "FirewallLogsBatch": "disabled", "DatabaseLogs": "enabled"}


@dataclass(frozen=True)
class Estate(Gatehouse):
    """The application, and the databases whose logs it reads."""

    server: RdsServer

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Return the objects of the lake below a prefix."""
        s3, bucket = self.client("s3"), self.output("LakeBucketName")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def lake(self, folder: Path) -> dict[str, bytes]:
        """Return what the lake has of each instance's bytes: its records in their order."""
        found = self.objects("database_logs/logs/")
        for number, body in enumerate(found.values()):
            (folder / f"{number}.parquet").write_bytes(body)
        if not found:
            return {}
        rows = duckdb.execute(
            "SELECT instance_id, coalesce(raw_bytes, encode(raw)) FROM read_parquet($files, union_by_name = true) "
            "ORDER BY instance_id, file, generation, offset_start",
            {"files": f"{folder}/*.parquet"},
        ).fetchall()
        texts: defaultdict[str, bytes] = defaultdict(bytes)
        for instance, raw in rows:
            texts[instance] += raw
        return dict(texts)

    def discover(self) -> dict[str, Any]:
        """Let discover_logs look, and return its end."""
        return self.run("DiscoverLogsArn")

    def truth(self, folder: Path) -> dict[str, bytes]:
        """Return what each instance wrote, as the log API has it."""
        texts: defaultdict[str, bytes] = defaultdict(bytes)
        for file in self.server.control.truth(str(folder)):
            assert file.path is not None
            texts[file.instance] += Path(file.path).read_bytes()
        return dict(texts)


@pytest.fixture(scope="module")
def estate() -> Iterator[Estate]:
    # A while ago, so that no file waits for what may still be written to its last record.
    with RdsServer(World(datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10))) as server:
        cloud = EmbeddedCloud.start(f"test-{uuid.uuid4().hex[:8]}", rds=server.endpoint)
        try:
            deployed = deploy(cloud, parameters=PARAMETERS, on_progress=print)
            pause(cloud.client("events"))
            yield Estate(cloud, deployed, server)
        finally:
            cloud.stop()
            shutil.rmtree(cloud.folder, ignore_errors=True)


def _postgres(now: datetime, number: int, count: int) -> bytes:
    lines = (
        f"{now:%Y-%m-%d %H:%M:%S} UTC:10.0.0.{n % 250}(5432):app@shop:[{n}]:LOG:  duration: {n}.5 ms  statement: "
        f"CALL ship({n})\n\t-- by hand\n"
        for n in range(number, number + count)
    )
    return "".join(lines).encode()


def _slow(now: datetime, count: int) -> bytes:
    events = (
        f"# Time: {now:%Y-%m-%dT%H:%M:%S}.{n:06d}Z\n# User@Host: app[app] @  [10.0.0.1]  Id: {n}\n"
        f"# Query_time: {1 + n % 7}.25  Lock_time: 0.000010 Rows_sent: 1  Rows_examined: {n}\n"
        f"SET timestamp={int(now.timestamp())};\nSELECT name FROM customers WHERE id = {n};\n"
        for n in range(count)
    )
    return "".join(events).encode()


def test_what_databases_wrote_is_in_the_lake_once_the_machine_has_run(estate: Estate, tmp_path: Path) -> None:
    world = estate.server.world
    now = world.now()
    stderr, _ = (log.source for log in add_instance(world, "orders-1", "postgres").logs)
    assert isinstance(stderr, MemorySource)
    stderr.write(_postgres(now, 0, 4000))
    write(add_instance(world, "search-1", "mysql"), SLOW, _slow(now, 500))
    add_instance(world, "idle-1", "mysql")
    described = estate.discover()
    assert described["status"] == "SUCCEEDED", described
    truth = estate.truth(tmp_path / "truth")
    (tmp_path / "lake").mkdir()
    eventually(
        lambda: estate.lake(tmp_path / "lake") == {name: text for name, text in truth.items() if text}, seconds=120
    )


def test_replay_through_the_same_parsers_changes_nothing(estate: Estate, tmp_path: Path) -> None:
    before = estate.lake(tmp_path)
    assert before
    now = datetime.now(UTC)
    wanted = {"start": (now - timedelta(hours=1)).isoformat(), "end": now.isoformat(), "instances": ["orders-1"]}
    [dry, described] = [estate.run("ReplayLogsArn", **wanted, dry_run=dry_run) for dry_run in (True, False)]
    assert dry["status"] == described["status"] == "SUCCEEDED", (dry, described)
    assert json.loads(dry["output"])["segments"] == json.loads(described["output"])["done"] == 1
    assert estate.lake(tmp_path) == before


def test_digest_of_a_day_is_a_report_and_a_file(estate: Estate) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    described = estate.run("DigestQueriesArn", time=tomorrow.isoformat())
    assert described["status"] == "SUCCEEDED", described
    [*_, made] = json.loads(described["output"])["digests"]
    assert (made["statements"], made["calls"]) == (2, 4500)
    found = estate.objects("database_logs/digests/date=")
    assert {made["digest_key"], made["report_key"]} <= found.keys()
    assert b"SELECT name FROM customers WHERE id" in found[made["report_key"]]
