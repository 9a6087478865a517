from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest

from cli import demo_delivery
from cli.demo_check import LakeCount, compare, count_lake
from cli.demo_delivery import deliver
from cli.demo_watch import Scene
from cli.reports.evidence import Evidence, RunArchive
from cli.target import Target
from demo.plant import EventCount, Planted, PlantedFeed, PlantedObject, Put, total
from firewall_logs.contracts import Manifest
from firewall_logs.s3_events import ObjectCreated
from tests.unit.cli.finished_run import FinishedRun

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FEEDS = [PlantedFeed("edge", "firewall_events/edge/", "example.com", "ndjson.gz", "utc")]


def planted_as(manifests: list[Manifest], lake: LakeCount) -> Planted:
    """The record of a generator that planted just what the pipeline found."""
    objects = [
        PlantedObject(
            path=manifest.source.key,
            key=manifest.source.key,
            feed=manifest.feed,
            format="ndjson.gz",
            defect=manifest.object_defect,
            rows_in=manifest.account.rows_in,
            rows_out=manifest.account.rows_out,
            quarantined=dict(manifest.quarantined_by_reason),
            duplicates=manifest.account.duplicates,
            unknown_columns=dict(manifest.drift.columns),
            unknown_values={field: dict(seen) for field, seen in manifest.drift.values.items()},
            bad_rows=list(lake.bad_rows.get(manifest.source.key, [])),
        )
        for manifest in manifests
    ]
    objects[0].events = [EventCount(*cell, events=count) for cell, count in lake.events.items()]
    return Planted(seed=1, rows=1, feeds=FEEDS, objects=objects, puts=[], totals=total(objects))


@pytest.fixture
def found(s3: "S3Client") -> tuple[Evidence, LakeCount, Planted]:
    run = FinishedRun(s3, objects=4, rows=600, defects=frozenset({2})).build()
    evidence = RunArchive(s3, runs_bucket="runs", lake_bucket="lake").gather(["run-1"])
    lake = count_lake(s3, "lake", [file for manifest in run.manifests for file in manifest.files])
    return evidence, lake, planted_as(run.manifests, lake)


# ---------------------------------------------------------------- the check


def test_equal_numbers_make_no_difference(found: tuple[Evidence, LakeCount, Planted]) -> None:
    evidence, lake, planted = found
    assert compare(planted, evidence, lake) == []
    assert lake.events == lake.hourly
    assert sum(lake.events.values()) == planted.totals["rows_out"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rows_out": 1}, "rows out"),
        ({"duplicates": 9999}, "duplicates"),
        ({"quarantined": {"json_syntax": 1}}, "quarantined"),
        ({"unknown_columns": {"Nope": 3}}, "unknown columns"),
        ({"unknown_values": {"Action": {"nope": 1}}}, "unknown values"),
        ({"defect": "empty"}, "defect"),
        ({"blank_lines": 2}, "blank lines"),
        ({"bad_rows": [(0, "not_utf8")]}, "quarantined rows"),
        ({"ignored": True}, "manifest"),
    ],
)
def test_any_number_of_an_object_that_differs_is_named(
    found: tuple[Evidence, LakeCount, Planted], change: dict[str, Any], said: str
) -> None:
    evidence, lake, planted = found
    first = planted.objects[0]
    changed = replace(planted, objects=[replace(first, **change), *planted.objects[1:]])
    differences = compare(changed, evidence, lake)
    assert [each.what.split(",")[0] for each in differences] == [said]
    assert differences[0].where == first.key


def test_one_event_too_many_in_the_lake_is_found(found: tuple[Evidence, LakeCount, Planted]) -> None:
    evidence, lake, planted = found
    cell = next(iter(lake.events))
    twice = replace(lake, events={**lake.events, cell: lake.events[cell] + 1})
    (difference,) = compare(planted, evidence, twice)
    day, hour, action = cell
    assert str(difference).startswith(f"events of the lake: {action} on {day} at {hour:02d} h: planted")


def test_object_nobody_planted_and_object_nobody_committed_are_named(
    found: tuple[Evidence, LakeCount, Planted],
) -> None:
    evidence, lake, planted = found
    first = replace(planted.objects[0], key="elsewhere", bad_rows=[])
    differences = compare(replace(planted, objects=[first, *planted.objects[1:]]), evidence, lake)
    said = Counter((each.where, each.planted, each.found) for each in differences if each.what == "manifest")
    assert said == {("elsewhere", "one", "none"): 1, (planted.objects[0].key, "none", "one"): 1}


def test_object_that_is_committed_under_two_identities_counts_twice_and_is_found(
    found: tuple[Evidence, LakeCount, Planted],
) -> None:
    evidence, lake, planted = found
    manifest = next(iter(evidence.manifests.values()))
    twin = manifest.model_copy(update={"object_id": "0" * 32})
    doubled = replace(evidence, manifests={**evidence.manifests, twin.object_id: twin})
    whats = {(each.where, each.what) for each in compare(planted, doubled, lake)}
    assert {("manifests", "objects"), ("totals", "rows_in"), ("totals", "rows_out")} <= whats


# ---------------------------------------------------------------- the delivery


@pytest.fixture
def target(s3: "S3Client") -> Target:
    url = boto3.client("sqs").create_queue(QueueName="objects")["QueueUrl"]
    target = Target("local", cast("Any", boto3.client), "demo")
    target.__dict__["outputs"] = {"RawBucketName": "raw", "ObjectQueueUrl": url}
    return target


def test_every_object_is_put_and_its_event_sent_once_more(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_delivery, "_PAUSE_SECONDS", 0)
    puts = [Put(f"{n}.log.gz", f"firewall_events/edge/{n} +.log.gz") for n in range(25)]
    for put in puts:
        (tmp_path / put.path).write_bytes(b"x")
    progress: list[int] = []
    deliver(target, puts, tmp_path, progress.append)
    sqs, url = target.client("sqs"), target.output("ObjectQueueUrl")
    bodies = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        bodies += [message["Body"] for message in messages]
    # The starter function's own contract reads them.
    keys = Counter(ObjectCreated.model_validate_json(body).ref.key for body in bodies)
    assert keys == dict.fromkeys((put.key for put in puts), 1)
    assert progress == list(range(1, 26))
    listed = target.client("s3").list_objects_v2(Bucket="raw")["Contents"]
    assert {each["Key"] for each in listed} == {put.key for put in puts}


# ---------------------------------------------------------------- the watch


@pytest.mark.parametrize(
    ("scene", "quiet"),
    [
        (Scene(), False),
        (Scene(executions={"a": "SUCCEEDED"}), True),
        (Scene(executions={"a": "SUCCEEDED", "b": "RUNNING"}), False),
        (Scene(executions={"a": "SUCCEEDED"}, waiting=1), False),
    ],
)
def test_it_is_quiet_only_when_all_ended_and_nothing_waits(scene: Scene, quiet: bool) -> None:  # noqa: FBT001
    assert scene.quiet is quiet
