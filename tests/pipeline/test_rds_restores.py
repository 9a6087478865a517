"""Replays from RDS: what the lake lacks comes back byte for byte while RDS has it, and is reported where it has not."""

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from database_logs.handlers import check_segments, finish_replay, parse_segment, plan_rds_replay, restore_segments
from kernel import aws
from local.rds.model.instances import Instance
from local.rds.model.script import Effect, Rule
from tests.support.context import Context
from tests.support.rds import START
from tests.support.rds_collecting import SEGMENTS, Collecting, Killed, collecting, database, pg_lines, slow_events

LAKE = "lake"
DOWNLOAD = "DownloadDBLogFilePortion"
HOUR = timedelta(hours=1)
PAGE = "database_logs/replays/{}/segments-00000.jsonl"


@pytest.fixture
def run() -> Iterator[Collecting]:
    with (
        collecting(LAKE_BUCKET=LAKE, SEARCH_QUEUE_URL="", SEGMENT_BYTES="16384") as made,
        patch.object(plan_rds_replay, "utc_now", made.world.now),
        patch.object(restore_segments, "utc_now", made.world.now),
    ):
        aws.s3().create_bucket(Bucket=LAKE, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield made


def _plan(run: Collecting, replay: str = "r1", **request: Any) -> dict[str, Any]:
    run.reaper.arm(None)
    wanted = {"source": "rds", "start": (START - HOUR).isoformat(), "end": (START + 9 * HOUR).isoformat(), **request}
    plan: dict[str, Any] = plan_rds_replay.handler({"replay_id": replay, "input": wanted}, Context())
    return plan


def _restore(run: Collecting, replay: str = "r1", kill_after: int | None = None) -> dict[str, Any]:
    run.reaper.arm(kill_after)
    restored: dict[str, Any] = restore_segments.handler({"page": PAGE.format(replay)}, Context())
    return restored


def _parse(run: Collecting, without: set[str] = frozenset()) -> list[str]:  # type: ignore[assignment]
    """Let the parsers take what they were told, but some segments; return the keys of all."""
    told = run.announced()
    _taken([message for message in told if message["key"] not in without])
    return [message["key"] for message in told]


def _taken(told: list[dict[str, Any]]) -> dict[str, bytes]:
    """Let the parsers take what they were told, and return the files of the lake."""
    for number, message in enumerate(told):
        record = {"messageId": str(number), "body": json.dumps(message), "eventSource": "aws:sqs"}
        assert parse_segment.handler({"Records": [record]}, Context()) == {"batchItemFailures": []}
    return _lake()


def _lake() -> dict[str, bytes]:
    pages = aws.s3().get_paginator("list_objects_v2").paginate(Bucket=LAKE, Prefix="database_logs/logs/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return {key: aws.s3().get_object(Bucket=LAKE, Key=key)["Body"].read() for key in keys}


def _collected(
    run: Collecting, engine: str = "postgres", kind: str = "stderr", **knobs: Any
) -> tuple[Instance, list[str]]:
    """Return an instance with a closed hour and a live file, all of it stored, and the keys of its segments."""
    instance, logs = database(run, engine, kind, **knobs)
    lines = pg_lines if kind == "stderr" else slow_events
    logs[kind].write(lines(0, 300))
    run.run(2, 3600)
    logs[kind].write(lines(300, 100))
    run.run(2)
    ledgers = [run.ledger(instance.resource_id, one)[0] for one in run.identities(instance.resource_id)]
    return instance, [stored.key for ranges in ledgers for stored in ranges]


@pytest.mark.parametrize(("engine", "kind"), [("postgres", "stderr"), ("mysql", "slow")])
def test_segments_that_are_missing_damaged_or_unparsed_come_back_and_others_stay(
    run: Collecting, engine: str, kind: str
) -> None:
    _, keys = _collected(run, engine, kind)
    before = {key: run.segment(key) for key in keys}
    missing, damaged, unparsed = keys[0], keys[1], keys[-1]
    _parse(run, {damaged, unparsed})
    lake = _lake()
    aws.s3().delete_object(Bucket=SEGMENTS, Key=missing)
    aws.s3().put_object(Bucket=SEGMENTS, Key=damaged, Body=b"garbage")

    plan = _plan(run)
    assert (plan["segments"], plan["files"], plan["gone"], plan["lists"]) == (3, 0, 0, 1)
    calls = sum(run.server.control.calls().values())
    assert _restore(run) == {"restored": 2, "told": 1, "queued": 0, "unavailable": 0, "open": 0}
    assert sum(run.server.control.calls().values()) > calls
    assert {key: run.segment(key) for key in keys} == before
    assert set(_parse(run)) == {missing, damaged, unparsed}
    assert check_segments.handler({"page": PAGE.format("r1")}, Context()) == {"done": 3, "open": 0, "damaged": 0}
    assert finish_replay.handler({"replay_id": "r1"}, Context()) == {
        "done": 3,
        "damaged": 0,
        "restored": 2,
        "unavailable": 0,
    }
    # What was there is as it was, byte for byte.
    assert lake.items() < _lake().items()
    assert _plan(run, "r2")["segments"] == 0


def test_restore_killed_between_any_two_effects_ends_with_the_same_bytes(run: Collecting) -> None:
    _, keys = _collected(run)
    before = {key: run.segment(key) for key in keys}
    _parse(run)
    for key in keys[:2]:
        aws.s3().delete_object(Bucket=SEGMENTS, Key=key)
    assert _plan(run)["segments"] == 2
    effects = 0
    while True:
        try:
            _restore(run, kill_after=effects)
            break
        except Killed:
            effects += 1
    assert effects > 4
    assert {key: run.segment(key) for key in keys} == before
    assert set(_parse(run)) == set(keys[:2])
    assert check_segments.handler({"page": PAGE.format("r1")}, Context()) == {"done": 2, "open": 0, "damaged": 0}


def test_raw_segment_that_was_replaced_is_lacking_once_a_parser_has_found_out_and_comes_back(run: Collecting) -> None:
    _, keys = _collected(run)
    before = {key: run.segment(key) for key in keys}
    told = run.announced()
    lake = _taken(told)
    other = gzip.compress(before[keys[0]][::-1])
    aws.s3().put_object(Bucket=SEGMENTS, Key=keys[0], Body=other)
    _taken(told)
    assert _plan(run)["segments"] == 1
    assert _restore(run)["restored"] == 1
    assert {key: run.segment(key) for key in keys} == before
    assert _taken(run.announced()) == lake
    assert _plan(run, "r2")["segments"] == 0


def test_throttled_restore_goes_on_where_it_stopped_and_tells_the_parsers_once(run: Collecting) -> None:
    _, keys = _collected(run)
    before = {key: run.segment(key) for key in keys}
    _parse(run)
    for key in keys:
        aws.s3().delete_object(Bucket=SEGMENTS, Key=key)
    assert _plan(run)["segments"] == len(keys) > 4
    found: list[dict[str, Any]] = []
    while not found or found[-1]["open"]:
        calls = run.server.control.calls()[DOWNLOAD]
        # A call gets so far, and then RDS answers nobody.
        run.server.control.script([Rule(Effect.THROTTLE, action=DOWNLOAD, first_call=6, times=None)])
        found.append(_restore(run))
        assert run.server.control.calls()[DOWNLOAD] > calls
    assert len(found) > 2
    assert [one["open"] for one in found] == sorted((one["open"] for one in found), reverse=True)
    assert found[-1] == {"restored": len(keys), "told": 0, "queued": 0, "unavailable": 0, "open": 0}
    assert {key: run.segment(key) for key in keys} == before
    assert sorted(_parse(run)) == sorted(keys)


def test_restore_without_enough_time_stops_after_a_segment_and_the_next_one_goes_on(
    run: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, keys = _collected(run)
    _parse(run)
    for key in keys[:3]:
        aws.s3().delete_object(Bucket=SEGMENTS, Key=key)
    assert _plan(run)["segments"] == 3
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: 30_000)
    first = _restore(run)
    # A segment that came in part is not taken for one that RDS does not have.
    assert (first["unavailable"], first["restored"] + first["open"]) == (0, 3)
    monkeypatch.undo()
    assert _restore(run)["restored"] == 3
    assert sorted(_parse(run)) == sorted(keys[:3])


def test_gap_whose_file_is_there_again_is_collected_after_all(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 100))
    run.run()
    logs["stderr"].write(pg_lines(100, 100))
    run.world.advance(HOUR)
    [log] = instance.logs
    [name] = [name for name in log.files if "-06" in name]
    file = log.files.pop(name)
    run.run(3)
    assert [gap.reason for gap in run.ledger(instance.resource_id, name)[1]] == ["purged"]
    _parse(run)
    assert _plan(run)["gone"] == 1
    log.files[name] = file

    plan = _plan(run, "r2")
    assert (plan["segments"], plan["files"], plan["gone"]) == (0, 1, 0)
    assert _restore(run, "r2")["queued"] == 1
    run.run(3)
    assert run.ledger(instance.resource_id, name)[1] == []
    assert run.content(instance.resource_id, name) in run.truth(instance).values()
    assert _plan(run, "r3")["files"] == 0


def test_what_rds_does_not_list_any_more_is_reported_and_not_tried(run: Collecting) -> None:
    instance, keys = _collected(run)
    _parse(run)
    aws.s3().delete_object(Bucket=SEGMENTS, Key=keys[0])
    [log] = instance.logs
    log.purge(next(name for name in log.files if "-06" in name), run.world.now())
    plan = _plan(run)
    assert (plan["segments"], plan["gone"], plan["lists"]) == (0, 1, 0)
    gone = aws.s3().get_object(Bucket=LAKE, Key="database_logs/replays/r1/gone.jsonl")["Body"].read()
    assert json.loads(gone)["segment"]["key"] == keys[0]


def test_other_bytes_in_the_place_of_a_segment_are_not_taken_for_it(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr", unflushed=2500)
    logs["stderr"].write(pg_lines(0, 40))
    run.run(2)
    [identity] = run.identities(instance.resource_id)
    keys = [stored.key for stored in run.ledger(instance.resource_id, identity)[0]]
    _parse(run)
    aws.s3().delete_object(Bucket=SEGMENTS, Key=keys[-1])
    run.server.control.reboot("orders-1")
    logs["stderr"].write(pg_lines(1000, 60))
    assert _plan(run)["segments"] == 1
    assert _restore(run) == {"restored": 0, "told": 0, "queued": 0, "unavailable": 1, "open": 0}
    unavailable = PAGE.format("r1").replace("segments", "unavailable")
    assert keys[-1].encode() in aws.s3().get_object(Bucket=LAKE, Key=unavailable)["Body"].read()


def test_time_instances_and_files_narrow_what_is_looked_for(run: Collecting) -> None:
    _collected(run)
    for key in run.announced():
        aws.s3().delete_object(Bucket=SEGMENTS, Key=key["key"])
    assert _plan(run, "all")["segments"] > 3
    assert _plan(run, "other", instances=["orders-2"])["segments"] == 0
    assert _plan(run, "file", files=["error/postgresql.log.2026-11-21-05"])["segments"] == 0
    assert _plan(run, "kind", log_types=["mysql_slow"])["segments"] == 0
    one = _plan(run, "hour", start="2026-11-21T06:10:00Z", end="2026-11-21T06:50:00Z")["segments"]
    assert 0 < one < _plan(run, "dry", dry_run=True)["segments"]


def test_instance_that_sleeps_is_named_and_holds_nothing_up(run: Collecting) -> None:
    _collected(run)
    run.server.control.script([Rule(Effect.NOT_READY, action="DescribeDBLogFiles", times=None)])
    plan = _plan(run)
    assert (plan["segments"], plan["unreachable"]) == (0, ["orders-1"])
