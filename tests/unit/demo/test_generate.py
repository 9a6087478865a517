"""The generator's record against what its files hold."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from demo.generate import generate
from demo.plant import Planted, PlantedObject
from demo.plant_bench import generate_bench_file
from tests.unit.demo.naive import PUT_AT, recount

ROWS = 6_000
REASONS = {
    *("not_utf8", "json_syntax", "not_object", "duplicate_key", "wrong_dataset"),
    *("time_missing", "time_type", "time_unit", "time_format", "time_naive", "time_implausible"),
    *("type_conflict", "out_of_range", "ip_invalid"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("generated")
    generate(out, seed=11, rows=ROWS)
    return out


@pytest.fixture(scope="module")
def planted(folder: Path) -> Planted:
    return Planted.load(folder)


def readable(planted: Planted) -> Iterator[tuple[PlantedObject, bool]]:
    naive = {feed.name: feed.naive_times == "utc" for feed in planted.feeds}
    return ((each, naive[each.feed]) for each in planted.objects if not each.ignored and not each.defect)


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_same_seed_gives_same_bytes(folder: Path, tmp_path: Path) -> None:
    generate(tmp_path, seed=11, rows=ROWS)
    assert digests(tmp_path) == digests(folder)


def test_other_seed_gives_other_events(folder: Path, tmp_path: Path) -> None:
    other = generate(tmp_path, seed=12, rows=2_000)
    assert other.totals != Planted.load(folder).totals


def test_record_agrees_with_naive_recount(folder: Path, planted: Planted) -> None:
    for each, naive_allowed in readable(planted):
        found = recount(folder / each.path, each.format, naive_allowed=naive_allowed)
        assert found.bad_rows == each.bad_rows, each.path
        assert (found.rows_in, found.rows_out, found.duplicates, found.blank_lines) == (
            each.rows_in,
            each.rows_out,
            each.duplicates,
            each.blank_lines,
        ), each.path
        assert dict(found.quarantined) == each.quarantined
        assert dict(found.unknown_columns) == each.unknown_columns
        assert {name: dict(seen) for name, seen in found.unknown_values.items()} == each.unknown_values
        expected = {(count.event_date, count.event_hour, count.action): count.events for count in each.events}
        assert dict(found.events) == expected


def test_record_balances(planted: Planted) -> None:
    for each in planted.objects:
        assert each.rows_in == each.rows_out + sum(each.quarantined.values()) + each.duplicates
        assert sum(count.events for count in each.events) == each.rows_out
    assert planted.totals["rows_out"] == sum(count["events"] for count in planted.totals["events"])


def test_record_survives_its_file(folder: Path, tmp_path: Path) -> None:
    made = generate(tmp_path, seed=11, rows=ROWS)
    assert Planted.load(folder) == made


def test_everything_is_planted(planted: Planted) -> None:
    totals = planted.totals
    assert set(totals["quarantined"]) == REASONS
    assert set(totals["defects"].values()) == {
        *("empty", "not_gzip", "gzip_truncated", "gzip_corrupt", "parquet_unreadable"),
    }
    assert totals["ignored"] == 2
    assert totals["unknown_values"].keys() == {"Action", "ClientIPClass", "Source"}
    assert {"BotScoreSrc", "JA4Signals"} == totals["unknown_columns"].keys()
    assert min(totals[name] for name in ("duplicates", "near_duplicates", "late", "blank_lines")) > 0


def test_duplicates_stay_in_their_row_group(folder: Path, planted: Planted) -> None:
    biggest = max((each for each, _ in readable(planted) if each.format == "parquet"), key=lambda each: each.rows_in)
    path = str(folder / biggest.path)
    metadata = duckdb.connect().execute(
        "select distinct row_group_id, row_group_num_rows from parquet_metadata(?)", [path]
    )
    groups = dict(metadata.fetchall())
    assert len(groups) == biggest.row_groups == 8
    rows = duckdb.read_parquet(path, file_row_number=True)
    distinct = rows.project(f"* exclude (file_row_number), file_row_number // {groups[0]} as part").distinct()
    assert len(rows) - len(distinct) == biggest.duplicates > 8


def test_bench_file_holds_what_its_counts_say(tmp_path: Path) -> None:
    path = tmp_path / "bench.parquet"
    counts = generate_bench_file(path, rows=3_000)
    found = recount(path, "parquet", naive_allowed=False)
    assert (found.rows_in, found.rows_out, found.duplicates) == (counts.rows_in, counts.rows_out, counts.duplicates)
    assert dict(found.quarantined) == counts.quarantined_by_reason
    assert len(duckdb.read_parquet(str(path)).columns) == 32


def test_puts_name_every_object_once(folder: Path, planted: Planted) -> None:
    assert Counter(put.key for put in planted.puts) == Counter(each.key for each in planted.objects)
    assert all((folder / put.path).is_file() for put in planted.puts)


def test_feeds_own_their_keys(planted: Planted) -> None:
    prefixes = {feed.name: feed.prefix for feed in planted.feeds}
    assert prefixes.keys() == {"2.ford", "3", "47"}
    assert all(each.key.startswith(prefixes[each.feed]) for each in planted.objects)


def test_events_lie_before_any_machine_that_runs_this(planted: Planted) -> None:
    assert {count["event_date"] for count in planted.totals["events"]} == {"2026-06-01", "2026-06-02"}
    assert PUT_AT < 2**63
