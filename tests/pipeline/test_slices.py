"""A parquet object that is cut into slices becomes the same rows as one that is not."""

import json
from collections.abc import Iterator

import duckdb
import pytest

from firewall_logs.locations import run_key
from tests.support import raw
from tests.support.aws import RAW, RUNS
from tests.support.pipeline import Pipeline
from tests.support.seal import seal

pytestmark = pytest.mark.cloud

ROWS = 10_000


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    with Pipeline.alone(SLICE_ROWS="5000", UNIT_MB="1") as made:
        yield made


def test_slices_hold_every_row_once(pipeline: Pipeline) -> None:
    ref = pipeline.put("cloudflare/47/large.parquet", raw.parquet(ROWS))
    result = pipeline.run("run", [ref])
    assert result["account"] == {"rows_in": ROWS, "rows_out": ROWS, "quarantined": 0, "duplicates": 0}
    proofs = sorted(pipeline.proofs().values(), key=lambda proof: proof["index"])
    assert [proof["account"]["rows_in"] for proof in proofs] == [4096, 4096, 1808]
    assert len({proof["object_id"] for proof in proofs}) == 1
    manifests = [key for key in pipeline.lake() if "/manifests/" in key]
    assert len(manifests) == 1


def test_rows_of_which_some_receipts_have_expired_are_unknown_to_their_seal(pipeline: Pipeline) -> None:
    ref = pipeline.put("cloudflare/47/large.parquet", raw.parquet(ROWS))
    pipeline.run("run", [ref])
    pipeline.s3.delete_object(Bucket=RAW, Key=ref["key"], VersionId=ref["version_id"])
    pipeline.s3.delete_object(Bucket=RUNS, Key=max(pipeline.receipts()))
    seal(pipeline, "seal", "2026-06-01")
    [found] = pipeline.documents("firewall_logs/seals/seal/reconciliation.json").values()
    assert (found["raw_rows"], found["raw_unknown"], found["disagreements"]) == (0, 1, [])


def test_price_of_a_run_has_a_part_of_every_step(pipeline: Pipeline) -> None:
    result = pipeline.run("run", [pipeline.put("cloudflare/47/large.parquet", raw.parquet(ROWS))])
    documents = {
        name: json.loads(pipeline.s3.get_object(Bucket=RUNS, Key=run_key("run", f"{name}.json"))["Body"].read())
        for name in ("plan", "reconciliation", "summary")
    }
    planned, reconciled = (documents[name]["taken"]["requests"] for name in ("plan", "reconciliation"))
    assert planned["s3.HeadObject"] == 1
    assert reconciled["s3.ListObjectsV2"] > 0
    # One object in the ledger, read by its item.
    assert reconciled["dynamodb.BatchGetItem"] == 1
    usd = documents["summary"]["usd_by_component"]
    assert {"lambda_compute", "lambda_storage", "s3_lists", "dynamodb_reads", "dynamodb_writes", "kms"} <= usd.keys()
    assert sum(usd.values()) == pytest.approx(result["usd"])


def test_rays_of_all_slices_are_those_of_the_object(pipeline: Pipeline, tmp_path: object) -> None:
    pipeline.run("run", [pipeline.put("cloudflare/47/large.parquet", raw.parquet(ROWS))])
    for number, (key, body) in enumerate(pipeline.lake().items()):
        if "/events/" in key:
            (tmp_path / f"{number}.parquet").write_bytes(body)  # type: ignore[operator]
    [(rays,)] = duckdb.execute(f"SELECT count(DISTINCT ray_id) FROM '{tmp_path}/*.parquet'").fetchall()  # noqa: S608
    assert rays == ROWS
