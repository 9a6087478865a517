import pytest

from database_logs.boundaries.dispatch import cut
from database_logs.log_types import LogType
from database_logs.parsing.dispatch import SCHEMAS, parse
from tests.support.rds_segments import bytes_of, segment_of


@pytest.mark.parametrize("log_type", LogType)
def test_every_kind_of_log_has_a_grammar(log_type: LogType) -> None:
    data = "no record of any log\nzo\u00eb\n".encode() + b"\xff"
    frame = parse(segment_of(log_type, data), data)
    assert frame.schema == SCHEMAS[log_type]
    assert bytes_of(frame) == data
    assert parse(segment_of(log_type, b""), b"").schema == SCHEMAS[log_type]
    assert cut(log_type, b"") == 0


def test_lines_of_postgres_are_cut_by_the_prefix_of_the_instance() -> None:
    lines = b"2024-05-01 10:00:00 UTC [7] LOG:  a\n2024-05-01 10:00:01 UTC [7] LOG:  b\n"
    assert cut(LogType.POSTGRES_STDERR, lines, "%t [%p] ") == len(lines) // 2
    assert cut(LogType.POSTGRES_STDERR, lines) == 0


_OBJECT = b'{"timestamp":"x"}\n'


@pytest.mark.parametrize(
    ("complete", "rest"),
    [
        (_OBJECT * 2, b""),
        (_OBJECT * 2, b'{"c"'),
        (_OBJECT, _OBJECT[:-1]),
        (_OBJECT, b"junk\njunk\n"),
        (b"junk\njunk\n" + _OBJECT, b"junk\n"),
        (b"", b"junk\njunk\n"),
        (b"", _OBJECT[:-1]),
    ],
)
def test_json_is_cut_after_the_last_object_or_before_one_without_end(complete: bytes, rest: bytes) -> None:
    assert cut(LogType.POSTGRES_JSON, complete + rest) == len(complete)
