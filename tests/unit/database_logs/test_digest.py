import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from database_logs.digest import PART, STATEMENTS, part, postgres_statements
from database_logs.fingerprints import fingerprint
from database_logs.log_types import LogType
from database_logs.parsing.dispatch import parse
from database_logs.ranking import DIGEST, first, ranked, unranked
from database_logs.tallies import Tally, merge
from tests.support.digests import digest
from tests.support.rds_samples import sample
from tests.support.rds_segments import segment_of

_GOLDEN = [
    "mariadb102-with-explain",
    "slow001",
    "slow001-no-examples",
    "slow010",
    "slow018",
    "slow020",
    "slow021",
    "slow022",
    "slow023",
    "slow025",
    "slow027",
]
_NOTHING_KNOWN = pl.Series([], dtype=pl.String())
_START = datetime(2024, 5, 1, 10, tzinfo=UTC)


def _statements(*rows: dict[str, Any]) -> pl.DataFrame:
    usual = {
        "fingerprint": "select ?",
        "fingerprint_id": "AA",
        "query_time": 1.0,
        "lock_time": 0.0,
        "rows_examined": 1,
        "rows_sent": 1,
        "event_time": _START,
        "instance_id": "orders-1",
        "database": "shop",
        "query": "select 1",
    }
    return pl.DataFrame([usual | row for row in rows], schema=STATEMENTS)


def _digest(*statements: pl.DataFrame, known: pl.Series = _NOTHING_KNOWN) -> pl.DataFrame:
    return digest([part(frame, "mysql") for frame in statements], known)


@pytest.mark.parametrize("name", _GOLDEN)
def test_classes_of_published_logs_add_up_to_what_they_do(name: str) -> None:
    golden = json.loads(sample(f"go-mysql/event/testdata/{name}.golden").read_text())
    data = sample(f"go-mysql/test/slow-logs/{name.removesuffix('-no-examples')}.log").read_bytes()
    events = parse(segment_of(LogType.MYSQL_SLOW, data), data).filter(pl.col("query_time").is_not_null())
    found = {}
    for (user, database), rows in events.group_by(pl.col("user").fill_null(""), pl.col("database").fill_null("")):
        for row in _digest(rows).iter_rows(named=True):
            found[row["fingerprint_id"], user, database] = row
    assert len(found) == len(golden["Class"])
    for name_of_class, of_class in golden["Class"].items():
        identity, user, _, database, *_ = name_of_class.split(";")
        row = found[identity, user.strip("[]"), database]
        # What is set is a value here.
        assert row["fingerprint"] == re.sub("^(set [^=]*=).*", r"\1?", of_class["Fingerprint"])
        metrics = {**of_class["Metrics"]["TimeMetrics"], **of_class["Metrics"]["NumberMetrics"]}
        for metric in {"Query_time", "Lock_time", "Rows_sent", "Rows_examined"} & set(metrics):
            wanted = metrics[metric]
            counted = [row[f"{metric.lower()}_{what}"] for what in ("count", "min", "max")]
            assert counted == [wanted["Cnt"], wanted["Min"], wanted["Max"]]
            # That log is a sample of every thousandth statement, which no server on RDS writes, and is scaled up there.
            if name != "slow025":
                assert row[f"{metric.lower()}_sum"] == pytest.approx(wanted["Sum"], rel=1e-12)


def test_statements_are_ranked_by_the_time_they_took() -> None:
    rows = _digest(
        _statements(
            {"query_time": 1.0},
            {"fingerprint_id": "BB", "query_time": 2.0},
            {"fingerprint_id": "CC", "query_time": 0.5},
            {"fingerprint_id": "CC", "query_time": 0.5},
        )
    )
    assert rows.select("rank", "fingerprint_id", "calls").rows() == [(1, "BB", 1), (2, "AA", 1), (3, "CC", 2)]
    assert rows["share"].to_list() == [0.5, 0.25, 0.25]
    assert rows.schema == DIGEST


def test_a_statement_tells_where_and_when_it_was_seen_and_whether_it_is_new() -> None:
    later = _START + timedelta(hours=3)
    rows = _digest(
        _statements({}, {"instance_id": "orders-2", "event_time": later, "database": None}),
        _statements({"fingerprint_id": "BB", "event_time": None}),
        known=pl.Series(["AA"]),
    )
    first, second = rows.to_dicts()
    assert (first["instances"], first["databases"]) == (["orders-1", "orders-2"], ["shop"])
    assert (first["first_seen"], first["last_seen"], first["is_new"]) == (_START, later, False)
    assert (second["first_seen"], second["is_new"]) == (None, True)


def test_sample_is_of_the_slowest_and_holds_no_values() -> None:
    rows = _digest(
        _statements({"query": "select 'fast'"}),
        _statements({"query": "SELECT 'a  secret'", "query_time": 9.0}, {"query": "select 'x'", "query_time": 2.0}),
    )
    assert rows["sample"].to_list() == ["SELECT ?"]
    assert part(_statements({"query": "select " + "a, " * 5_000}), "mysql")["sample"].str.len_chars().to_list() == [
        2_000
    ]


@pytest.mark.parametrize(
    "query",
    ["insert into t values ('C:\\', 'sesame')", "insert into t values ('O'Brien', 'sesame')", "set @token = sesame"],
)
def test_values_of_a_statement_that_nobody_can_read_for_certain_are_in_no_part(query: str) -> None:
    found = fingerprint(pl.Series([query]))
    assert "sesame" in found[0]
    row = _digest(_statements({"query": query, "fingerprint": found[0]})).row(0, named=True)
    assert "sesame" not in row["fingerprint"] + row["sample"]
    assert row["fingerprint"].startswith(query[:3])
    assert row["fingerprint_id"] == "AA"


def test_fingerprint_is_that_of_a_whole_statement_if_any_call_was_logged_whole() -> None:
    whole = {"fingerprint": "select a from t where b=? and c=?", "query": "select a from t where b='x' and c='y'"}
    cut = _statements(whole | {"query": "select a from t where b='x' and c='y", "query_time": 9.0})
    for statements in ([cut, _statements(whole)], [_statements(whole), cut]):
        row = _digest(*statements).row(0, named=True)
        assert (row["fingerprint"], row["sample"]) == (whole["fingerprint"], "select a from t where b=?…")


def test_texts_of_a_statement_are_no_longer_than_is_shown() -> None:
    long = part(_statements({"fingerprint": "select " + "a, " * 5_000}), "mysql")

    assert long["fingerprint"].str.len_chars().to_list() == [2_000]


def test_statements_beyond_as_many_as_a_digest_has_are_one_row_behind_all_others() -> None:
    seen = [{"fingerprint_id": f"A{n}", "query_time": float(n), "rows_examined": n} for n in range(1, 6)]
    whole = unranked(merge([Tally.of_part(part(_statements(*seen), "mysql"))]))
    again = first(pl.concat([first(whole[:2], 1), whole[2:]]), 2)

    rows = ranked(again, pl.Series(["A5"]))

    assert rows.schema == DIGEST
    assert rows.select("rank", "fingerprint_id", "calls", "query_time_sum", "query_time_max", "is_new").rows() == [
        (1, "A5", 1, 5.0, 5.0, False),
        (2, "A4", 1, 4.0, 4.0, True),
        (3, None, 3, 6.0, 3.0, False),
    ]
    left = rows.row(2, named=True)
    assert (left["rows_examined_sum"], left["rows_examined_min"], left["share"]) == (6, 1, 6 / 15)
    assert {left[name] for name in ("fingerprint", "sample", "query_time_p95", "instances")} == {None}
    assert first(whole, 5).equals(ranked(whole, _NOTHING_KNOWN).select(whole.columns))


def test_rows_that_are_no_timed_statement_do_not_count() -> None:
    rows = _digest(_statements({}, {"query_time": None}, {"fingerprint": None, "fingerprint_id": None}))
    assert rows["calls"].to_list() == [1]


def test_metrics_that_a_log_does_not_tell_are_not_counted() -> None:
    row = _digest(_statements({"rows_examined": None}, {"rows_examined": 7}, {"lock_time": None})).row(0, named=True)
    assert (row["rows_examined_count"], row["rows_examined_sum"], row["rows_examined_min"]) == (2, 8, 1)
    assert row["lock_time_count"] == 2


def test_nothing_is_an_empty_digest() -> None:
    assert _digest(_statements()).equals(pl.DataFrame(schema=DIGEST))
    assert part(_statements(), "mysql").schema == PART
    assert merge([]).ranges(4)[3].write() == merge([Tally.of_part(part(_statements(), "mysql"))]).write()


def test_statements_of_postgres_count_when_they_are_executed() -> None:
    said = [
        "duration: 1500.000 ms  statement: SELECT 1",
        "duration: 0.100 ms  parse s1: SELECT $1",
        "duration: 0.200 ms  bind s1: SELECT $1",
        "duration: 2500.000 ms  execute s1: SELECT $1",
        "duration: 2500.000 ms  plan:\n\tQuery Text: SELECT $1\n\tResult  (cost=0.00..0.01 rows=1 width=4)",
        "statement: SELECT 2",
        "duration: 7.000 ms",
    ]
    data = "".join(f"2024-05-01 10:00:00 UTC:10.0.0.1(5):app@bills:[7]:LOG:  {text}\n" for text in said).encode()
    statements = postgres_statements(parse(segment_of(LogType.POSTGRES_STDERR, data), data))
    assert statements.schema.names() == STATEMENTS.names()
    row = digest([part(statements, "postgres")], _NOTHING_KNOWN).row(0, named=True)
    assert (row["fingerprint"], row["calls"], row["query_time_sum"], row["sample"]) == ("select ?", 2, 4.0, "SELECT ?")
    assert (row["rows_sent_count"], row["rows_sent_sum"], row["databases"]) == (0, 0, ["bills"])
    assert row["first_seen"] == _START
