"""Heavy days of the deployed application: their cuts are compacted on Fargate, on Spot first and then on demand."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from batch.exits import DONE, INTERRUPTED
from tests.e2e.conftest import FUNCTIONS, Gatehouse
from tests.support import raw
from tests.support.cloud import eventually

pytestmark = pytest.mark.cloud

# RayIDs without any order are some eight bytes each, however well they are compressed: more than a megabyte.
EVENTS = 150_000


@contextmanager
def _heavy_above_a_megabyte(gatehouse: Gatehouse) -> Iterator[None]:
    found = gatehouse.client("lambda").get_function_configuration(FunctionName=f"{FUNCTIONS}-reconcile-day")
    variables = {**found["Environment"]["Variables"], "BATCH_DAY_MB": "1"}
    with gatehouse.configured("reconcile-day", Environment={"Variables": variables}):
        yield


def _put_day(gatehouse: Gatehouse, day: str, events: int) -> None:
    """Bring in a day, without any event telling of it."""
    rows = (
        raw.an_event(n, Datetime=f"{day}T{n % 24:02}:00:00Z", RayID=hashlib.sha256(b"%d" % n).hexdigest()[:16])
        for n in range(events)
    )
    with gatehouse.untriggered():
        ref = gatehouse.put(f"cloudflare/3/{day.replace('-', '')}/heavy.log.gz", raw.ndjson(rows))
        assert gatehouse.run(objects=[ref])["status"] == "SUCCEEDED"


def _receipts(gatehouse: Gatehouse, described: dict[str, Any]) -> list[dict[str, Any]]:
    s3, bucket = gatehouse.client("s3"), gatehouse.output("RunsBucketName")
    prefix = f"firewall_logs/seals/{described['name']}/units/"
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
    return [json.load(s3.get_object(Bucket=bucket, Key=key)["Body"]) for key in keys]


def _outcomes(gatehouse: Gatehouse, described: dict[str, Any]) -> list[tuple[str, int]]:
    tasks = gatehouse.tasks(described["name"])
    return [(task["capacityProviderName"], task["containers"][0]["exitCode"]) for task in tasks]


def test_heavy_day_is_compacted_on_fargate_and_a_light_one_in_functions(gatehouse: Gatehouse) -> None:
    _put_day(gatehouse, "2025-07-01", EVENTS)
    _put_day(gatehouse, "2025-07-04", 100)
    with _heavy_above_a_megabyte(gatehouse):
        heavy, light = (gatehouse.run("SealDayArn", date=day) for day in ("2025-07-01", "2025-07-04"))
    assert [json.loads(sealed["output"])["rows"] for sealed in (heavy, light)] == [EVENTS, 100]
    assert (_outcomes(gatehouse, heavy), _outcomes(gatehouse, light)) == ([("FARGATE_SPOT", DONE)], [])
    memory = [
        {receipt["measured"]["memory_mb"] for receipt in _receipts(gatehouse, sealed)} for sealed in (heavy, light)
    ]
    assert memory == [{30720}, {6144}]


def test_task_of_a_seal_that_spot_takes_back_is_run_again_on_demand(gatehouse: Gatehouse) -> None:
    _put_day(gatehouse, "2025-07-07", EVENTS)
    with _heavy_above_a_megabyte(gatehouse):
        arn = gatehouse.start("SealDayArn", date="2025-07-07")
        seal = arn.rpartition(":")[2]
        [task] = eventually(lambda: [t for t in gatehouse.tasks(seal) if t["lastStatus"] == "RUNNING"])
        gatehouse.client("ecs").stop_task(cluster=FUNCTIONS, task=task["taskArn"], reason="as Spot does")
        sealed = gatehouse.end(arn)
    assert json.loads(sealed["output"])["rows"] == EVENTS
    assert _outcomes(gatehouse, sealed) == [("FARGATE_SPOT", INTERRUPTED), ("FARGATE", DONE)]
