"""What bad input and faults get, through every handler of a run."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest

from firewall_logs.adapters.ledger import Claim, LedgerClaims
from tests.support import raw
from tests.support.aws import LEDGER, RAW, RUNS
from tests.support.firewall import NOW, OBJECT_ID, a_source
from tests.support.pipeline import Pipeline, StepFailed

pytestmark = pytest.mark.cloud


@pytest.fixture(autouse=True)
def fresh(pipeline: Pipeline) -> None:
    pipeline.forget()
    pipeline.fault_rate = 0


def _object(pipeline: Pipeline, name: str, events: range = range(50)) -> dict[str, str]:
    return pipeline.put_lines(f"cloudflare/2.ford/{name}.log.gz", [raw.an_event(n) for n in events])


def _reconciled(pipeline: Pipeline, run_id: str) -> dict[str, Any]:
    return pipeline.call("reconcile_run", {"run_id": run_id})


def test_defect_objects_are_quarantined_with_their_reason_while_the_rest_goes_on(pipeline: Pipeline) -> None:
    defects = {
        "2.ford/empty.log.gz": (b"", "empty"),
        "2.ford/text.log.gz": (b'{"RayID": "1"}\n', "not_gzip"),
        "2.ford/cut.log.gz": (raw.truncated(), "gzip_truncated"),
        "2.ford/flipped.log.gz": (raw.flipped(), "gzip_corrupt"),
        "47/text.parquet": (b"not parquet at all", "parquet_unreadable"),
        "47/broken.parquet": (raw.parquet(100)[:-20] + b"\0" * 12 + b"PAR1\0\0\0\0PAR1", "parquet_unreadable"),
    }
    refs = [pipeline.put(f"cloudflare/{name}", body) for name, (body, _) in defects.items()]
    result = pipeline.run("defects", [*refs, _object(pipeline, "good")])
    assert result["account"] == {"rows_in": 50, "rows_out": 50, "quarantined": 0, "duplicates": 0}
    found = {p["source"]["key"]: p["object_defect"] for p in pipeline.proofs().values() if p["object_defect"]}
    assert found == {f"cloudflare/{name}": reason for name, (_, reason) in defects.items()}
    assert sorted(pipeline.states()) == ["COMMITTED", *["QUARANTINED"] * len(defects)]


def test_huge_field_and_nul_character_are_kept_while_a_raw_nul_byte_is_no_json(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    huge, nul = "".join(f"{n:07x} " for n in range(1 << 17)), "a\0b"
    events = [
        raw.an_event(0, ClientRequestUserAgent=huge),
        raw.an_event(2, ClientRequestUserAgent=nul),
        raw.an_event(4),
    ]
    broken = b'{"Datetime": "2026-06-01T00:00:00Z", "RayID": "1\x001"}'
    lines = [*(json.dumps(event).encode() for event in events), broken]
    assert b"a\\u0000b" in lines[1]
    ref = pipeline.put("cloudflare/2.ford/odd.log.gz", gzip.compress(b"\n".join(lines), mtime=0))
    result = pipeline.run("odd", [ref])
    assert result["account"] == {"rows_in": 4, "rows_out": 3, "quarantined": 1, "duplicates": 0}
    kept = _query(pipeline, "events", "ray_id, client_request_user_agent", tmp_path)
    assert sorted(kept) == [(f"{0:016x}", huge), (f"{2:016x}", nul), (f"{4:016x}", None)]
    assert _query(pipeline, "quarantine", "row, reason, raw", tmp_path) == [(3, "json_syntax", broken)]


def test_documents_of_an_object_with_thousands_of_keys_stay_small_and_right(pipeline: Pipeline) -> None:
    events = [raw.an_event(n, **{f"Z{n:02}-{k:03}": 1 for k in range(200)}, Action=f"odd-{n}") for n in range(30)]
    ref = pipeline.put_lines("cloudflare/2.ford/keys.log.gz", events)
    pipeline.run("keys", [ref])
    [proof] = pipeline.proofs().values()
    [manifest] = [json.loads(body) for key, body in pipeline.lake().items() if "/manifests/" in key]
    summary = pipeline.s3.get_object(Bucket=RUNS, Key="firewall_logs/runs/keys/summary.json")["Body"].read()
    for document in (proof, manifest, json.loads(summary)):
        assert len(document["drift"]["columns"]) == 1000
        assert document["drift"]["columns_omitted"] == {"names": 5000, "rows": 5000}
        assert len(document["drift"]["values"]["Action"]) == 30
    assert manifest["columns_seen"] == proof["columns_seen"]
    assert manifest["columns_omitted"] == proof["columns_omitted"] == 5000
    assert {"Action", "Datetime", "RayID"} < set(manifest["columns_seen"])


def test_object_without_rows_is_committed_without_files(pipeline: Pipeline) -> None:
    result = pipeline.run("none", [pipeline.put("cloudflare/47/none.parquet", raw.parquet(0))])
    assert result["objects_committed"] == 1
    assert [key.split("/")[1] for key in pipeline.lake()] == ["manifests"]


def test_new_version_of_an_object_is_accounted_beside_the_old(pipeline: Pipeline) -> None:
    refs = [_object(pipeline, "same", range(50)), _object(pipeline, "same", range(50, 80))]
    result = pipeline.run("versions", refs)
    assert result["objects_committed"] == 2
    assert result["account"]["rows_out"] == 80


def test_events_in_any_order_and_number_commit_each_object_once(pipeline: Pipeline) -> None:
    one, two = _object(pipeline, "one"), _object(pipeline, "two", range(50, 90))
    pipeline.run("first", [two, one, two])
    before = pipeline.lake()
    result = pipeline.run("second", [one, two])
    assert (result["objects_committed"], result["account"]["rows_in"]) == (0, 0)
    assert pipeline.lake() == before


def test_second_run_leaves_an_object_to_the_run_that_holds_it(pipeline: Pipeline) -> None:
    refs = [_object(pipeline, "held")]
    steps = pipeline.steps("first", refs)
    pipeline.call(*next(steps))
    assert pipeline.run("second", refs)["objects_committed"] == 0
    for handler, event in steps:
        result = pipeline.call(handler, event)
    assert result["objects_committed"] == 1


def test_one_of_many_claims_at_once_wins(pipeline: Pipeline) -> None:
    claims = LedgerClaims(pipeline.dynamodb, LEDGER)

    def claim(number: int) -> Claim:
        return claims.claim(OBJECT_ID, a_source(), f"run-{number}", now=NOW, lease_seconds=60)

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(claim, range(32)))
    assert sum(outcome.holder is None for outcome in outcomes) == 1


def test_two_runs_on_one_object_at_once_write_it_once(pipeline: Pipeline) -> None:
    refs = [_object(pipeline, "raced", range(3000))]
    pipeline.call(*next(pipeline.steps("first", refs)))
    [first] = pipeline.units("first")
    _expire_leases(pipeline)
    pipeline.call(*next(pipeline.steps("second", refs)))
    [second] = pipeline.units("second")
    assert (first["slices"][0]["epoch"], second["slices"][0]["epoch"]) == (1, 2)
    with pipeline.another() as rival, ThreadPoolExecutor(2) as threads:
        rival.call("record_failure", _failure("warm-up"))
        outdated = threads.submit(rival.call, "process_unit", first)
        pipeline.call("process_unit", second)
        with pytest.raises(StepFailed, match="LeaseLost"):
            outdated.result()
    assert _reconciled(pipeline, "second")["reconciled"] is True
    assert pipeline.call("commit_run", {"run_id": "second"})["account"]["rows_out"] == 3000


def test_both_workers_of_one_unit_agree(pipeline: Pipeline) -> None:
    refs = [_object(pipeline, "twice", range(3000))]
    pipeline.call(*next(pipeline.steps("run", refs)))
    [unit] = pipeline.units("run")
    with pipeline.another() as rival, ThreadPoolExecutor(2) as threads:
        rival.call("record_failure", _failure("warm-up"))
        other = threads.submit(rival.call, "process_unit", unit)
        assert pipeline.call("process_unit", unit) == other.result()
    assert _reconciled(pipeline, "run")["reconciled"] is True


def test_throttled_and_failing_calls_change_nothing(pipeline: Pipeline) -> None:
    refs = [_object(pipeline, "stormy"), pipeline.put("cloudflare/47/stormy.parquet", raw.parquet(500))]
    pipeline.run("calm", refs)
    calm = pipeline.lake()
    pipeline.forget()
    pipeline.fault_rate = 0.25
    faults = 0
    for handler, event in pipeline.steps("stormy", refs):
        result = _stubborn(pipeline, handler, event)
        faults += pipeline.faults
    assert faults > 5
    assert result["objects_committed"] == 2
    assert pipeline.lake() == calm


def test_object_deleted_before_the_plan_fails_the_run_after_the_rest_is_committed(pipeline: Pipeline) -> None:
    gone = _object(pipeline, "gone")
    pipeline.s3.delete_object(Bucket=RAW, Key=gone["key"], VersionId=gone["version_id"])
    refs = [gone, _object(pipeline, "there")]
    result = pipeline.run("gone", refs)
    assert result["objects_committed"] == 1
    verdict = _reconciled(pipeline, "gone")
    assert (verdict["reconciled"], verdict["disagreements"]) == (False, 1)
    assert verdict["first"].startswith("object_missing")


def test_object_deleted_after_the_plan_fails_its_unit(pipeline: Pipeline) -> None:
    ref = _object(pipeline, "vanishing")
    pipeline.call(*next(pipeline.steps("run", [ref])))
    pipeline.s3.delete_object(Bucket=RAW, Key=ref["key"], VersionId=ref["version_id"])
    [unit] = pipeline.units("run")
    with pytest.raises(StepFailed, match=r"SourceChanged: s3://raw/cloudflare/2.ford/vanishing.log.gz"):
        pipeline.call("process_unit", unit)


def test_run_whose_map_lost_an_item_cannot_succeed(pipeline: Pipeline) -> None:
    refs = [_object(pipeline, "lost"), _object(pipeline, "kept", range(50, 60))]
    pipeline.call(*next(pipeline.steps("run", refs)))
    [unit] = pipeline.units("run")
    pipeline.call("process_unit", {**unit, "slices": unit["slices"][1:]})
    verdict = _reconciled(pipeline, "run")
    assert verdict["reconciled"] is False
    assert verdict["first"].startswith("receipt_missing")
    committed = pipeline.call("commit_run", {"run_id": "run"})
    assert committed["objects_committed"] == 1
    assert pipeline.states() == ["CLAIMED", "COMMITTED"]


def test_file_that_vanished_from_the_lake_is_noticed(pipeline: Pipeline) -> None:
    refs = [_object(pipeline, "eaten")]
    steps = pipeline.steps("run", refs)
    for _ in range(2):
        pipeline.call(*next(steps))
    victim = next(key for key in pipeline.lake() if "/events/" in key)
    pipeline.s3.delete_object(Bucket="lake", Key=victim)
    verdict = _reconciled(pipeline, "run")
    assert verdict["reconciled"] is False
    assert pipeline.call("commit_run", {"run_id": "run"})["objects_committed"] == 0


def test_other_content_under_a_key_of_the_lake_is_refused(pipeline: Pipeline) -> None:
    refs = [_object(pipeline, "forged")]
    pipeline.run("first", refs)
    victim = next(key for key in pipeline.lake() if "/events/" in key)
    pipeline.forget()
    pipeline.s3.put_object(Bucket="lake", Key=victim, Body=b"forged")
    pipeline.call(*next(pipeline.steps("second", refs)))
    [unit] = pipeline.units("second")
    with pytest.raises(StepFailed, match="EffectConflict"):
        pipeline.call("process_unit", unit)


def _query(pipeline: Pipeline, kind: str, columns: str, folder: Path) -> list[Any]:
    """Query the files of a kind, read by other code than wrote them."""
    for number, (key, body) in enumerate(pipeline.lake().items()):
        if f"/{kind}/" in key:
            (folder / f"{kind}-{number}.parquet").write_bytes(body)
    return duckdb.execute(f"SELECT {columns} FROM '{folder}/{kind}-*.parquet'").fetchall()  # noqa: S608 - of this test


def _failure(run_id: str) -> dict[str, str]:
    return {"run_id": run_id, "state": "none", "error": "none", "cause": "none"}


def _expire_leases(pipeline: Pipeline) -> None:
    for item in pipeline.dynamodb.scan(TableName=LEDGER)["Items"]:
        pipeline.dynamodb.update_item(
            TableName=LEDGER,
            Key={"object_id": item["object_id"]},
            UpdateExpression="SET lease_until = :past",
            ExpressionAttributeValues={":past": {"N": "1"}},
        )


def _stubborn(pipeline: Pipeline, handler: str, event: dict[str, Any]) -> dict[str, Any]:
    """Call a step the way the machine does: what the SDK's retries did not cover is retried whole."""
    for _ in range(3):
        try:
            return pipeline.call(handler, event)
        except StepFailed as failed:
            if failed.name not in {"ClientError", "SlowDown"}:
                raise
    return pipeline.call(handler, event)
