"""Quarantined rows through the rules again: each once, whoever asks how often, and every row accounted for."""

import gzip
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from firewall_logs.contracts import Manifest
from firewall_logs.replays.account import current_account
from tests.support import raw
from tests.support.aws import RUNS
from tests.support.firewall import FEEDS
from tests.support.pipeline import Pipeline, StepFailed

pytestmark = pytest.mark.cloud

LENIENT = json.dumps([feed | {"naive_times": "utc"} for feed in json.loads(FEEDS)])
NAIVE = {"Datetime": "2026-06-01 10:00:00"}
BROKEN = {"Datetime": "yesterday"}


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with Pipeline.alone() as made:
        yield made


@pytest.fixture(autouse=True)
def fresh(pipeline: Pipeline) -> None:
    pipeline.forget()
    pipeline.configure(FEEDS)


def _bring_in(pipeline: Pipeline, name: str = "a") -> None:
    """Ten good rows, four without zone (two of them equal), one that no rule will ever take."""
    naive = [raw.an_event(100 + n, **NAIVE) for n in range(3)]
    rows = [*(raw.an_event(n) for n in range(10)), *naive, naive[0], raw.an_event(200, **BROKEN)]
    ref = pipeline.put_lines(f"cloudflare/2.ford/{name}.log.gz", rows)
    pipeline.run(f"run-{name}", [ref])


def _plan(pipeline: Pipeline, replay_id: str, **wanted: Any) -> dict[str, Any]:
    given = {"feed": "2.ford", "dry_run": False} | wanted
    return pipeline.call("plan_replay", {"execution": replay_id, "input": given})


def _replay(pipeline: Pipeline, replay_id: str, **wanted: Any) -> dict[str, Any]:
    """Plan, process and record a replay, the way the machine does."""
    plan = _plan(pipeline, replay_id, **wanted)
    if plan["list_key"] is None:
        return plan
    pipeline.run(f"{replay_id}-run", {"list_key": plan["list_key"]})
    return pipeline.call("record_replay", {"replay_id": replay_id, "list_key": plan["list_key"]})


def _manifests(pipeline: Pipeline) -> list[Manifest]:
    return [Manifest.model_validate_json(body) for key, body in pipeline.lake().items() if "/manifests/" in key]


def test_dry_run_counts_by_reason_and_changes_nothing(pipeline: Pipeline) -> None:
    _bring_in(pipeline)
    before = pipeline.lake()
    plan = _plan(pipeline, "dry", dry_run=True)
    assert (plan["rows"], plan["objects"], plan["list_key"]) == ({"time_format": 1, "time_naive": 4}, 1, None)
    assert plan["told"] == "5 rows of 2 objects and reasons are to be judged again."
    assert pipeline.lake() == before
    assert pipeline.effects == 0


def test_replay_under_other_rules_moves_rows_into_the_lake_and_closes_the_account(pipeline: Pipeline) -> None:
    _bring_in(pipeline)
    pipeline.configure(LENIENT)
    result = _replay(pipeline, "r1")
    assert result["account"] == {"rows_in": 5, "rows_out": 3, "quarantined": 1, "duplicates": 1}
    assert (result["quarantined_by_reason"], result["open"]) == ({"time_format": 1}, 0)
    now = current_account(_manifests(pipeline))
    assert now.problems == []
    assert now.account.model_dump() == {"rows_in": 15, "rows_out": 13, "quarantined": 1, "duplicates": 1}
    assert now.account.balances
    assert now.quarantined_by_reason == {"time_format": 1}


def test_replay_under_the_same_rules_leaves_every_row_in_quarantine(pipeline: Pipeline) -> None:
    _bring_in(pipeline)
    result = _replay(pipeline, "r1")
    assert result["quarantined_by_reason"] == {"time_format": 1, "time_naive": 4}
    now = current_account(_manifests(pipeline))
    assert now.account.model_dump() == {"rows_in": 15, "rows_out": 10, "quarantined": 5, "duplicates": 0}


def test_second_replay_finds_the_first_and_adds_nothing(pipeline: Pipeline) -> None:
    _bring_in(pipeline)
    pipeline.configure(LENIENT)
    _replay(pipeline, "r1", reasons=["time_naive"])
    before = pipeline.lake()
    again = _replay(pipeline, "r2", reasons=["time_naive"])
    assert (again["rows"], again["replayed_before"], again["replays"]) == ({}, {"time_naive": 4}, 0)
    assert "4 rows were replayed before" in again["told"]
    assert pipeline.lake() == before


def test_rows_whose_replay_object_has_expired_are_not_replayed_anew(pipeline: Pipeline) -> None:
    _bring_in(pipeline)
    pipeline.configure(LENIENT)
    _replay(pipeline, "r1", reasons=["time_naive"])
    before = pipeline.lake()
    expired = next(key for key in pipeline._keys(RUNS, "firewall_logs/replays/") if key.endswith(".gz"))
    pipeline.s3.delete_object(Bucket=RUNS, Key=expired)
    again = _replay(pipeline, "r2", reasons=["time_naive"])
    assert (again["rows"], again["replayed_before"], again["replays"]) == ({}, {"time_naive": 4}, 0)
    assert pipeline.lake() == before


def test_what_is_refused_again_can_be_replayed_from_where_it_is_now(pipeline: Pipeline) -> None:
    _bring_in(pipeline)
    _replay(pipeline, "r1", reasons=["time_naive"])
    pipeline.configure(LENIENT)
    result = _replay(pipeline, "r2", reasons=["time_naive"])
    assert result["account"] == {"rows_in": 4, "rows_out": 3, "quarantined": 0, "duplicates": 1}
    now = current_account(_manifests(pipeline))
    assert (now.problems, now.account.balances, now.account.rows_out) == ([], True, 13)


def test_quarantine_of_a_replay_lies_on_the_day_of_the_original(pipeline: Pipeline) -> None:
    _bring_in(pipeline)
    _replay(pipeline, "r1")
    days = {key.split("/")[2] for key in pipeline.lake() if "/quarantine/" in key}
    assert len(days) == 1
    replays = [manifest for manifest in _manifests(pipeline) if manifest.replay_of]
    [original] = [manifest for manifest in _manifests(pipeline) if not manifest.replay_of]
    assert {manifest.source.last_modified for manifest in replays} == {original.source.last_modified}


def test_rows_of_parquet_are_replayed_from_their_json(pipeline: Pipeline) -> None:
    rows = raw.parquet(30).replace(b"Datetime", b"DateTime")
    pipeline.run("parquet", [pipeline.put("cloudflare/47/a.parquet", rows)])
    result = _replay(pipeline, "r1", feed="47")
    assert result["account"] == {"rows_in": 30, "rows_out": 0, "quarantined": 30, "duplicates": 0}
    [key] = [key for key in pipeline._keys(RUNS, "firewall_logs/replays/") if key.endswith(".gz")]
    lines = gzip.decompress(pipeline.s3.get_object(Bucket=RUNS, Key=key)["Body"].read()).splitlines()
    assert [json.loads(line)["RayID"] for line in lines] == [f"{n:016x}" for n in range(30)]


def test_whole_object_has_no_rows_to_replay_and_the_plan_says_what_to_do(pipeline: Pipeline) -> None:
    pipeline.run("whole", [pipeline.put("cloudflare/2.ford/cut.log.gz", raw.truncated())])
    plan = _plan(pipeline, "r1")
    assert (plan["rows"], plan["whole_objects"]) == ({}, {"gzip_truncated": 1})
    assert "1 objects were quarantined whole and have no rows to replay: put a complete version" in plan["told"]


def test_choice_is_narrowed_by_key_reason_and_day(pipeline: Pipeline) -> None:
    _bring_in(pipeline, "a")
    _bring_in(pipeline, "b")
    assert _plan(pipeline, "p", dry_run=True)["rows"] == {"time_format": 2, "time_naive": 8}
    narrow = {"keys": ["cloudflare/2.ford/b.log.gz"], "reasons": ["time_format"], "dry_run": True}
    assert _plan(pipeline, "p", **narrow)["rows"] == {"time_format": 1}
    today = {key.partition("object_date=")[2][:10] for key in pipeline.lake() if "/quarantine/" in key}.pop()
    assert _plan(pipeline, "p", dry_run=True, **{"from": today, "to": today})["objects"] == 2
    assert _plan(pipeline, "p", dry_run=True, to="2020-01-01")["objects"] == 0


@pytest.mark.parametrize(
    ("wanted", "error", "said"),
    [
        ({"feed": None}, "ValidationError", "give 'feed' or 'keys'"),
        ({"from": "2026-06-02", "to": "2026-06-01"}, "ValidationError", "is later than"),
        ({"reasons": []}, "ValidationError", "`input.reasons` is empty"),
    ],
)
def test_wrong_input_is_refused_with_a_sentence(
    pipeline: Pipeline, wanted: dict[str, Any], error: str, said: str
) -> None:
    with pytest.raises(StepFailed, match=said) as refused:
        _plan(pipeline, "r1", **wanted)
    assert refused.value.name == error


def test_quarantine_that_lacks_rows_is_not_replayed(pipeline: Pipeline) -> None:
    _bring_in(pipeline, "whole")
    _bring_in(pipeline, "half")
    one, two = (key for key in pipeline.lake() if "/quarantine/" in key)
    empty = pipeline.lake()[one]
    assert empty != pipeline.lake()[two]
    manifest = next(m for m in _manifests(pipeline) if any(file.key == two for file in m.files))
    forged = manifest.model_copy(update={"quarantined_by_reason": {"time_naive": 5}})
    key = next(key for key, body in pipeline.lake().items() if body == manifest.model_dump_json(indent=1).encode())
    pipeline.s3.put_object(Bucket="lake", Key=key, Body=forged.model_dump_json().encode())
    with pytest.raises(StepFailed, match=r"QuarantineIncomplete: .* counts 5 rows .* its quarantine files hold 4"):
        _plan(pipeline, "r1", keys=[manifest.source.key])


def test_replay_killed_between_any_two_effects_ends_alike(pipeline: Pipeline) -> None:
    _bring_in(pipeline)
    brought_in = pipeline.state()
    pipeline.configure(LENIENT)
    _plan(pipeline, "count")
    effects = pipeline.effects
    assert effects == 7  # two claims, two objects, two notes of them, a list
    for done in range(effects + 1):
        pipeline.put_back(brought_in)
        killed = {"execution": "r", "input": {"feed": "2.ford", "dry_run": False}}
        with pytest.raises(StepFailed, match="Killed"):
            pipeline.call("plan_replay", killed, done)
        # Somebody else asks for the same instead, and then the first once more.
        _replay(pipeline, "other")
        _replay(pipeline, "r")
        now = current_account(_manifests(pipeline))
        assert (now.problems, now.account.rows_out, now.account.quarantined) == ([], 13, 1), done


def test_two_replays_at_once_bring_rows_in_once(pipeline: Pipeline) -> None:
    _bring_in(pipeline)
    pipeline.configure(LENIENT)
    plans = [_plan(pipeline, name) for name in ("r1", "r2")]
    runs = [
        pipeline.steps(f"{name}-run", {"list_key": plan["list_key"]}) for name, plan in zip("ab", plans, strict=True)
    ]
    for pair in itertools.zip_longest(*runs):
        for step in filter(None, pair):
            pipeline.call(*step)
    now = current_account(_manifests(pipeline))
    assert (now.problems, now.account.rows_out) == ([], 13)
    assert pipeline.states() == ["COMMITTED"] * 3
