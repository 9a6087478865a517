"""A seal is killed after each single effect, retried or given up for a new one: the day ends byte for byte alike."""

from typing import Any

import pytest

from tests.support.aws import DAYS, LAKE, RAW
from tests.support.effort import spread
from tests.support.pipeline import Pipeline, StepFailed
from tests.support.seal import DAY, EVENTS, SEALED_KINDS, STARTED_AT, KilledOnce, Way, day_of, seal, table_files

pytestmark = pytest.mark.cloud


def _prepare(pipeline: Pipeline, refs: list[dict[str, str]]) -> None:
    pipeline.begin_with("given", refs)


def _give_up(pipeline: Pipeline, call: KilledOnce) -> None:
    with pytest.raises(StepFailed, match="Killed"):
        seal(pipeline, "killed", DAY, call=call)
    pipeline.call("block_day", {"seal_id": "killed", "error": "ABORTED", "cause": "somebody stopped it"})


def test_equal_rows_of_two_objects_are_one_event_of_the_sealed_day(
    pipeline: Pipeline, refs: list[dict[str, str]]
) -> None:
    _prepare(pipeline, refs)
    seal(pipeline, "first", DAY)
    account = day_of(pipeline, DAY)["document"]["account"]
    assert account == {"rows_in": 180, "rows_out": 170, "quarantined": 0, "duplicates": 10}


def test_seal_killed_between_any_two_effects_and_retried_ends_alike(
    pipeline: Pipeline, refs: list[dict[str, str]]
) -> None:
    _prepare(pipeline, refs)
    way = Way(pipeline)
    seal(pipeline, "seal", DAY, call=way)
    expected = day_of(pipeline, DAY)
    assert way.effects > 15
    for done in range(way.effects + 1):
        call = KilledOnce(way, done, retry=True)
        seal(pipeline, "seal", DAY, call=call)
        assert call.killed
        assert day_of(pipeline, DAY) == expected, done


def test_seal_given_up_between_any_two_effects_is_finished_by_the_next(
    pipeline: Pipeline, refs: list[dict[str, str]]
) -> None:
    _prepare(pipeline, refs)
    way = Way(pipeline)
    seal(pipeline, "killed", DAY, call=way)
    expected = day_of(pipeline, DAY)
    assert way.effects > 15
    for done in spread(range(way.effects + 1)):
        _give_up(pipeline, KilledOnce(way, done, retry=False))
        seal(pipeline, "next", DAY)
        assert day_of(pipeline, DAY) == expected, done


def test_reseal_killed_anywhere_and_given_up_is_finished_by_the_next(
    pipeline: Pipeline, refs: list[dict[str, str]], late: list[dict[str, str]]
) -> None:
    _prepare(pipeline, refs)
    seal(pipeline, "first", DAY)
    pipeline.run("late", late)
    way = Way(pipeline)
    seal(pipeline, "killed", DAY, call=way)
    expected = day_of(pipeline, DAY)
    assert (expected["document"]["version"], expected["document"]["late_objects"]) == (2, 1)
    assert expected["document"]["account"]["rows_out"] == 190
    for done in range(1, way.effects + 1, 3):
        _give_up(pipeline, KilledOnce(way, done, retry=False))
        seal(pipeline, "next", DAY)
        assert day_of(pipeline, DAY) == expected, done


def test_object_that_is_committed_while_its_day_is_sealed_reopens_it(
    pipeline: Pipeline, refs: list[dict[str, str]], late: list[dict[str, str]]
) -> None:
    """Whatever step of the seal the late object comes before, no row is lost and none is hidden."""
    steps = ["sweep_day", "reconcile_day", "compact_unit", "validate_day", "seal_day", "clean_day"]
    for victim in steps:
        _prepare(pipeline, refs)
        came: list[str] = []

        def call(handler: str, event: dict[str, Any], victim: str = victim, came: list[str] = came) -> dict[str, Any]:
            if handler == victim and not came:
                came.append(handler)
                pipeline.run("late", late)
            return pipeline.call(handler, event)

        seal(pipeline, "first", DAY, call=call)
        early = victim in {"sweep_day", "reconcile_day"}
        state = day_of(pipeline, DAY)["state"]["status"]["S"]
        assert state == ("SEALED" if early else "REOPENED"), victim
        seal(pipeline, "second", DAY)
        ended = day_of(pipeline, DAY)
        assert ended["document"]["account"]["rows_out"] == 190, victim
        assert ended["state"]["status"]["S"] == "SEALED", victim
        newest = {key for kind in SEALED_KINDS for key in table_files(pipeline, kind, DAY)}
        # Readers that began before may still read the version before; nothing loose is left.
        assert newest <= ended["files"].keys()
        assert {key.split("/")[1] for key in ended["files"]} == {"sealed"}
        assert len(ended["files"]) == len(SEALED_KINDS) * (1 if early else 2), victim


def test_commit_that_is_retried_after_the_seal_leaves_the_sealed_day_alone(
    pipeline: Pipeline, refs: list[dict[str, str]]
) -> None:
    pipeline.forget()
    pipeline.run("given", refs)
    before_summary = pipeline.effects - 2  # and the event
    pipeline.forget()
    for handler, event in pipeline.steps("given", refs):
        if handler != "commit_run":
            pipeline.call(handler, event)
    with pytest.raises(StepFailed, match="Killed"):
        pipeline.call("commit_run", {"run_id": "given"}, before_summary)
    assert set(pipeline.states()) == {"COMMITTED"}
    seal(pipeline, "first", DAY)
    expected = day_of(pipeline, DAY)
    pipeline.call("commit_run", {"run_id": "given"})
    assert day_of(pipeline, DAY) == expected


def test_day_is_held_by_one_seal_at_a_time(pipeline: Pipeline, refs: list[dict[str, str]]) -> None:
    _prepare(pipeline, refs)
    sweep = {"started_at": "2026-06-05T02:00:00Z", "round": 0, "input": {"date": DAY}}
    pipeline.call("sweep_day", {"seal_id": "first", **sweep})
    with pytest.raises(StepFailed, match=f"DayBusy: Another seal is at work on {DAY}"):
        pipeline.call("sweep_day", {"seal_id": "second", **sweep})


def test_seal_that_was_given_up_and_goes_on_changes_nothing_of_a_later_version(
    pipeline: Pipeline, refs: list[dict[str, str]], late: list[dict[str, str]]
) -> None:
    _prepare(pipeline, refs)
    seal(pipeline, "first", DAY)
    pipeline.run("late", late)
    seal(pipeline, "second", DAY)
    expected = day_of(pipeline, DAY)
    redriven = {"seal_id": "first", "event_date": DAY, "version": 1}
    with pytest.raises(StepFailed, match=f"SealLost: Seal first does not hold {DAY} any more"):
        pipeline.call("seal_day", redriven)
    pipeline.call("clean_day", redriven)
    assert day_of(pipeline, DAY) == expected


def test_objects_that_no_event_announced_are_brought_in_by_the_sweep(
    pipeline: Pipeline, refs: list[dict[str, str]], late: list[dict[str, str]]
) -> None:
    _prepare(pipeline, refs[:1])
    # The feeds of these tests are not dated: what arrived today is looked for by the seal of today.
    today = _today(pipeline)
    given = {"started_at": "2099-01-01T00:00:00Z", "round": 0, "input": {"date": today}}
    swept = pipeline.call("sweep_day", {"seal_id": "sweeping", **given})
    assert (swept["listed"], swept["missing"], swept["held"]) == (4, 3, 0)
    for each in swept["lists"]:
        pipeline.run(each["name"], {"list_key": each["list_key"]})
    swept = pipeline.call("sweep_day", {"seal_id": "sweeping", **given, "round": 1})
    assert (swept["listed"], swept["missing"], swept["lists"]) == (4, 0, [])
    assert len([entry for entry in pipeline.days() if entry[0] == DAY]) == 4


def test_object_whose_commit_was_stopped_behind_its_manifest_is_brought_in_by_the_sweep(
    pipeline: Pipeline, refs: list[dict[str, str]]
) -> None:
    pipeline.forget()
    for handler, event in pipeline.steps("stopped", refs):
        if handler != "commit_run":
            pipeline.call(handler, event)
    with pytest.raises(StepFailed, match="Killed"):
        pipeline.call("commit_run", {"run_id": "stopped"}, 1)
    assert [key for key in pipeline.lake() if "/manifests/" in key]
    pipeline.call(
        "record_failure",
        {"run_id": "stopped", "state": "CommitRun", "error": "ABORTED", "cause": "somebody stopped it"},
    )
    given = {"started_at": "2099-01-01T00:00:00Z", "round": 0, "input": {"date": _today(pipeline)}}
    swept = pipeline.call("sweep_day", {"seal_id": "after", **given})
    assert swept["missing"] == swept["listed"]
    for each in swept["lists"]:
        pipeline.run(each["name"], {"list_key": each["list_key"]})
    assert pipeline.call("sweep_day", {"seal_id": "after", **given, "round": 1})["missing"] == 0
    assert len([entry for entry in pipeline.days() if entry[0] == DAY]) >= len(refs)


def test_object_that_is_gone_between_listing_and_reading_holds_up_nothing(
    pipeline: Pipeline, refs: list[dict[str, str]]
) -> None:
    _prepare(pipeline, refs[:1])
    gone = pipeline.put_lines("cloudflare/2.ford/gone.log.gz", EVENTS[:3])
    given = {"started_at": "2099-01-01T00:00:00Z", "round": 0, "input": {"date": _today(pipeline)}}
    swept = pipeline.call("sweep_day", {"seal_id": "vanishing", **given})
    pipeline.s3.delete_object(Bucket=RAW, Key=gone["key"], VersionId=gone["version_id"])
    [each] = swept["lists"]
    pipeline.run(each["name"], {"list_key": each["list_key"]})
    again = pipeline.call("sweep_day", {"seal_id": "vanishing", **given, "round": 1})
    assert (again["listed"], again["missing"]) == (swept["listed"] - 1, 0)


def test_file_that_vanished_blocks_the_day_and_names_it(pipeline: Pipeline, refs: list[dict[str, str]]) -> None:
    _prepare(pipeline, refs)
    victim = next(key for key in pipeline.lake() if "/events/" in key and DAY in key)
    pipeline.s3.delete_object(Bucket=LAKE, Key=victim)
    blocked = seal(pipeline, "seal", DAY)
    assert blocked["error"] == "ReconciliationFailed"
    assert victim in blocked["cause"]
    assert day_of(pipeline, DAY)["state"]["status"]["S"] == "BLOCKED"


def test_index_that_forgot_an_object_blocks_the_day(pipeline: Pipeline, refs: list[dict[str, str]]) -> None:
    _prepare(pipeline, refs)
    _, object_id, _ = next(entry for entry in pipeline.days() if entry[0] == DAY)
    pipeline.dynamodb.delete_item(TableName=DAYS, Key={"partition": {"S": DAY}, "item": {"S": object_id}})
    blocked = seal(pipeline, "seal", DAY)
    assert blocked["error"] == "ReconciliationFailed"
    assert "file_unclaimed" in blocked["cause"]


def _today(pipeline: Pipeline) -> str:
    modified = pipeline.s3.list_objects_v2(Bucket=RAW)["Contents"][0]["LastModified"]
    return str(modified.date())


RULE = [{"name": "few-rows", "measure": "rows", "fail": {"below": 1000}, "why": "this test wants more"}]


def test_failing_rule_blocks_the_day_until_somebody_waives_it(pipeline: Pipeline, refs: list[dict[str, str]]) -> None:
    _prepare(pipeline, refs)
    with pipeline.rules(RULE):
        blocked = seal(pipeline, "strict", DAY)
        assert blocked["error"] == "DayRefused"
        assert "2.ford/few-rows" in blocked["cause"]
        assert "47/few-rows" in blocked["cause"]
        assert day_of(pipeline, DAY)["versions"] == []
        assert [key for key in pipeline.lake() if f"/quality/event_date={DAY}/" in key]
        assert seal(pipeline, "half", DAY, waive=["47/few-rows"])["error"] == "DayRefused"
        seal(pipeline, "lenient", DAY, waive=["47/few-rows", "2.ford/few-rows"])
    document = day_of(pipeline, DAY)["document"]
    assert document["waived"] == ["2.ford/few-rows", "47/few-rows"]
    assert {verdict["level"] for verdict in document["quality"] if verdict["rule"] == "few-rows"} == {"fail"}


def test_seal_that_has_nothing_new_changes_nothing_and_unblocks_the_day(
    pipeline: Pipeline, refs: list[dict[str, str]]
) -> None:
    _prepare(pipeline, refs)
    seal(pipeline, "first", DAY)
    expected = day_of(pipeline, DAY)
    pipeline.call("sweep_day", {"seal_id": "stopped", "started_at": STARTED_AT, "round": 0, "input": {"date": DAY}})
    pipeline.call("block_day", {"seal_id": "stopped", "error": "ABORTED", "cause": "somebody stopped it"})
    assert day_of(pipeline, DAY)["state"]["status"]["S"] == "BLOCKED"
    seal(pipeline, "second", DAY)
    assert day_of(pipeline, DAY) == expected


def test_waiver_of_no_rule_blocks_the_day_and_says_so(pipeline: Pipeline, refs: list[dict[str, str]]) -> None:
    _prepare(pipeline, refs)
    blocked = seal(pipeline, "waiving", DAY, waive=["47/no-such-rule"])
    assert blocked["cause"] == "47/no-such-rule: there is no such rule to waive."
