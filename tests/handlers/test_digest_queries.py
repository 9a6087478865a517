import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from database_logs import digest, digester
from database_logs.adapters import lake
from database_logs.handlers import digest_queries, parse_segment
from database_logs.log_types import LogType
from kernel import aws
from tests.support.aws import LAKE
from tests.support.context import Context
from tests.support.metrics import emitted
from tests.support.pages import Page
from tests.support.parsed_logs import SEGMENTS, batch, file_of, objects, slow_event, stored


@pytest.fixture(autouse=True)
def buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    aws.s3().create_bucket(Bucket=SEGMENTS, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    monkeypatch.setenv("SEGMENTS_BUCKET", SEGMENTS)
    monkeypatch.setenv("SEARCH_QUEUE_URL", "")


def _parse(*segments: Any) -> None:
    assert parse_segment.handler(batch(*segments), Context()) == {"batchItemFailures": []}


def _digest(day: int, month: int = 6) -> Any:
    """Make digests as on the day after a day of June 2026."""
    at = datetime(2026, month, day, 3, tzinfo=UTC) + timedelta(days=1)
    event = {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "time": at.isoformat()}
    return digest_queries.handler(event, Context())["digests"]


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
    assert len(before) == 4 + 4


def test_part_that_is_replaced_while_it_is_read_is_left_to_the_next_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    _parse(stored(), stored(file=file_of(instance="orders-2")))
    listed = lake.LakeReader.keys

    def vanishing(self: lake.LakeReader, prefix: str) -> list[str]:
        keys = list(listed(self, prefix))
        for key in keys[:1]:
            aws.s3().delete_object(Bucket=LAKE, Key=key)
        return keys

    monkeypatch.setattr(lake.LakeReader, "keys", vanishing)
    _digest(7)

    assert _made(7)["calls"].to_list() == [2]


def test_many_parts_are_added_up_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digester, "_AT_ONCE", 2)
    for number in range(5):
        _parse(stored(file=file_of(instance=f"orders-{number}")))

    _digest(7)

    assert _made(7)["calls"].to_list() == [10]
    assert _made(7)["query_time_sum"].to_list() == [20.0]


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
    assert _made(7).schema == digest.DIGEST
