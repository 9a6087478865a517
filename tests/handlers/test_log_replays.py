import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from database_logs import lake_files, locations, replays, segment_parser
from database_logs.errors import MessagesRefused, ReplayDiffers, ReplayIncomplete, ReplayPageMissing
from database_logs.handlers import check_segments, finish_replay, parse_segment, plan_log_replay, queue_segments
from database_logs.log_types import LogType
from database_logs.version import PARSER_VERSION
from kernel import aws
from tests.support.aws import LAKE
from tests.support.context import Context
from tests.support.parsed_logs import (
    SEGMENTS,
    Killed,
    batch,
    dying_after,
    file_of,
    lake_records,
    objects,
    received,
    slow_event,
    stored,
)

JUNE_7 = datetime(2026, 6, 7, tzinfo=UTC)
NOON = JUNE_7 + timedelta(hours=12)
PAGE = "database_logs/replays/r1/segments-00000.jsonl"


@pytest.fixture(autouse=True)
def queues(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    aws.s3().create_bucket(Bucket=SEGMENTS, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    made = {name: aws.sqs().create_queue(QueueName=name)["QueueUrl"] for name in ("parsing", "search")}
    monkeypatch.setenv("SEGMENTS_BUCKET", SEGMENTS)
    monkeypatch.setenv("SEARCH_QUEUE_URL", made["search"])
    monkeypatch.setenv("PARSING_QUEUE_URL", made["parsing"])
    return made


def _parsed(instance: str, *times: datetime, start: int = 0, log: bytes = b"", file: str = "slow.log") -> None:
    """Store and parse a segment of a slow log with an event at each time, or of an error log."""
    data = log or b"".join(slow_event(at, "SELECT 1") for at in times)
    log_type = LogType.MYSQL_ERROR if log else LogType.MYSQL_SLOW
    segment = stored(data, file_of(log_type, instance, file), start)
    assert parse_segment.handler(batch(segment), Context()) == {"batchItemFailures": []}


def _plan(replay_id: str = "r1", **request: Any) -> Any:
    wanted = {"start": JUNE_7.isoformat(), "end": NOON.isoformat(), **request}
    return plan_log_replay.handler({"replay_id": replay_id, "input": wanted}, Context())


def _queue(page: str = PAGE) -> Any:
    return queue_segments.handler({"page": page}, Context())


def _check(page: str = PAGE) -> Any:
    return check_segments.handler({"page": page}, Context())


def _finish(replay_id: str = "r1") -> Any:
    return finish_replay.handler({"replay_id": replay_id}, Context())


def _pages() -> list[str]:
    """Return the lists of the replay as its machine takes them."""
    bodies = objects("database_logs/replays/r1/lists.jsonl").values()
    lines = [json.loads(line) for body in bodies for line in body.splitlines()]
    assert all(line["source"] == "s3" for line in lines)
    return [line["page"] for line in lines]


def _queued(queues: dict[str, str]) -> list[tuple[str, int]]:
    return sorted((told["file"]["instance_id"], told["start"]) for told in received(queues["parsing"]))


def _mend(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (lake_files, locations, segment_parser, replays):
        monkeypatch.setattr(module, "PARSER_VERSION", PARSER_VERSION + 1)


def test_segments_with_records_of_the_time_are_replayed_and_no_others(queues: dict[str, str]) -> None:
    _parsed("a", JUNE_7 + timedelta(hours=1))
    _parsed("b", JUNE_7 - timedelta(hours=1), JUNE_7)
    _parsed("before", JUNE_7 - timedelta(seconds=1))
    _parsed("after", NOON)

    plan = _plan()
    _queue()

    assert (plan["segments"], plan["records"], _pages()) == (2, 3, [PAGE])
    assert _queued(queues) == [("a", 0), ("b", 0)]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"instances": ["a"]}, [("a", 0), ("a", 500)]),
        ({"instances": ["db-B"]}, [("b", 0)]),
        ({"files": ["second.log"]}, [("b", 0)]),
        ({"log_types": ["mysql_slow"]}, [("a", 0), ("a", 500), ("b", 0)]),
        ({"log_types": ["mysql_audit"]}, []),
        ({"files": ["undated.log"]}, [("c", 0)]),
    ],
)
def test_instances_files_and_kinds_are_chosen(
    queues: dict[str, str], request_: dict[str, Any], expected: list[tuple[str, int]]
) -> None:
    _parsed("a", JUNE_7)
    _parsed("a", JUNE_7 + timedelta(hours=2), start=500)
    _parsed("b", JUNE_7, file="second.log")
    _parsed("c", log=b"no time at all\n", file="undated.log")

    _plan(**request_)
    for page in _pages():
        _queue(page)

    assert _queued(queues) == expected


def test_plan_reads_the_manifests_that_it_needs_and_no_others() -> None:
    for hour in range(6):
        for name in "abc":
            _parsed(name, JUNE_7 + timedelta(hours=hour, minutes=5), start=hour * 1000)
    asked: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        asked[model.name] += 1

    aws.s3().meta.events.register("before-call.s3", count)
    two_hours = {"start": (JUNE_7 + timedelta(hours=3)).isoformat(), "end": (JUNE_7 + timedelta(hours=5)).isoformat()}
    cases: list[tuple[dict[str, Any], int, int]] = [
        ({"instances": ["a"]}, 2, 3),
        ({"instances": ["db-A"]}, 2, 3),
        ({"instances": ["a", "b"], "log_types": ["mysql_slow"]}, 4, 6),
        ({"files": ["slow.log"], "instances": ["c"]}, 2, 4),
        ({"files": ["other.log"]}, 0, 4),
        ({}, 6, 3),
    ]
    for number, (request, manifests, listings) in enumerate(cases):
        asked.clear()
        assert _plan(f"r{number}", dry_run=True, **two_hours, **request)["segments"] == manifests
        # The plan itself is asked for once.
        assert asked == {"GetObject": manifests + 1, "ListObjectsV2": listings, "PutObject": 1}


def test_segment_is_found_by_the_hours_that_it_has_records_of_and_not_by_those_between() -> None:
    _parsed("a", JUNE_7 + timedelta(hours=1), JUNE_7 + timedelta(hours=5))
    found = [
        _plan(
            f"r{hour}",
            start=(JUNE_7 + timedelta(hours=hour)).isoformat(),
            end=(JUNE_7 + timedelta(hours=hour + 1)).isoformat(),
        )
        for hour in range(7)
    ]
    assert [plan["segments"] for plan in found] == [0, 1, 0, 0, 0, 1, 0]


def test_mended_parsers_replace_the_records_and_search_hears_of_them_once(
    queues: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _parsed("a", JUNE_7)
    received(queues["search"])
    _mend(monkeypatch)
    _plan()
    _queue()
    assert _check() == {"done": 0, "open": 1, "damaged": 0}

    [told] = received(queues["parsing"])
    parse_segment.handler(batch(json.dumps(told)), Context())

    assert _check() == {"done": 1, "open": 0, "damaged": 0}
    assert lake_records().height == 1
    assert all(f"-v{PARSER_VERSION + 1:04}." in key for key in objects("database_logs/logs/"))
    assert len(received(queues["search"])) == 1


def test_replay_does_not_wait_for_a_segment_whose_raw_object_is_damaged(
    queues: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _parsed("a", JUNE_7)
    _parsed("b", JUNE_7)
    for key in objects("raw/db-B", SEGMENTS):
        aws.s3().put_object(Bucket=SEGMENTS, Key=key, Body=b"garbage")
    _mend(monkeypatch)
    _plan()
    _queue()

    told = received(queues["parsing"])
    answer = parse_segment.handler(batch(*map(json.dumps, told)), Context())

    assert len(answer["batchItemFailures"]) == 1
    assert _check() == {"done": 1, "open": 0, "damaged": 1}
    assert lake_records().height == 2


def test_search_is_left_alone_if_it_is_not_wanted(queues: dict[str, str]) -> None:
    _parsed("a", JUNE_7)
    received(queues["search"])
    _plan(forward=False)
    _queue()

    [told] = received(queues["parsing"])
    parse_segment.handler(batch(json.dumps(told)), Context())

    assert not received(queues["search"])


def test_long_replay_is_cut_into_lists(queues: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "_PAGE", 2)
    for number in range(5):
        _parsed(f"i{number}", JUNE_7)

    assert _plan()["lists"] == 3
    pages = _pages()

    assert [_queue(page)["queued"] for page in pages] == [2, 2, 1]
    assert _queued(queues) == [(f"i{number}", 0) for number in range(5)]


def test_more_segments_than_one_request_takes_are_all_sent(queues: dict[str, str]) -> None:
    _parsed("a", JUNE_7)
    _plan()
    [line] = objects(PAGE).values()
    aws.s3().put_object(Bucket=LAKE, Key=PAGE, Body=line * 23)

    assert _queue() == {"queued": 23, "before": False}

    assert len(received(queues["parsing"])) == 23


def test_plan_stands_once_it_is_written_whenever_the_planner_dies(queues: dict[str, str]) -> None:
    _parsed("a", JUNE_7)
    for effects in (1, 2):
        with pytest.raises(Killed), dying_after(effects):
            _plan()
    _parsed("b", JUNE_7)
    with pytest.raises(Killed), dying_after(3):
        _plan()
    _parsed("c", JUNE_7)

    assert _plan()["segments"] == 2
    _queue()
    assert _queued(queues) == [("a", 0), ("b", 0)]


def test_list_is_queued_once_and_again_only_if_the_mark_was_not_reached(queues: dict[str, str]) -> None:
    _parsed("a", JUNE_7)
    _plan()
    with pytest.raises(Killed), dying_after(1):
        _queue()

    assert _queue() == {"queued": 1, "before": False}
    assert _queue() == {"queued": 1, "before": True}
    assert _queued(queues) == [("a", 0), ("a", 0)]


def test_refusal_of_sqs_is_told_and_the_list_is_not_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    _parsed("a", JUNE_7)
    _plan()
    refused = [{"Id": "0", "SenderFault": False, "Code": "InternalError", "Message": "busy"}]
    monkeypatch.setattr(aws.sqs(), "send_message_batch", lambda **_arguments: {"Failed": refused})

    with pytest.raises(MessagesRefused, match=r"SQS refused 1 of 1 messages .* InternalError: busy"):
        _queue()

    monkeypatch.undo()
    assert not objects("database_logs/replays/r1/queued")


def test_dry_run_counts_and_lists_nothing() -> None:
    _parsed("a", JUNE_7)

    plan = _plan(dry_run=True)

    assert (plan["segments"], plan["lists"]) == (1, 0)
    assert list(objects("database_logs/replays/")) == ["database_logs/replays/r1/plan.json"]


def test_replay_that_is_done_is_summed_up() -> None:
    _parsed("a", JUNE_7)
    _parsed("b", JUNE_7)
    _plan()
    with pytest.raises(ReplayIncomplete, match=f'1 of 1 lists .* the first of them {PAGE}.* "replay_id": "r1"'):
        _finish()
    assert _check()["open"] == 0
    assert _finish() == {"done": 2, "damaged": 0, "restored": 0, "unavailable": 0}


def test_replay_goes_on_under_its_identity_and_another_choice_is_refused() -> None:
    _parsed("a", JUNE_7)
    plan = _plan()
    _parsed("b", JUNE_7)
    assert _plan() == plan
    with pytest.raises(ReplayDiffers, match=r"The replay r1 is one of .* leave replay_id out"):
        _plan(instances=["b"])


def test_replay_that_nobody_planned_is_named() -> None:
    with pytest.raises(ReplayPageMissing, match="There is no replay r9"):
        _finish("r9")


@pytest.mark.parametrize("call", [_queue, _check])
def test_list_that_is_not_there_is_named(call: Any) -> None:
    with pytest.raises(ReplayPageMissing, match=f"There is no list s3://lake/{PAGE}"):
        call()
