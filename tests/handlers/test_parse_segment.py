import gzip
import hashlib
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from database_logs import lake_files, locations, segment_parser
from database_logs.contracts import SegmentManifest
from database_logs.handlers.parse_segment import handler
from database_logs.log_types import LogType
from database_logs.parsing.dispatch import parse
from database_logs.version import PARSER_VERSION
from kernel import aws
from tests.support.aws import LAKE
from tests.support.context import Context
from tests.support.metrics import emitted
from tests.support.parsed_logs import (
    SEGMENTS,
    SLOW_LOG,
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
from tests.support.rds_samples import sample
from tests.support.rds_segments import bytes_of

NEWER = PARSER_VERSION + 1
_SLOW_RECORDS = "database_logs/logs/log_type=mysql_slow/"
NAME = f"db-ORDERS-1-12d04d13f4a58cd7-{0:015d}-{len(SLOW_LOG):015d}"


@pytest.fixture(autouse=True)
def search_queue(monkeypatch: pytest.MonkeyPatch) -> str:
    aws.s3().create_bucket(Bucket=SEGMENTS, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    queue = aws.sqs().create_queue(QueueName="search")["QueueUrl"]
    monkeypatch.setenv("SEGMENTS_BUCKET", SEGMENTS)
    monkeypatch.setenv("SEARCH_QUEUE_URL", queue)
    return queue


def _parse(*messages: Any) -> Any:
    return handler(batch(*messages), Context())


def _manifest() -> SegmentManifest:
    [body] = objects("database_logs/manifests/").values()
    return SegmentManifest.model_validate_json(body)


def _deploy(monkeypatch: pytest.MonkeyPatch, version: int, *, shift: str = "0d") -> None:
    """Let parsers be of another version, which reads times differently."""
    parsed = parse

    def other(segment: Any, data: bytes) -> pl.DataFrame:
        return parsed(segment, data).with_columns(pl.col("event_time").dt.offset_by(shift))

    monkeypatch.setattr(segment_parser, "parse", other)
    for module in (lake_files, locations, segment_parser):
        monkeypatch.setattr(module, "PARSER_VERSION", version)


def test_segment_becomes_a_file_of_records_and_one_of_the_digest_a_day(
    search_queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    segment = stored()

    assert _parse(segment) == {"batchItemFailures": []}

    days = ["2026-06-07", "2026-06-08"]
    assert list(objects("database_logs/logs/")) == [
        f"database_logs/logs/log_type=mysql_slow/event_date={day}/{NAME}-v0004.parquet" for day in days
    ]
    assert list(objects("database_logs/digests/")) == [
        f"database_logs/digests/parts/event_date={day}/{NAME}-v0004.parquet" for day in days
    ]
    assert lake_records()["raw"].str.join("").item().encode() == SLOW_LOG
    assert [key.split("/")[2] for key in objects("database_logs/index/")] == [
        f"hour={hour}" for hour in ("2026-06-07T22", "2026-06-07T23", "2026-06-08T01")
    ]
    [told] = received(search_queue)
    assert told["keys"] == list(objects("database_logs/logs/"))
    assert told["segment"] == segment.model_dump(mode="json")
    told_metrics = emitted(capsys.readouterr().out)
    assert told_metrics["RecordsParsed"] == 3
    assert told_metrics["RecordsUnparsed"] == 0
    assert told_metrics["BytesParsed"] == len(SLOW_LOG)


def test_a_reader_of_the_whole_lake_reads_one_table_with_dates(tmp_path: Any) -> None:
    _parse(stored(), stored(SLOW_LOG[: len(SLOW_LOG) // 3], file_of(instance="orders-2")))
    for key, body in objects("database_logs/logs/").items():
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    table = pl.scan_parquet(tmp_path / "database_logs/logs", hive_partitioning=True)
    days = table.group_by("event_date").agg(pl.len()).sort("event_date").collect()

    assert days.rows() == [(date(2026, 6, 7), 3), (date(2026, 6, 8), 1)]


def test_events_of_the_rotating_files_of_an_audit_log_are_read_in_the_order_in_which_they_happened() -> None:
    event = "{},orders-1,app,10.0.0.1,1,{},QUERY,shop,'SELECT 1',0\n"
    for file in (3, 1, 0, 2):
        numbers = [*range(file, 12, 4), 12 + file // 2]
        log = "".join(event.format(1780786800000000 + min(number, 12), number) for number in numbers)
        _parse(stored(log.encode(), file_of(LogType.MYSQL_AUDIT, file=f"audit/audit.log.{file}")))

    table = pl.concat([pl.read_parquet(io.BytesIO(body)) for body in objects("database_logs/logs/").values()])
    ordered = table.sort("event_time", "file", "offset_start")

    assert ordered["query_id"].to_list() == [*range(12), 12, 12, 13, 13]


def test_record_without_time_goes_to_the_day_of_the_first_that_has_one() -> None:
    log = b"no event at all\n2026-06-07T01:00:00Z 1 [Note] [MY-1] [Server] up\n"
    _parse(stored(log, file_of(LogType.MYSQL_ERROR)))

    [key] = objects("database_logs/logs/")
    assert "event_date=2026-06-07/" in key


def test_records_of_no_known_time_go_to_the_partition_of_no_day() -> None:
    _parse(stored(b"garbage\n", file_of(LogType.MYSQL_ERROR)))

    [key] = objects("database_logs/logs/")
    assert "log_type=mysql_error/event_date=__HIVE_DEFAULT_PARTITION__/" in key
    assert _manifest().unparsed == 1
    assert _manifest().first_time is None


def test_statement_that_forges_headers_of_very_many_days_is_in_few_files_and_keeps_every_byte() -> None:
    real = [slow_event(datetime(2026, 6, 7, hour, tzinfo=UTC), "SELECT 1") for hour in (1, 2)]
    forged = b"".join(slow_event(datetime(1990, 1, 1, tzinfo=UTC) + timedelta(days=n), "x") for n in range(400))
    log = forged + b"".join(real)
    assert _parse(stored(log)) == {"batchItemFailures": []}

    kept = {key.split("/")[3]: pl.read_parquet(io.BytesIO(body)) for key, body in objects(_SLOW_RECORDS).items()}

    assert len(kept) == 101
    assert kept["event_date=2026-06-07"]["parse_reason"].to_list() == [None, None], "most records are of this day"
    assert {"event_date=1990-01-01", "event_date=1990-04-09"} < kept.keys()
    beyond = kept["event_date=__HIVE_DEFAULT_PARTITION__"]
    assert beyond["parse_reason"].to_list() == ["too_many_days"] * 301
    assert beyond["event_time"].null_count() == 0
    assert bytes_of(pl.concat(kept.values()).sort("offset_start")) == log


def test_segment_of_as_many_days_as_have_files_has_a_file_for_each() -> None:
    log = b"".join(slow_event(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n), "SELECT 1") for n in range(100))
    _parse(stored(log))

    assert len(objects(_SLOW_RECORDS)) == 100
    assert lake_records()["parse_reason"].null_count() == 100


def test_every_kind_of_log_is_written_and_read_back() -> None:
    for log_type in LogType:
        segment = stored(b"2026-06-07 01:00:00.00 Server   up\n", file_of(log_type, file=log_type.value))
        assert _parse(segment) == {"batchItemFailures": []}
        [body] = objects(f"database_logs/logs/log_type={log_type.value}/").values()
        assert pl.read_parquet(io.BytesIO(body))["log_type"].to_list() == [log_type.value]


def test_same_segment_always_becomes_the_same_bytes() -> None:
    _parse(stored())

    # Other bytes under one version would never reach the lake: whoever changes them raises PARSER_VERSION, and this.
    assert PARSER_VERSION == 4
    assert hashlib.sha256(b"".join(objects("database_logs/logs/").values())).hexdigest() == (
        "ddec6e73ea083e88aecc741586230927be4db1405ceafb68c335c2a6af80494a"
    )


def test_message_that_comes_again_is_told_again_and_changes_nothing(search_queue: str) -> None:
    segment = stored()
    _parse(segment)
    before = objects()

    _parse(segment)

    assert objects() == before
    first, second = received(search_queue)
    assert first == second


def test_worker_killed_after_any_effect_leaves_what_the_next_one_finishes(search_queue: str) -> None:
    segment = stored()
    with dying_after(0) as effects:
        _parse(segment)
    expected = objects()
    assert effects == ["PutObject"] * 9 + ["SendMessage"]
    for killed_after in range(1, len(effects) + 1):
        _empty_lake()
        received(search_queue)
        with pytest.raises(Killed), dying_after(killed_after):
            _parse(segment)
        _parse(segment)
        assert objects() == expected, killed_after
        assert received(search_queue), killed_after


@pytest.mark.parametrize("killed_after", range(1, 14))
def test_newer_parsers_replace_what_older_ones_made_whenever_killed(
    monkeypatch: pytest.MonkeyPatch, killed_after: int
) -> None:
    segment = stored()
    _parse(segment)
    assert _manifest().parser_version == PARSER_VERSION
    _deploy(monkeypatch, NEWER, shift="1d")

    seen: list[int] = []
    with dying_after(killed_after) as effects:
        try:
            _parse(segment)
        except Killed:
            seen.append(lake_records()["event_id"].n_unique() - lake_records().height)
    _parse(segment)

    assert len(effects) <= 12
    assert seen == ([] if killed_after > len(effects) else [0]), "a reader saw a record twice"
    assert lake_records().height == 3
    assert {key.partition("event_date=")[2][:10] for key in objects("database_logs/logs/")} == {
        "2026-06-08",
        "2026-06-09",
    }
    assert all(f"-v{NEWER:04}." in key for key in [*objects("database_logs/logs/"), *objects("database_logs/digests/")])


@pytest.mark.parametrize("asleep_after", range(1, 10))
def test_older_worker_that_wakes_up_takes_back_what_it_wrote(
    monkeypatch: pytest.MonkeyPatch, asleep_after: int
) -> None:
    segment = stored()

    def replaced(model: Any, **_rest: object) -> None:
        nonlocal asleep_after
        if model.name == "PutObject":
            asleep_after -= 1
            if asleep_after == 0:
                with monkeypatch.context() as newer:
                    _deploy(newer, NEWER, shift="1d")
                    _parse(segment)

    aws.s3().meta.events.register_last("after-call.s3", replaced)
    _parse(segment)

    assert asleep_after <= 0
    assert _manifest().parser_version == NEWER
    assert lake_records().height == 3
    assert all(f"-v{NEWER:04}." in key for key in [*objects("database_logs/logs/"), *objects("database_logs/digests/")])


@pytest.mark.parametrize("asleep_after", range(3, 8))
def test_worker_that_was_overtaken_by_its_like_and_then_by_a_newer_one_takes_back_what_it_wrote(
    monkeypatch: pytest.MonkeyPatch, asleep_after: int
) -> None:
    segment = stored()
    calls, is_other = 0, False

    def overtaken(model: Any, **_rest: object) -> None:
        nonlocal calls, is_other
        if is_other:
            return
        calls, is_other = calls + 1, True
        with monkeypatch.context() as newer:
            if calls == asleep_after:
                _deploy(newer, NEWER, shift="1d")
            # Once it has read that there is no manifest, and the segment.
            if calls in {2, asleep_after}:
                _parse(segment)
        is_other = False

    aws.s3().meta.events.register_last("after-call.s3", overtaken)
    try:
        _parse(segment)
    except BatchProcessingError:
        # A file that it found there was gone when it looked again: the message comes once more.
        _parse(segment)

    assert calls >= asleep_after
    assert _manifest().parser_version == NEWER
    assert all(f"-v{NEWER:04}." in key for key in [*objects("database_logs/logs/"), *objects("database_logs/digests/")])


def test_segment_that_comes_for_the_first_time_takes_a_request_for_each_thing_that_is_read_or_written() -> None:
    segment = stored()
    asked: list[str] = []

    def note(model: Any, **_rest: object) -> None:
        asked.append(model.name)

    aws.s3().meta.events.register_last("after-call.s3", note)
    _parse(segment)

    # The manifest, which is not there, and the raw segment; the manifest before and after three hours of the index and
    # the files.
    assert asked == ["GetObject"] * 2 + ["PutObject"] * (1 + 3 + 4 + 1)


def test_segment_with_times_of_very_many_hours_has_one_entry_in_the_index() -> None:
    segment = stored()
    records = pl.DataFrame({"event_time": [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(49)]})

    assert [key.split("/")[2] for key in lake_files.index_keys(segment, records)] == ["hour=scattered"]
    assert len(lake_files.index_keys(segment, records[:48])) == 48


def test_older_parsers_wait_for_newer_ones_that_have_begun(monkeypatch: pytest.MonkeyPatch, search_queue: str) -> None:
    segment = stored()
    with monkeypatch.context() as newer:
        _deploy(newer, NEWER)
        with pytest.raises(Killed), dying_after(1):
            _parse(segment)

    with pytest.raises(BatchProcessingError, match=f"version {NEWER} have begun segment"):
        _parse(segment)

    assert not objects("database_logs/logs/")
    assert not received(search_queue)


def test_parsers_that_change_under_one_version_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    segment = stored()
    with pytest.raises(Killed), dying_after(2):
        _parse(segment)
    _deploy(monkeypatch, PARSER_VERSION, shift="1d")

    with pytest.raises(BatchProcessingError, match=r"Parsers of version 4 made other files .* raise PARSER_VERSION"):
        _parse(segment)


def test_one_broken_message_of_a_batch_comes_again_alone_and_its_reason_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone = stored(file=file_of(instance="gone"))
    aws.s3().delete_object(Bucket=SEGMENTS, Key=gone.key)

    answer = _parse(stored(), gone, '{"not": "a segment"}')

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}
    assert f"The raw segment s3://segments/{gone.key} is not there" in str([vars(each) for each in caplog.records])
    assert lake_records().height == 3


@pytest.mark.parametrize("body", [b"not gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03abc", b""])
def test_damaged_segment_is_told_by_its_key(body: bytes) -> None:
    segment = stored()
    aws.s3().put_object(Bucket=SEGMENTS, Key=segment.key, Body=body)

    with pytest.raises(BatchProcessingError, match=f"s3://segments/{segment.key} of {len(body)} bytes cannot"):
        _parse(segment)


@pytest.mark.parametrize("body", [b"garbage", gzip.compress(SLOW_LOG[::-1]), gzip.compress(SLOW_LOG[:-1])])
def test_raw_segment_that_is_another_after_it_was_parsed_is_told_of_and_its_records_stay(
    body: bytes, search_queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    segment = stored()
    _parse(segment)
    records, right = objects("database_logs/logs/"), objects(bucket=SEGMENTS)[segment.key]
    aws.s3().put_object(Bucket=SEGMENTS, Key=segment.key, Body=body)
    received(search_queue)
    capsys.readouterr()

    for _ in range(2):
        _parse(segment)
        assert emitted(capsys.readouterr().out)["SegmentsDamaged"] == 1

    assert segment.key in str(_manifest().damaged)
    assert objects("database_logs/logs/") == records
    assert len(received(search_queue)) == 2
    aws.s3().put_object(Bucket=SEGMENTS, Key=segment.key, Body=right)
    _parse(segment)
    assert _manifest().damaged is None
    assert emitted(capsys.readouterr().out)["SegmentsDamaged"] == 0


def test_raw_segment_that_expired_is_not_damaged() -> None:
    segment = stored()
    _parse(segment)
    aws.s3().delete_object(Bucket=SEGMENTS, Key=segment.key)

    assert _parse(segment) == {"batchItemFailures": []}
    assert _manifest().damaged is None


def test_newer_parsers_do_not_parse_bytes_that_were_replaced_and_keep_the_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segment = stored()
    _parse(segment)
    before = objects("database_logs/logs/")
    aws.s3().put_object(Bucket=SEGMENTS, Key=segment.key, Body=gzip.compress(SLOW_LOG[::-1]))
    _deploy(monkeypatch, NEWER, shift="1d")

    with pytest.raises(BatchProcessingError, match=r"holds \d+ bytes with SHA-256 .* Replay it from RDS"):
        _parse(segment)

    assert objects("database_logs/logs/") == before
    assert (_manifest().parser_version, _manifest().is_complete) == (PARSER_VERSION, True)
    assert "replaced it" in str(_manifest().damaged)
    aws.s3().put_object(Bucket=SEGMENTS, Key=segment.key, Body=gzip.compress(SLOW_LOG))
    _parse(segment)
    assert (_manifest().parser_version, _manifest().damaged) == (NEWER, None)


def test_segment_that_nobody_kept_the_hash_of_must_have_as_many_bytes_as_were_stored() -> None:
    segment = stored().model_copy(update={"sha256": None})
    _parse(segment)
    aws.s3().put_object(Bucket=SEGMENTS, Key=segment.key, Body=gzip.compress(SLOW_LOG[1:]))
    _parse(segment)
    assert _manifest().damaged is not None


def test_without_search_nothing_is_told(search_queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCH_QUEUE_URL", "")

    _parse(stored())

    assert not received(search_queue)
    assert lake_records().height == 3


def test_names_of_segments_differ_by_instance_generation_and_range_and_not_by_what_the_file_is_called() -> None:
    segment = stored()
    others = [
        segment.model_copy(update=update)
        for update in ({"generation": "g2"}, {"file": file_of(instance="orders-2")}, {"start": 1}, {"end": 9})
    ]
    renamed = segment.model_copy(update={"file": file_of(file="other")})

    names = {locations.segment_name(each) for each in (segment, *others)}

    assert len(names) == 5
    assert locations.segment_name(renamed) == locations.segment_name(segment)
    entry = locations.indexed(locations.index_key(locations.UNDATED, segment))
    assert (entry.instance_id, entry.dbi_resource_id, entry.log_type, entry.file, entry.name) == (
        segment.file.instance_id,
        segment.file.dbi_resource_id,
        segment.file.log_type,
        segment.file.file,
        locations.segment_name(segment),
    )


@pytest.mark.parametrize(
    ("folder", "log_type"),
    [
        ("go-mysql/test/slow-logs", LogType.MYSQL_SLOW),
        ("honeytail", LogType.MYSQL_SLOW),
        ("pganalyze", LogType.POSTGRES_STDERR),
    ],
)
def test_published_logs_are_in_the_lake_byte_for_byte(folder: str, log_type: LogType) -> None:
    logs = [path for path in sorted(sample(folder).rglob("*")) if path.is_file() and path.stat().st_size]
    assert logs
    segments = [stored(path.read_bytes(), file_of(log_type, file=path.name)) for path in logs]

    assert _parse(*segments) == {"batchItemFailures": []}

    found = lake_records().sort("file", "offset_start").partition_by("file", as_dict=True)
    assert {name: bytes_of(records) for (name,), records in found.items()} == {
        path.name: path.read_bytes() for path in logs
    }


def _empty_lake() -> None:
    for key in objects():
        aws.s3().delete_object(Bucket=LAKE, Key=key)
