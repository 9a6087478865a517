import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from firewall_logs.adapters.lake import Manifests
from firewall_logs.adapters.runs import Evidence
from firewall_logs.adapters.source import SourceCatalogue
from firewall_logs.committer import manifest_of
from firewall_logs.contracts import FailureRecord, ObjectRef, RunPlan, Unit
from firewall_logs.errors import BatchDisabled, FeedConfigInvalid, FeedUnknown, ListInvalid, RequestTooLarge, RunGivenUp
from firewall_logs.handlers.plan_run import handler
from firewall_logs.locations import list_key
from kernel import aws
from kernel.errors import ValidationError
from kernel.settings import load
from tests.support.answers import Body
from tests.support.aws import LAKE, PARAMETER, RAW, RUNS, entry, sources
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


def test_plan_says_what_planning_took() -> None:
    refs = [_put("cloudflare/2.ford/20260601/a.log.gz"), _put("cloudflare/47/b.parquet", _parquet(1000, 100))]
    taken = _plan(objects=refs)[0].taken
    assert taken is not None
    assert taken.memory_mb == Context().memory_limit_in_mb
    assert taken.seconds > 0
    # Both described and claimed; a footer, two manifests, the run's own plan, intent and failure looked for.
    assert taken.requests["s3.HeadObject"] == 2
    assert taken.requests["dynamodb.UpdateItem"] == 2
    assert taken.requests["s3.GetObject"] == 1 + 2 + 3
    assert taken.requests["s3.PutObject"] == 1


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
    assert plan.objects[0].note == "S3 refuses it (403) to the function's own role"
    assert len(units) == 1


@pytest.mark.parametrize(
    ("code", "status", "note"),
    [
        ("AccessDenied", "unreadable", "S3 refuses it (AccessDenied) to the function's own role"),
        ("NoSuchVersion", "missing", "it was deleted or overwritten"),
    ],
)
def test_object_whose_footer_s3_does_not_give_is_released_and_holds_up_nothing(
    code: str, status: str, note: str
) -> None:
    hidden = _put("cloudflare/47/hidden.parquet", _parquet(10, 10))
    shown = _put("cloudflare/47/shown.parquet", _parquet(10, 10))

    def refuse(request: Any, **_: Any) -> Any:
        body = Body(f"<Error><Code>{code}</Code></Error>".encode())
        return AWSResponse(request.url, 403, HTTPHeaders(), body) if "hidden" in request.url else None

    aws.s3().meta.events.register_first("before-send.s3.GetObject", refuse)
    plan, units = _plan(objects=[hidden, shown])
    assert [planned.status for planned in plan.objects] == [status, "planned"]
    assert note in str(plan.objects[0].note)
    assert len(units) == 1
    assert entry(str(plan.objects[0].object_id))["state"] == "FAILED"


def test_archived_object_is_unreadable() -> None:
    aws.s3().put_object(Bucket=RAW, Key="cloudflare/2.ford/cold.gz", Body=b"x", StorageClass="GLACIER")
    plan, _ = _plan(objects=[{"bucket": RAW, "key": "cloudflare/2.ford/cold.gz"}])
    assert (plan.objects[0].status, plan.objects[0].note) == ("unreadable", "it is archived (GLACIER) and not restored")


def _batch(run_id: str = "run-1") -> list[Unit]:
    body = aws.s3().get_object(Bucket=RUNS, Key=f"firewall_logs/runs/{run_id}/batch.jsonl")["Body"].read()
    return [Unit.model_validate_json(line) for line in body.splitlines()]


@pytest.fixture
def fargate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be tasks with the memory of a function, and everything over a decoded megabyte be heavy."""
    monkeypatch.setenv("BATCH_MEMORY_MB", "4096")
    monkeypatch.setenv("BATCH_MB", "1")
    load.cache_clear()


def test_object_too_large_for_a_function_is_unreadable_and_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firewall_logs.planning.MOST_GZIP_BYTES", 10)
    plan, units = _plan(objects=[_put("cloudflare/2.ford/large.gz", b"x" * 11), _put("cloudflare/2.ford/small.gz")])
    assert [planned.status for planned in plan.objects] == ["unreadable", "planned"]
    assert plan.objects[0].note == (
        "11 bytes of gzip are too large for a function: deploy with FirewallLogsBatch=enabled, and Fargate takes it"
    )
    assert entry(str(plan.objects[0].object_id))["state"] == "FAILED"
    assert (len(units), _batch()) == (1, [])


def test_row_group_too_large_for_a_function_makes_its_object_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firewall_logs.planning.MOST_ROW_GROUP_BYTES", 1000)
    monkeypatch.setattr("firewall_logs.planning.SLICE_ROWS", 150)
    plan, units = _plan(objects=[_put("cloudflare/47/b.parquet", _parquet(1100, 1000))])
    assert (plan.objects[0].status, units) == ("unreadable", [])
    assert "a row group of" in str(plan.objects[0].note)


def test_heavy_slices_go_to_fargate_and_light_ones_to_functions(fargate: None) -> None:
    refs = [_put("cloudflare/2.ford/heavy.gz", b"x" * 200_000), _put("cloudflare/2.ford/light.gz", b"x" * 100)]
    plan, units = _plan(objects=refs)
    batch = _batch()
    assert [[piece.source.size for piece in unit.slices] for unit in units] == [[100]]
    assert [[piece.source.size for piece in unit.slices] for unit in batch] == [[200_000]]
    assert (plan.units, plan.batch_units, units[0].unit, batch[0].unit) == (1, 1, 0, 1)


def test_object_too_large_for_a_function_goes_to_fargate(fargate: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCH_MEMORY_MB", "8192")
    load.cache_clear()
    monkeypatch.setattr("firewall_logs.planning.MOST_GZIP_BYTES", 10)
    refs = [_put("cloudflare/2.ford/a.gz", b"x" * 11), _put("cloudflare/2.ford/b.gz", b"x" * 21)]
    plan, units = _plan(objects=refs)
    assert [planned.status for planned in plan.objects] == ["planned", "unreadable"]
    assert (units, [piece.source.size for unit in _batch() for piece in unit.slices]) == ([], [11])


@pytest.mark.parametrize(("engine", "units", "tasks"), [("auto", 1, 1), ("lambda", 1, 0), ("batch", 0, 1)])
def test_run_may_send_everything_to_one_engine(fargate: None, engine: str, units: int, tasks: int) -> None:
    refs = [_put("cloudflare/2.ford/heavy.gz", b"x" * 200_000), _put("cloudflare/2.ford/light.gz", b"x" * 100)]
    plan, _ = _plan(objects=refs, engine=engine)
    assert (plan.units, plan.batch_units) == (units, tasks)


def test_run_that_wants_fargate_where_there_is_none_is_refused() -> None:
    with pytest.raises(BatchDisabled, match="deploy with FirewallLogsBatch=enabled"):
        _plan(objects=[_put("cloudflare/2.ford/a.gz")], engine="batch")


def test_prefix_with_too_many_objects_is_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firewall_logs.planner.MOST_OBJECTS", 2)
    for number in range(3):
        _put(f"cloudflare/2.ford/{number}.gz")
    with pytest.raises(RequestTooLarge, match="give a longer 'prefix'"):
        _plan(feed="2.ford")


def _list(key: str, *lines: str) -> str:
    aws.s3().put_object(Bucket=RUNS, Key=key, Body="\n".join(lines).encode())
    return key


def test_list_takes_each_object_that_it_names() -> None:
    refs = [_put("cloudflare/2.ford/a.gz"), _put("cloudflare/47/b.parquet", _parquet(10, 10))]
    _put("cloudflare/2.ford/not-named.gz")
    key = _list(list_key("june", 0), json.dumps(refs[0]), "", json.dumps(refs[1]), json.dumps(refs[0]), "")
    plan, _ = _plan(list_key=key)
    assert [planned.ref.model_dump() for planned in plan.objects] == refs


def test_empty_list_is_an_empty_run() -> None:
    plan, units = _plan(list_key=_list(list_key("june", 0)))
    assert (plan.objects, units) == ([], [])


def test_list_that_is_not_there_is_refused() -> None:
    with pytest.raises(ListInvalid, match=r"There is no list s3://runs/firewall_logs/lists/june/00007\.jsonl"):
        _plan(list_key=list_key("june", 7))


@pytest.mark.parametrize(
    ("line", "complaint"), [('{"bucket": "raw"}', "`key` is missing"), ("cloudflare/2.ford/a.gz", "Invalid JSON")]
)
def test_line_that_names_no_object_is_refused_with_its_number(line: str, complaint: str) -> None:
    key = _list(list_key("june", 0), json.dumps(_put("cloudflare/2.ford/a.gz")), line)
    with pytest.raises(ListInvalid, match=f"Line 2 of the list s3://runs/{key} names no object. .*{complaint}"):
        _plan(list_key=key)


def test_list_with_too_many_objects_is_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firewall_logs.planner.MOST_OBJECTS", 2)
    lines = [json.dumps({"bucket": RAW, "key": f"cloudflare/2.ford/{number}.gz"}) for number in range(3)]
    with pytest.raises(RequestTooLarge, match="divide it and start a run for each part"):
        _plan(list_key=_list(list_key("june", 0), *lines))


def test_object_committed_for_another_feed_configuration_is_left_alone() -> None:
    ref = _put("cloudflare/2.ford/a.gz")
    source = SourceCatalogue(sources()).describe(ObjectRef(**ref))
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
