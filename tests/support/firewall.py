"""Builders of firewall_logs' documents for tests: valid by default, with just what a test is about given."""

from datetime import UTC, datetime
from typing import Any

from firewall_logs.contracts import (
    Account,
    LakeFile,
    Measured,
    ObjectRef,
    PlannedObject,
    Proof,
    Receipt,
    RunPlan,
    Slice,
    SourceObject,
)
from firewall_logs.feeds import Feed
from firewall_logs.version import TRANSFORM_VERSION

NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)
MODIFIED = datetime(2026, 6, 3, tzinfo=UTC)
OBJECT_ID = "0123456789abcdef0123456789abcdef"
RUN_ID = "run-1"
FEEDS = """[
  {"name": "2.ford", "bucket": "raw", "prefix": "cloudflare/2.ford/", "zone": "ford.example", "format": "ndjson.gz"},
  {"name": "47", "bucket": "raw", "prefix": "cloudflare/47/", "zone": "media.example", "format": "parquet"}
]"""


def a_feed(**given: Any) -> Feed:
    return Feed(
        **{"name": "47", "bucket": "raw", "prefix": "cloudflare/47/", "zone": "z.example", "format": "parquet"} | given
    )


def a_source(**given: Any) -> SourceObject:
    known = {"bucket": "raw", "key": "cloudflare/47/a", "etag": "e1", "size": 1000, "last_modified": MODIFIED}
    return SourceObject(**known | given)


def a_slice(**given: Any) -> Slice:
    known = {
        "object_id": OBJECT_ID,
        "epoch": 1,
        "index": 0,
        "slices": 1,
        "feed": "47",
        "zone": "media.example",
        "format": "parquet",
        "naive_times": "refuse",
        "source": a_source(),
    }
    return Slice(**known | given)


def a_file(**given: Any) -> LakeFile:
    known = {"kind": "events", "key": "k", "event_date": "2026-06-01", "rows": 8, "bytes": 80, "sha256": "a" * 64}
    return LakeFile(**known | given)


def a_proof(**given: Any) -> Proof:
    known = {
        "object_id": OBJECT_ID,
        "index": 0,
        "slices": 1,
        "transform_version": TRANSFORM_VERSION,
        "feed": "47",
        "zone": "media.example",
        "source": a_source(),
        "account": Account(rows_in=10, rows_out=8, quarantined=1, duplicates=1),
        "source_rows": 10,
        "quarantined_by_reason": {"time_missing": 1},
    }
    return Proof(**known | given)


def a_receipt(proof: Proof | None = None, **given: Any) -> Receipt:
    known = {
        "run_id": RUN_ID,
        "unit": 0,
        "started_at": NOW,
        "seconds": 2.0,
        "cpu_seconds": 1.5,
        "memory_mb": 4096,
        "peak_rss_mb": 300.0,
        "bytes_read": 1000,
        "bytes_written": 80,
        "s3_gets": 2,
        "s3_puts": 4,
    }
    return Receipt(proof=proof or a_proof(), measured=Measured(**known | given))


def a_planned_object(**given: Any) -> PlannedObject:
    known = {
        "ref": ObjectRef(bucket="raw", key="cloudflare/47/a"),
        "status": "planned",
        "object_id": OBJECT_ID,
        "feed": "47",
        "size": 1000,
        "slices": 1,
        "rows": 10,
        "epoch": 1,
    }
    return PlannedObject(**known | given)


def a_plan(*objects: PlannedObject, **given: Any) -> RunPlan:
    known = {
        "run_id": RUN_ID,
        "transform_version": TRANSFORM_VERSION,
        "started_at": MODIFIED,
        "planned_at": MODIFIED,
        "units": 1,
        "objects": list(objects) or [a_planned_object()],
    }
    return RunPlan(**known | given)
