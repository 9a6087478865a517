import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from pydantic import ValidationError

from firewall_logs.adapters.lake import Manifests
from firewall_logs.adapters.runs import Evidence
from firewall_logs.adapters.source import SourceCatalogue
from firewall_logs.committer import manifest_of
from firewall_logs.contracts import FailureRecord, ObjectRef, RunPlan, Unit
from firewall_logs.errors import FeedConfigInvalid, FeedUnknown, RequestTooLarge, RunGivenUp
from firewall_logs.handlers.plan_run import handler
from kernel import aws
from tests.support.answers import Body
from tests.support.aws import LAKE, PARAMETER, RAW, RUNS, entry
from tests.support.context import Context
from tests.support.firewall import NOW, a_proof

pytestmark = pytest.mark.pyarrow


def _parquet(rows: int, group: int) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"RayID": [str(n) for n in range(rows)]}), sink, row_group_size=group)
    return sink.getvalue()


def _put(key: str, body: bytes = b"x") -> dict[str, str]:
    version = aws.s3().put_object(Bucket=RAW, Key=key, Body=body)["VersionId"]
    return {"bucket": RAW, "key": key, "version_id": version}


def _plan(run_id: str = "run-1", **wanted: Any) -> tuple[RunPlan, list[Unit]]:
    event = {"run_id": run_id, "started_at": "2026-06-03T00:00:00Z", "input": wanted}
    result = handler(event, Context())
    body = aws.s3().get_object(Bucket=RUNS, Key=result["plan_key"])["Body"].read()
    lines = aws.s3().get_object(Bucket=RUNS, Key=result["units_key"])["Body"].read().splitlines()
    plan = RunPlan.model_validate_json(body)
    assert (result["units"], result["objects"]) == (len(lines), len(plan.objects))
    return plan, [Unit.model_validate_json(line) for line in lines]


def test_objects_are_claimed_cut_and_packed() -> None:
    refs = [
        _put("cloudflare/2.ford/20260601/a.log.gz"),
        _put("cloudflare/47/b.parquet", _parquet(1000, 100)),
    ]
    plan, units = _plan(objects=refs)
    assert [(o.status, o.slices, o.rows) for o in plan.objects] == [("planned", 1, None), ("planned", 1, 1000)]
    assert [piece.feed for unit in units for piece in unit.slices] == ["2.ford", "47"]
    for planned in plan.objects:
        item = entry(str(planned.object_id))
        assert (item["state"], item["owner"], item["epoch"]) == ("CLAIMED", "run-1", 1)


def test_large_parquet_is_cut_at_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firewall_logs.planning.SLICE_ROWS", 250)
    plan, units = _plan(objects=[_put("cloudflare/47/b.parquet", _parquet(1000, 100))])
    pieces = [piece for unit in units for piece in unit.slices]
    assert [piece.row_groups for piece in pieces] == [(0, 2), (2, 4), (4, 6), (6, 8), (8, 10)]
    assert [piece.first_row for piece in pieces] == [0, 200, 400, 600, 800]
    assert plan.objects[0].slices == 5


def test_object_held_by_another_run_is_left_to_it() -> None:
    ref = _put("cloudflare/2.ford/a.gz")
    _plan("run-1", objects=[ref])
    plan, units = _plan("run-2", objects=[ref])
    assert units == []
    assert (plan.objects[0].status, plan.objects[0].note) == ("leased_elsewhere", "CLAIMED by run run-1")


def test_repeated_planning_of_a_run_finds_its_plan() -> None:
    refs = [_put("cloudflare/2.ford/a.gz")]
    first = _plan(objects=refs)
    assert _plan(objects=refs) == first


def test_planning_goes_on_after_a_crash_between_claim_and_plan() -> None:
    refs = [_put("cloudflare/2.ford/a.gz")]
    plan, units = _plan(objects=refs)
    aws.s3().delete_object(Bucket=RUNS, Key="firewall_logs/runs/run-1/plan.json")
    again, same = _plan(objects=refs)
    assert same == units
    assert again.objects == plan.objects


def test_two_versions_of_a_key_are_two_objects() -> None:
    refs = [_put("cloudflare/2.ford/a.gz", b"one"), _put("cloudflare/2.ford/a.gz", b"two")]
    plan, units = _plan(objects=refs)
    assert len({planned.object_id for planned in plan.objects}) == 2
    assert len([piece for unit in units for piece in unit.slices]) == 2


def test_object_named_twice_is_planned_once() -> None:
    ref = _put("cloudflare/2.ford/a.gz")
    plan, units = _plan(objects=[ref, ref, {"bucket": RAW, "key": ref["key"]}])
    assert len(plan.objects) == len(units) == 1


@pytest.mark.parametrize(
    ("key", "body", "defect"),
    [
        ("cloudflare/47/empty.parquet", b"", "empty"),
        ("cloudflare/2.ford/empty.gz", b"", "empty"),
        ("cloudflare/47/text.parquet", b"no parquet", "parquet_unreadable"),
        ("cloudflare/47/cut.parquet", _parquet(1000, 100)[:-20], "parquet_unreadable"),
    ],
)
def test_object_that_cannot_be_read_is_planned_as_defect(key: str, body: bytes, defect: str) -> None:
    plan, [unit] = _plan(objects=[_put(key, body)])
    assert plan.objects[0].status == "planned"
    assert unit.slices[0].defect == defect


def test_what_is_no_log_is_ignored_and_counted() -> None:
    refs = [
        _put(key) for key in ("cloudflare/3x/a.gz", "cloudflare/2.ford/ownership-challenge-1.txt", "cloudflare/47/")
    ]
    plan, units = _plan(objects=refs)
    assert units == []
    assert [(o.status, o.note) for o in plan.objects] == [
        ("ignored", "no feed owns it"),
        ("ignored", "not a log object"),
        ("ignored", "not a log object"),
    ]


def test_object_that_is_gone_is_recorded_as_missing() -> None:
    ref = _put("cloudflare/2.ford/a.gz")
    aws.s3().delete_object(Bucket=RAW, Key=ref["key"], VersionId=ref["version_id"])
    plan, units = _plan(objects=[ref])
    assert units == []
    assert plan.objects[0].status == "missing"


def test_feed_by_hand_takes_everything_below_its_prefix() -> None:
    for key in ("cloudflare/2.ford/1/a.gz", "cloudflare/2.ford/2/b.gz", "cloudflare/47/c.parquet"):
        _put(key)
    plan, _ = _plan(feed="2.ford")
    assert [planned.ref.key for planned in plan.objects] == ["cloudflare/2.ford/1/a.gz", "cloudflare/2.ford/2/b.gz"]
    narrow, _ = _plan("run-2", feed="2.ford", prefix="cloudflare/2.ford/2/")
    assert len(narrow.objects) == 1


def test_prefix_outside_the_feed_is_refused() -> None:
    with pytest.raises(FeedConfigInvalid, match=r"'cloudflare/47/' lies outside feed '2.ford'"):
        _plan(feed="2.ford", prefix="cloudflare/47/")


def test_unknown_feed_is_refused() -> None:
    with pytest.raises(FeedUnknown, match="There is no feed 'x'"):
        _plan(feed="x")


def test_bad_feed_configuration_is_refused_with_the_field() -> None:
    value = json.dumps([{"name": "3", "bucket": "raw", "prefix": "a/", "zone": "z", "format": "xml"}])
    aws.ssm().put_parameter(Name=PARAMETER, Value=value, Overwrite=True)
    with pytest.raises(FeedConfigInvalid, match="field 'format' of feed '3'"):
        _plan(feed="3")


@pytest.mark.parametrize("wanted", [{}, {"objects": []}, {"prefix": "x"}, {"feed": "3", "objects": [{}]}, {"a": 1}])
def test_input_that_is_no_run_is_refused(wanted: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _plan(**wanted)


def test_object_that_s3_refuses_to_show_does_not_hold_up_the_others() -> None:
    hidden, shown = _put("cloudflare/2.ford/hidden.gz"), _put("cloudflare/2.ford/shown.gz")

    def refuse(request: Any, **_: Any) -> Any:
        return AWSResponse(request.url, 403, HTTPHeaders(), Body()) if "hidden" in request.url else None

    aws.s3().meta.events.register_first("before-send.s3.HeadObject", refuse)
    plan, units = _plan(objects=[hidden, shown])
    assert [planned.status for planned in plan.objects] == ["unreadable", "planned"]
    assert plan.objects[0].note == "S3 refuses to show it (403)"
    assert len(units) == 1


def test_archived_object_is_unreadable() -> None:
    aws.s3().put_object(Bucket=RAW, Key="cloudflare/2.ford/cold.gz", Body=b"x", StorageClass="GLACIER")
    plan, _ = _plan(objects=[{"bucket": RAW, "key": "cloudflare/2.ford/cold.gz"}])
    assert (plan.objects[0].status, plan.objects[0].note) == ("unreadable", "it is archived (GLACIER) and not restored")


def test_object_too_large_for_a_function_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firewall_logs.planning.MOST_GZIP_BYTES", 10)
    plan, _ = _plan(objects=[_put("cloudflare/2.ford/large.gz", b"x" * 11)])
    assert (plan.objects[0].status, plan.objects[0].note) == ("unreadable", "11 bytes are too many for a function")


def test_prefix_with_too_many_objects_is_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firewall_logs.planner.MOST_OBJECTS", 2)
    for number in range(3):
        _put(f"cloudflare/2.ford/{number}.gz")
    with pytest.raises(RequestTooLarge, match="give a longer 'prefix'"):
        _plan(feed="2.ford")


def test_object_committed_for_another_feed_configuration_is_left_alone() -> None:
    ref = _put("cloudflare/2.ford/a.gz")
    source = SourceCatalogue(aws.s3()).describe(ObjectRef(**ref))
    assert source is not None
    Manifests(aws.s3(), LAKE).publish(manifest_of([a_proof(source=source, transform_version="0")]))
    plan, units = _plan(objects=[ref])
    assert units == []
    assert plan.objects[0].status == "committed_before"
    assert plan.objects[0].note == "committed by transform 0 for feed 47, zone media.example"


def test_run_that_was_stopped_while_it_was_planned_holds_nothing() -> None:
    refs = [_put("cloudflare/2.ford/a.gz")]
    failure = {"run_id": "run-1", "state": "execution", "error": "ABORTED", "cause": "stopped", "objects_failed": 0}
    Evidence(aws.s3(), RUNS).write_failure(FailureRecord(**failure, recorded_at=NOW))
    with pytest.raises(RunGivenUp, match="was stopped while it was planned"):
        _plan(objects=refs)
    plan, _ = _plan("run-2", objects=refs)
    assert plan.objects[0].status == "planned"


def test_what_an_earlier_attempt_claimed_and_this_one_does_not_want_is_given_back() -> None:
    old, new = _put("cloudflare/2.ford/a.gz", b"old"), _put("cloudflare/2.ford/b.gz", b"new")
    first, _ = _plan(objects=[old])
    aws.s3().delete_object(Bucket=RUNS, Key="firewall_logs/runs/run-1/plan.json")
    _plan(objects=[new])
    assert entry(str(first.objects[0].object_id))["state"] == "FAILED"
