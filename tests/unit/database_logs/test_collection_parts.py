import itertools
from datetime import UTC, datetime, timedelta

import pytest

from database_logs.collection import markers, ranges
from database_logs.collection.complete import CompleteSource
from database_logs.collection.generations import generation_of, head_of
from database_logs.collection.ledger import Gap, Reason, account
from database_logs.collection.portions import MOST_BYTES, NOTICE, Bytes, Portion, PortionSource, Statistics
from database_logs.collection.positions import TAIL_BYTES, Ending, Plan, Stored, tail_of
from database_logs.collection.restart import common, overlay, resume_at
from database_logs.errors import FileChanged, PortionUnreadable, SeamBroken
from database_logs.file_names import LogFileName, classify
from database_logs.log_types import LogType
from tests.support.rds_collecting import pg_lines, slow_events

NOW = datetime(2026, 11, 21, 6, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "prefix", "offset"),
    [("2026-11-21.7:12", "2026-11-21.7", 12), ("17:13387550", "17", 13387550), ("0", "", 0)],
)
def test_markers_are_taken_apart_at_the_last_colon(text: str, prefix: str, offset: int) -> None:
    assert markers.parse(text) == markers.Marker(prefix, offset)


@pytest.mark.parametrize("text", [None, "", "x", "7:", "7:-1", "7:²"])
def test_what_is_no_marker_is_none(text: str | None) -> None:
    assert markers.parse(text) is None


def test_first_byte_is_asked_for_by_zero_and_not_by_an_hour() -> None:
    assert markers.build("7", 0) == "0"
    assert markers.build("7", 5) == "7:5"


@pytest.mark.parametrize(
    ("file", "written", "identity"),
    [
        ("slowquery/mysql-slowquery.log", NOW, "slowquery/mysql-slowquery.log@2026-11-21.7"),
        ("slowquery/mysql-slowquery.log.2026-11-21.7", NOW, "slowquery/mysql-slowquery.log@2026-11-21.7"),
        ("slowquery/mysql-slowquery.log.07", NOW, "slowquery/mysql-slowquery.log@2026-11-21.7"),
        ("slowquery/mysql-slowquery.log.0", NOW.replace(hour=23), "slowquery/mysql-slowquery.log@2026-11-22.0"),
        ("slowquery/mysql-slowquery.log", NOW.replace(hour=23), "slowquery/mysql-slowquery.log@2026-11-22.0"),
    ],
)
def test_file_of_an_hour_is_one_before_and_after_it_is_renamed(file: str, written: datetime, identity: str) -> None:
    name = classify(file, "mysql")
    assert isinstance(name, LogFileName)
    generation = generation_of(file, name, written)
    assert generation is not None
    assert generation.identity == identity


def test_compressed_file_is_the_one_that_was_not() -> None:
    file = "error/postgresql.log.2026-11-21-0600"
    names = [classify(name, "aurora-postgresql") for name in (file, f"{file}.gz")]
    found = [
        generation_of(text, name, NOW)
        for text, name in zip((file, f"{file}.gz"), names, strict=True)
        if isinstance(name, LogFileName)
    ]
    assert found[0] == found[1]


def test_numbered_file_is_known_by_its_first_line_once_it_has_one() -> None:
    name = classify("audit/server_audit.log.1", "mysql")
    assert isinstance(name, LogFileName)
    assert generation_of("audit/server_audit.log.1", name, NOW) is None
    assert head_of(b"half a li") is None
    assert head_of(b"a line\nand more") == head_of(b"a line\n") != head_of(b"another line\n")
    assert head_of(b"x" * 2000) == head_of(b"x" * 1024)


def test_file_that_ended_within_its_first_line_is_known_by_when_it_did() -> None:
    later = NOW + timedelta(seconds=1)
    assert head_of(b"", NOW) is None
    assert len({head_of(b"202", NOW), head_of(b"202", later), head_of(b"203", NOW), head_of(b"202\n", NOW)}) == 4
    assert head_of(b"a line\n", NOW) == head_of(b"a line\n")


def test_tail_begins_with_a_whole_character() -> None:
    tail = tail_of("€".encode() * 200)
    assert TAIL_BYTES - 3 < len(tail) <= TAIL_BYTES
    assert tail.decode() == "€" * (len(tail) // 3)


class Api:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self, *answers: Portion) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, marker: str, lines: int) -> Portion:
        self.asked.append((marker, lines))
        return self.answers.pop(0)

    def source(self, hour: datetime | None = None, *, late: bool = False) -> PortionSource:
        return PortionSource(self, lambda: NOW, hour, Statistics(), lambda: late)


def test_cut_portion_of_a_full_megabyte_is_followed_by_a_marker_that_is_built() -> None:
    whole = b"a" * (MOST_BYTES - 11) + b"\n"
    cut = whole + b"0123456789\n" + NOTICE + b"\n"
    rest = whole[-TAIL_BYTES:] + b"0123456789abc\n"
    begin = len(whole) - TAIL_BYTES
    api = Api(Portion(cut, "7:99999999"), Portion(rest, f"7:{begin + len(rest)}"))
    assert api.source().read(0, len(whole) + 14) == Bytes(whole + b"0123456789abc\n", at_end=False)
    assert api.asked == [("0", 10_000), (f"7:{begin}", 10_000)]


def test_reader_without_time_stops_after_a_portion_and_calls_it_no_end() -> None:
    api = Api(Portion(b"ab\n", "7:3"), Portion(b"ab\ncd\n", "7:6"))
    assert api.source(late=True).read(0, 6) == Bytes(b"ab\n", at_end=False)
    chunks = [bytes([letter]) * 2 * TAIL_BYTES for letter in b"abc"]
    streamed = CompleteSource(lambda: iter(chunks), lambda: True)
    assert streamed.read(0, 9000) == Bytes(chunks[0], at_end=False)
    assert streamed.read(len(chunks[0]), 9000, chunks[0][-TAIL_BYTES:]) == Bytes(chunks[1], at_end=False)


def test_shorter_cut_portion_is_asked_for_again_with_its_whole_lines_only() -> None:
    api = Api(Portion(b"a\nb\nc\n" + NOTICE + b"\n", "7:99"), Portion(b"a\nb\n", "7:4"))
    assert api.source().read(0, 4).data == b"a\nb\n"
    assert api.asked == [("0", 10_000), ("0", 2)]


def test_portion_with_more_bytes_than_its_marker_moves_is_not_taken() -> None:
    api = Api(Portion(b"a\nab\n", "7:3"), Portion(b"ab\n", "7:3"))
    assert api.source().read(0, 3).data == b"ab\n"


def test_bytes_that_portions_do_not_carry_are_an_error_and_no_endless_loop() -> None:
    with pytest.raises(PortionUnreadable):
        Api(*[Portion(b"a\n", "7:3")] * 4).source().read(0, 3)
    with pytest.raises(PortionUnreadable):
        Api(Portion("a\ufffd\nb\n".encode(), "7:7")).source().read(0, 7)
    with pytest.raises(PortionUnreadable):
        Api(Portion(b"a" * 9 + b"\n" + NOTICE + b"\n", "7:7")).source().read(0, 70)


def test_other_bytes_in_front_are_noticed() -> None:
    api = Api(Portion(b"", "7:0"), Portion(b"xx\ncd\n", "7:6"))
    with pytest.raises(SeamBroken):
        api.source().read(3, 6, b"ab\n")


def test_live_file_of_another_hour_is_another_file() -> None:
    with pytest.raises(FileChanged):
        Api(Portion(b"ab\n", "8:3")).source(NOW.replace(hour=7, minute=0)).read(0, 3)


def test_empty_answer_is_the_end_only_if_it_comes_twice() -> None:
    api = Api(Portion(b"", ""), Portion(b"ab\n", "7:3"), Portion(b"ab\n", "7:3"))
    assert api.source().read(0, 9) == Bytes(b"ab\n", at_end=True)
    assert Api(Portion(b"", "0"), Portion(b"", "0")).source().read(0, 9) == Bytes(b"", at_end=True)


@pytest.mark.parametrize(
    ("log_type", "data"), [(LogType.POSTGRES_STDERR, pg_lines(0, 20)), (LogType.MYSQL_SLOW, slow_events(0, 20))]
)
def test_resuming_repeats_no_record_that_was_whole(log_type: LogType, data: bytes) -> None:
    starts = [
        n
        for n in range(len(data))
        if data.startswith((b"# Time", b"2026-"), n) and (n == 0 or data[n - 1 : n] == b"\n")
    ]
    for start, following in itertools.pairwise(starts):
        assert resume_at(log_type, data, start, "%t:%r:%u@%d:[%p]:") == start
        for same in range(start + 1, following):
            assert resume_at(log_type, data, same, "%t:%r:%u@%d:[%p]:") == start


def test_common_beginning_is_counted() -> None:
    assert [common(b"abcd", other) for other in (b"", b"x", b"ab", b"abxd", b"abcd", b"abcde")] == [0, 0, 2, 2, 4, 4]


def _stored(incarnation: int, start: int, end: int) -> Stored:
    return Stored(incarnation, start, end, f"{incarnation}/{start}")


def test_later_incarnation_takes_the_place_of_what_was_there() -> None:
    ranges_ = [_stored(0, 0, 10), _stored(0, 10, 30), _stored(1, 20, 25), _stored(2, 22, 40)]
    parts = [(stored.key, start, end) for stored, start, end in overlay(ranges_, 40)]
    assert parts == [("0/0", 0, 10), ("0/10", 10, 20), ("1/20", 20, 22), ("2/22", 22, 40)]


def test_ledger_tells_what_neither_a_segment_nor_a_gap_has() -> None:
    assert account([_stored(0, 0, 10), _stored(0, 10, 12)], [], 12).complete
    assert account([_stored(0, 0, 10), _stored(0, 11, 12)], [], 12).missing == ((10, 11),)
    assert account([_stored(0, 0, 10)], [Gap(10, 12, Reason.PURGED)], 12).complete
    assert account([], [Gap(0, None, Reason.DELETED)], 12).complete
    assert account([], [], 12).missing == ((0, 12),)


def test_range_that_does_not_reach_the_end_holds_its_last_record_back() -> None:
    assert ranges.plan(0, 100, Ending.IDLE, 50) == Plan(0, 50, Ending.OPEN)
    assert ranges.plan(50, 100, Ending.IDLE, 50) == Plan(50, 100, Ending.IDLE)
    assert ranges.plan(100, 100, Ending.OPEN, 50) is None
    assert ranges.plan(100, 100, Ending.CLOSED, 50) == Plan(100, 150, Ending.CLOSED)


def test_record_waits_until_the_file_is_idle_or_closed() -> None:
    data = Bytes(pg_lines(0, 3)[:-1], at_end=True)
    lines = data.data.splitlines(keepends=True)
    lengths = [
        ranges.length(LogType.POSTGRES_STDERR, data, ending, "%t:%r:%u@%d:[%p]:")
        for ending in (Ending.OPEN, Ending.IDLE, Ending.CLOSED)
    ]
    assert lengths == [len(lines[0] + lines[1]), len(lines[0] + lines[1]), len(data.data)]
    assert ranges.ending_of(closed=False, last_written=NOW, now=NOW + timedelta(seconds=29)) is Ending.OPEN
    assert ranges.ending_of(closed=False, last_written=NOW, now=NOW + timedelta(seconds=30)) is Ending.IDLE
