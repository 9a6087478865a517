"""A value that a statement holds, however it is quoted and whatever stands around it, never leaves for search."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from database_logs.log_types import LogType
from database_logs.parsing.dispatch import parse
from database_logs.search.documents import documents
from tests.support.effort import examples
from tests.support.postgres_logs import line
from tests.support.rds_segments import segment_of

_SECRET = "sesame"  # noqa: S105 - it is to be found
_SETTINGS = settings(deadline=None, max_examples=examples(60))
_NOISE = st.text("a1 '\"\\`$;-/*#=(),:\n\t", max_size=12)


@st.composite
def _literals(draw: st.DrawFn, quotes: list[tuple[str, str]]) -> str:
    """Return a string literal with the secret in it, written as a client of that engine escapes it."""
    opening, closing = draw(st.sampled_from(quotes))
    text = f"{draw(_NOISE)}{_SECRET}{draw(_NOISE)}"
    if len(closing) > 1:
        return f"{opening}{text.replace('$', '')}{closing}"
    doubled = text.replace(closing, closing * 2)
    escaped = text.replace("\\", "\\\\").replace(closing, f"\\{closing}")
    return opening + (doubled if opening != "E'" and draw(st.booleans()) and "\\" not in text else escaped) + closing


_MYSQL = _literals([("'", "'"), ('"', '"'), ("_utf8mb4'", "'"), ("N'", "'")])
_POSTGRES = _literals([("'", "'"), ("E'", "'"), ("$$", "$$"), ("$tag$", "$tag$")])
_FORMS = st.sampled_from(
    [
        "SELECT {} FROM t WHERE a = {}",
        "INSERT INTO t (a, b) VALUES (1, {}, {})",
        "UPDATE t SET a = {} WHERE b IN ({}, 5)",
        "SELECT 1 /* it's */, {}, {}",
        "CALL p({}); SELECT {}",
    ]
)


def _left(log: str, log_type: LogType) -> str:
    data = log.encode()
    found = list(documents(parse(segment_of(log_type, data), data)))
    assert found
    return " ".join(str(json.loads(document.json)) for document in found)


@_SETTINGS
@given(form=_FORMS, one=_MYSQL, two=_MYSQL)
def test_values_in_logs_of_mysql(form: str, one: str, two: str) -> None:
    statement = form.format(one, two)
    header = "# User@Host: a[a] @ b [c]\n# Query_time: 1  Lock_time: 0.0 Rows_sent: 1  Rows_examined: 1"
    slow = f"# Time: 2026-01-01T00:00:00Z\n{header}\nSET timestamp=1767225600;\n{statement};\n"
    assert _SECRET not in _left(slow, LogType.MYSQL_SLOW)
    assert _SECRET not in _left(f"2026-01-01T00:00:00.0Z\t   12 Query\t{statement}\n", LogType.MYSQL_GENERAL)
    quoted = statement.replace("\\", "\\\\").replace("'", "\\'")
    assert _SECRET not in _left(f"1767261600000000,h,u,c,1,2,QUERY,db,'{quoted}',0\n", LogType.MYSQL_AUDIT)


@pytest.mark.parametrize("label", ["LOG", "STATEMENT"])
@_SETTINGS
@given(form=_FORMS, one=_POSTGRES, two=_POSTGRES)
def test_values_in_logs_of_postgres(label: str, form: str, one: str, two: str) -> None:
    statement = form.format(one, two)
    if label == "LOG":
        log = line("LOG", f"duration: 1.0 ms  statement: {statement}")
    else:
        log = line("ERROR", "division by zero") + line("STATEMENT", statement)
    assert _SECRET not in _left(log, LogType.POSTGRES_STDERR)
