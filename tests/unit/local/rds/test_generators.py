"""Generated logs: the same bytes whoever reads them, in whatever pieces; and each grammar as others parse it."""

import csv
import io
import re
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.rds.generators import GeneratedSource, Texture, generated
from local.rds.grammars import GRAMMARS, mysql_slow
from tests.support.rds import START


def source(seed: str = "1", per_minute: float = 40, texture: Texture | None = None) -> GeneratedSource:
    return GeneratedSource(seed, mysql_slow, START, per_minute, texture=texture)


def test_bytes_depend_on_the_seed_alone() -> None:
    end = source().length(START + timedelta(hours=1))
    assert source().read(0, end) == source().read(0, end)
    assert source("2").read(0, 1000) != source().read(0, 1000)


@given(st.lists(st.integers(0, 30_000), min_size=2, max_size=8))
@settings(deadline=None)
def test_pieces_make_up_the_whole(offsets: list[int]) -> None:
    whole = source().read(0, 30_000)
    first, *rest = sorted(offsets)
    pieces = source()
    read = b"".join(pieces.read(a, b) for a, b in zip([first, *rest], rest, strict=False))
    assert read == whole[first : max(offsets)]


def test_length_grows_with_time_and_cuts_fall_between_records() -> None:
    log = source()
    lengths = [log.length(START + timedelta(seconds=second)) for second in range(0, 300, 7)]
    assert lengths == sorted(lengths)
    assert lengths[0] == 0
    cut = log.cut(START + timedelta(seconds=100))
    assert cut >= log.length(START + timedelta(seconds=100))
    assert log.read(cut, cut + 8) == b"# Time: "
    assert log.cut(START + timedelta(minutes=2)) == log.length(START + timedelta(minutes=2))


def test_idle_log_has_a_record_now_and_then() -> None:
    log = source(per_minute=0.1)
    data = log.read(0, log.length(START + timedelta(hours=10)))
    assert 30 < data.count(b"# Time: ") < 90


@pytest.mark.parametrize(
    ("texture", "found"),
    [
        (Texture(binary=1), b"\x00\x1a\xff"),
        (Texture(multi_line=1, crlf=1), b"\r\n WHERE"),
        (Texture(huge=1, huge_bytes=70_000), b"x" * 70_000),
    ],
)
def test_texture_is_in_the_log(texture: Texture, found: bytes) -> None:
    log = source(texture=texture)
    assert found in log.read(0, log.length(START + timedelta(minutes=1)))


def test_cache_stays_small_whatever_is_read() -> None:
    log = source(texture=Texture(huge=1, huge_bytes=1_000_000))
    end = log.length(START + timedelta(minutes=3))
    assert end > 100_000_000
    assert len(log.read(end - 50, end)) == 50
    assert len(log._minutes) == 1


MARIADB = rb"(?m)^# Time: \d{6} [ \d]\d:\d\d:\d\d\n# User@Host: "
AUDIT = rb"(?m)^\d{8} [\d:]+,[^,]+,\w+,[\d.]+,\d+,\d+,QUERY,shop,'.*',\d+"
RECORD = {
    ("mysql", "slow"): rb"(?m)^# Time: \d{4}-\d\d-\d\dT[\d:.]+Z\n# User@Host: ",
    ("mariadb", "slow"): MARIADB,
    ("mysql", "general"): rb"(?m)^\d{4}-\d\d-\d\dT[\d:.]+Z\t *\d+ Query\t",
    ("mysql", "audit"): AUDIT + b",,$",
    ("mariadb", "audit"): AUDIT + b"$",
    ("aurora-mysql", "audit.0"): rb"(?m)^\d{16},[^,]+,\w+,[\d.]+,\d+,\d+,QUERY,shop,'.*',\d+$",
    ("postgres", "stderr"): rb"(?m)^\d{4}-\d\d-\d\d [\d:]+ UTC:[^@\n]*@\w*:\[\d+\]:(?:LOG|ERROR):  ",
    ("oracle-ee", "alert"): rb"(?m)^\d{4}-\d\d-\d\dT[\d:.]+\+00:00\n",
}


@pytest.mark.parametrize(("engine", "kind"), RECORD)
def test_records_have_the_grammars_shape(engine: str, kind: str) -> None:
    log = generated("1", engine, START, 50)(kind)
    assert log is not None
    data = log.read(0, log.length(START + timedelta(minutes=10)))
    assert len(re.findall(RECORD[engine, kind], data)) == 500


@pytest.mark.parametrize(("engine", "kind"), [(engine, kind) for engine in GRAMMARS for kind in GRAMMARS[engine]])
def test_every_log_of_every_engine_tells_its_records_apart(engine: str, kind: str) -> None:
    log = generated("1", engine, START, 500)(kind)
    assert log is not None
    data = log.read(0, log.length(START + timedelta(minutes=10)))
    assert all(b"%d" % (minute * 100_000) in data for minute in range(1, 10))


def test_files_begin_with_a_banner_on_the_hour() -> None:
    log = generated("1", "mysql", START, 1)("slow")
    assert log is not None
    hour = log.cut(START + timedelta(minutes=30))
    assert log.read(0, 10) == log.read(hour, hour + 10) == b"/rdsdbbin/"
    assert log.read(0, log.length(START + timedelta(minutes=89))).count(b"started with:") == 2


def test_postgresql_writes_what_its_extensions_and_background_processes_do() -> None:
    log = generated("1", "postgres", START, 500)("stderr")
    assert log is not None
    data = log.read(0, log.length(START + timedelta(minutes=10)))
    for part in (b" UTC::@:[", b"ms  plan:\n\tQuery Text: ", b"LOG:  AUDIT: SESSION,", b":STATEMENT:  "):
        assert part in data


def test_both_files_of_postgresql_tell_of_the_same_events() -> None:
    sources = generated("1", "postgres", START, 50)
    stderr, table = sources("stderr"), sources("csv")
    assert stderr is not None
    assert table is not None
    lines = stderr.read(0, stderr.length(START + timedelta(minutes=5)))
    rows = list(csv.reader(io.StringIO(table.read(0, table.length(START + timedelta(minutes=5))).decode(), newline="")))
    assert {len(row) for row in rows} == {26}
    assert len(rows) == 250
    assert sum(row[11] == "ERROR" for row in rows) == lines.count(b":ERROR:  ")
