import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from database_logs import digest_plans, digester, part_merger, ranking
from database_logs import tallies as tallies_of
from database_logs.adapters import lake
from database_logs.handlers import merge_parts, parse_segment, plan_digests
from database_logs.log_types import LogType
from database_logs.tallies import Tally
from kernel import aws
from tests.support.aws import LAKE
from tests.support.context import Context
from tests.support.digests import make_digests
from tests.support.metrics import emitted
from tests.support.pages import Page
from tests.support.parsed_logs import SEGMENTS, Killed, batch, dying_after, file_of, objects, slow_event, stored

_MERGED = "database_logs/digests/merged/"


@pytest.fixture(autouse=True)
def buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    aws.s3().create_bucket(Bucket=SEGMENTS, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    monkeypatch.setenv("SEGMENTS_BUCKET", SEGMENTS)
    monkeypatch.setenv("SEARCH_QUEUE_URL", "")


def _parse(*segments: Any) -> None:
    assert parse_segment.handler(batch(*segments), Context()) == {"batchItemFailures": []}


def _digest(day: int, month: int = 6) -> Any:
    """Make digests as on the day after a day of June 2026."""
    return make_digests(datetime(2026, month, day, 3, tzinfo=UTC) + timedelta(days=1))


def _made(day: int) -> pl.DataFrame:
    body = objects(f"database_logs/digests/date=2026-06-{day:02d}/digest.parquet")
    return pl.read_parquet(io.BytesIO(next(iter(body.values()))))


def _report(day: int) -> str:
    [body] = objects(f"database_logs/digests/date=2026-06-{day:02d}/report.html").values()
    return body.decode()


def test_statements_of_a_day_are_ranked_over_the_fleet() -> None:
    _parse(stored(), stored(file=file_of(instance="orders-2")))

    made = _digest(7)

    assert [(each["day"], each["parts"], each["calls"]) for each in made] == [
        ("2026-06-06", 0, 0),
        ("2026-06-07", 2, 4),
    ]
    row = _made(7).row(0, named=True)
    assert row["fingerprint"] == "select name from people where id = ?"
    assert row["instances"] == ["orders-1", "orders-2"]
    assert (row["calls"], row["query_time_sum"], row["query_time_max"]) == (4, 8.0, 2.5)
    assert row["sample"] == "SELECT name FROM people WHERE id = ?"


def test_logged_durations_of_postgresql_count_as_well() -> None:
    line = "2026-06-07 10:00:00 UTC:10.0.0.9(5000):app@shop:[7]:LOG:  duration: 1500.000 ms  statement: SELECT 17\n"
    _parse(stored(line.encode(), file_of(LogType.POSTGRES_STDERR)))

    _digest(7)

    assert _made(7).select("fingerprint", "query_time_sum", "databases").row(0) == ("select ?", 1.5, ["shop"])


def test_only_what_the_week_before_did_not_have_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    _parse(stored())
    _digest(7)
    first = emitted(capsys.readouterr().out)

    made = _digest(8)
    _parse(stored(slow_event(datetime(2026, 6, 9, 4, tzinfo=UTC), "SELECT name FROM people WHERE id = 1"), None, 9000))
    _digest(9)

    assert first["StatementsNew"] == 0, "without a week before nothing can be called new"
    assert made[1]["new"] == 1
    assert _made(8)["is_new"].to_list() == [True]
    assert _made(9)["is_new"].to_list() == [False]


def test_part_that_comes_late_is_in_the_digest_of_the_next_day() -> None:
    _parse(stored())
    _digest(7)
    _parse(stored(file=file_of(instance="late")))

    made = _digest(8)

    assert made[0]["day"] == "2026-06-07"
    assert made[0]["parts"] == 2
    assert _made(7)["calls"].to_list() == [4]


def test_digest_and_report_made_again_are_the_same_bytes() -> None:
    _parse(stored(), stored(file=file_of(instance="orders-2")))
    _digest(8)
    before = objects("database_logs/digests/")

    _digest(8)

    assert objects("database_logs/digests/") == before
    assert len(before) == 4 + 4 + 2


def test_part_that_is_replaced_while_it_is_read_is_left_to_the_next_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    _parse(stored(), stored(file=file_of(instance="orders-2")))
    listed = lake.LakeReader.keys

    def vanishing(self: lake.LakeReader, prefix: str, after: str) -> list[str]:
        keys = list(listed(self, prefix, after))
        for key in keys[:1]:
            aws.s3().delete_object(Bucket=LAKE, Key=key)
        return keys

    monkeypatch.setattr(lake.LakeReader, "keys", vanishing)
    _digest(7)

    assert _made(7)["calls"].to_list() == [2]


def _many(instances: int) -> None:
    """Bring a segment of each of some instances into the lake, with a statement of its own besides a common one."""
    for number in range(instances):
        at = datetime(2026, 6, 7, 20, number, tzinfo=UTC)
        own = slow_event(at, f"SELECT a{number}()", 0.5 + number)
        _parse(stored(slow_event(at, "SELECT 1") + own, file_of(instance=f"orders-{number}")))


@pytest.mark.parametrize(("spilled", "written"), [(1 << 20, 3), (1, 6)])
def test_digest_of_many_parts_does_not_depend_on_how_calls_share_the_work(
    monkeypatch: pytest.MonkeyPatch, spilled: int, written: int
) -> None:
    _many(5)
    _digest(7)
    expected, page = _made(7), _report(7)
    [size, *_] = map(len, objects("database_logs/digests/parts/").values())
    monkeypatch.setattr(digest_plans, "_SHARD_BYTES", 2 * size + 100)
    monkeypatch.setattr(digest_plans, "_RANGE_BYTES", size)
    monkeypatch.setattr(part_merger, "_AT_ONCE", 1)
    monkeypatch.setattr(part_merger, "_ROWS", 1)
    monkeypatch.setattr(part_merger, "_TALLY_BYTES", spilled)

    _digest(7)

    folders = {key.split("/")[4] for key in objects(f"{_MERGED}date=2026-06-07/")}
    assert len(folders) == 1 + written, "one of the call before, and those of three calls"
    assert_frame_equal(_made(7), expected, rel_tol=1e-12)
    assert _report(7) == page
    assert _made(7).filter(pl.col("fingerprint") == "select ?")["calls"].item() == 5
    assert _made(7).height == 6


def test_no_call_adds_up_more_at_a_time_than_it_has_memory_for(monkeypatch: pytest.MonkeyPatch) -> None:
    _many(9)
    sizes = list(map(len, objects("database_logs/digests/parts/").values()))
    monkeypatch.setattr(digest_plans, "_SHARD_BYTES", 2 * max(sizes))
    monkeypatch.setattr(digest_plans, "_RANGE_BYTES", 2 * max(sizes))

    plan = plan_digests.handler({"time": "2026-06-08T03:00:00Z"}, Context())
    shards = [shard for shard in plan["shards"] if shard["day"] == "2026-06-07"]
    merged = [merge_parts.handler(shard, Context()) for shard in shards]

    assert sum(one["parts"] for one in merged) == 9
    assert max(one["parts"] for one in merged) == 2
    assert {one["ranges"] for one in merged} == {8}, "as many as there are times the memory, a power of two"
    ranges = objects(f"{_MERGED}date=2026-06-07/{merged[0]['folders'][0]}/")
    assert sum(pl.read_parquet(io.BytesIO(body)).height for body in ranges.values()) == 3
    assert len(ranges) == 8

    monkeypatch.setattr(digest_plans, "_SHARD_PARTS", 1)
    assert len(plan_digests.handler({"time": "2026-06-08T03:00:00Z"}, Context())["shards"]) == 1 + 9


def test_no_call_has_the_statements_of_all_shards_or_of_all_ranges_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    _many(5)
    [size, *_] = map(len, objects("database_logs/digests/parts/").values())
    monkeypatch.setattr(digest_plans, "_RANGE_BYTES", size)
    monkeypatch.setattr(part_merger, "_ROWS", 1)
    monkeypatch.setattr(part_merger, "_TALLY_BYTES", 1)
    held: dict[str, list[int]] = {"digester": [], "part_merger": []}

    def note(module: str, tallies: Sequence[Tally]) -> Tally:
        held[module].append(sum(tally.statements.height for tally in tallies))
        return tallies_of.merge(tallies)

    for module in (digester, part_merger):
        name = module.__name__.rpartition(".")[2]
        monkeypatch.setattr(module, "merge", partial(note, name))

    _digest(7)

    assert _made(7).height == 6, "a common statement, and one of each instance"
    assert max(held["part_merger"]) == 2, "those of a part"
    assert len(held["digester"]) == 1 + 8
    assert max(held["digester"]) < sum(held["digester"]) == 5 + 5, "the common one has a row a part"


def test_statements_beyond_as_many_as_a_digest_has_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    _many(5)
    monkeypatch.setattr(digester, "_MOST", 2)

    _digest(7)

    rows = _made(7).select("fingerprint", "calls", "query_time_sum").rows()
    assert rows == [("select ?", 5, 7.5), ("select a4()", 1, 4.5), (None, 4, 8.0)]
    assert "3 statements took 20 s on 5 instances" in " ".join(Page(_report(7)).text.split())


def test_segment_that_is_parsed_anew_between_two_calls_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _many(3)
    monkeypatch.setattr(digest_plans, "_SHARD_PARTS", 1)
    plan = plan_digests.handler({"time": "2026-06-08T03:00:00Z"}, Context())
    shards = [shard for shard in plan["shards"] if shard["day"] == "2026-06-07"]

    before = merge_parts.handler(shards[0], Context())
    key, *_ = parts = objects("database_logs/digests/parts/")
    aws.s3().put_object(Bucket=LAKE, Key=key.replace("-v0", "-v1"), Body=parts[key])
    aws.s3().delete_object(Bucket=LAKE, Key=key)
    after = [merge_parts.handler(shard, Context()) for shard in shards]

    assert [before["parts"], *(one["parts"] for one in after)] == [1, 1, 1, 1]


def test_attempts_at_a_shard_with_other_parts_do_not_change_what_the_others_wrote() -> None:
    _many(2)
    [_, shard] = plan_digests.handler({"time": "2026-06-08T03:00:00Z"}, Context())["shards"]
    first = merge_parts.handler(shard, Context())
    written = objects(_MERGED)
    _many(3)

    second = merge_parts.handler(shard, Context())

    assert (first["parts"], second["parts"]) == (2, 3)
    assert {key: body for key, body in objects(_MERGED).items() if key in written} == written
    assert second["folders"] != first["folders"]


def test_calls_that_are_killed_after_any_effect_are_made_again_to_the_same_bytes() -> None:
    _parse(stored(), stored(file=file_of(instance="orders-2")))
    with dying_after(0) as effects:
        _digest(8)
    expected = objects()
    made = [key for key in expected if "/digests/date=" in key or key.startswith(_MERGED)]
    assert len(effects) == len(made) == 6
    for killed_after in range(1, len(effects) + 1):
        aws.s3().delete_objects(Bucket=LAKE, Delete={"Objects": [{"Key": key} for key in made]})
        with pytest.raises(Killed), dying_after(killed_after):
            _digest(8)

        _digest(8)

        assert objects() == expected, killed_after


def test_report_needs_nothing_but_itself_and_says_what_the_digest_says() -> None:
    _parse(stored())
    _digest(7)
    _digest(8)
    page = Page(_report(8))

    assert page.fetched == []
    words = " ".join(page.text.split())
    assert "1 statement took 9 s on 1 instance" in words
    assert "1 statement was not seen in the week before" in words
    assert "update accounts set balance = ? where owner = ?" in words
    assert "UPDATE accounts SET balance = ? WHERE owner = ?" in words, "the sample"
    assert "Ann" not in words
    assert re.search(r"4 s.* 9 s", words), "both days of the week"


def test_report_without_a_week_before_marks_nothing_as_new() -> None:
    _parse(stored())
    _digest(7)
    _digest(8)

    assert 'class="new" data-tip' not in _report(7)
    assert 'class="new" data-tip' in _report(8)


def test_report_of_a_day_without_statements_says_where_to_look() -> None:
    _digest(7)

    assert "No statement was logged as slow" in Page(_report(7)).text
    assert _made(7).schema == ranking.DIGEST
