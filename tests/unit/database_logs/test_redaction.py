"""What leaves for search."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from database_logs.log_types import LogType
from database_logs.parsing.dispatch import parse
from database_logs.redaction import redacted
from tests.support.postgres_logs import line, parsed, segment_of
from tests.support.rds_samples import expected

_TEXTS = ("message", "detail", "hint", "context", "query", "internal_query", "plan", "parameters", "raw")
# What upstream hides of rows, statements and credentials; it also hides paths of the server, which stay here.
_KINDS = ("TableDataLogSecret", "StatementParameterLogSecret", "CredentialLogSecret")


def _left(text: str, log_type: LogType = LogType.POSTGRES_STDERR) -> str:
    """Return all that search gets to read of these lines."""
    frame = redacted(parse(segment_of(text.encode(), log_type), text.encode()))
    texts = [
        name
        for name, dtype in frame.schema.items()
        if dtype == pl.String and name not in ("event_id", "fingerprint_id")
    ]
    return "\n".join(value for row in frame.select(texts).iter_rows() for value in row if value is not None)


def test_nothing_that_is_published_as_secret_is_left() -> None:
    checked = 0
    for lines, results, _ in expected("pganalyze/expected/analyze_lines.json"):
        labelled = [
            (str(each.get("LogLevel", "_LOG")).rpartition("_")[2], each["Content"].rstrip("\n")) for each in lines
        ]
        frame = redacted(parsed("".join(line(label, text) for label, text in labelled).encode()))
        left = "\n".join(value for row in frame.select(_TEXTS).iter_rows() for value in row if value is not None)
        for given, wanted in zip(lines, results, strict=True):
            for marker in wanted.get("SecretMarkers", []):
                content = given["Content"].encode()
                secret = content[marker.get("ByteStart", 0) : marker["ByteEnd"]].decode().strip()
                # shorter ones are in any text
                if marker["Kind"].removeprefix("state.") in _KINDS and len(secret) > 2:
                    assert secret not in left
                    checked += 1
    assert checked == 24


@pytest.mark.parametrize(
    ("message", "attached"),
    [
        ("duration: 1.0 ms  statement: SELECT * FROM t WHERE a = 'sesame' AND \"b\" = 90210", ()),
        ("duration: 1.0 ms  statement: CREATE ROLE joe PASSWORD 'sesame'", ()),
        ("statement: ALTER USER joe WITH ENCRYPTED PASSWORD $$sesame$$", ()),
        ("statement: SELECT dblink('host=x user=joe password=sesame')", ()),
        ("duration: 1.0 ms  execute x: SELECT $1", (("DETAIL", "Parameters: $1 = 'sesame', $2 = '90210'"),)),
        ("duplicate key value violates unique constraint", (("DETAIL", "Key (name)=(sesame (x)) already exists."),)),
        ("null value in column", (("DETAIL", "Failing row contains (90210, sesame, null)."),)),
        ('invalid input syntax for type integer: "sesame"', (("CONTEXT", 'COPY t, line 3, column a: "sesame"'),)),
        ("bad", (("CONTEXT", 'COPY t, line 1: "1\tsesame\t90210"'),)),
        ("deadlock detected", (("DETAIL", "Process 1 waits.\nProcess 1: UPDATE t SET a = 'sesame'"),)),
        ("x", (("CONTEXT", "SQL statement \"UPDATE t SET a = 'sesame'\"\nPL/pgSQL function f() line 3"),)),
        (
            "duration: 1.0 ms  plan:\nQuery Text: SELECT 'sesame'\nScan  (cost=1.0..2.0 rows=1)\n  Filter: (a = 90210)",
            (),
        ),
        ('duration: 1.0 ms  plan:\n{"Query Text": "SELECT \'sesame\'", "Plan": {"Filter": "(a = 90210)"}}', ()),
        ("AUDIT: SESSION,1,1,READ,SELECT,,,\"SELECT 'sesame'\",90210", ()),
        ("AUDIT: SESSION,1,1,READ,SELECT,,,\"SELECT 'sesame", ()),
        ("could not connect: postgresql://joe:sesame@db.example/shop", ()),
        ('job failed: {"password": "sesame"}', ()),
        ("job failed: user=joe password=sesame", ()),
    ],
)
def test_values_and_secrets_do_not_leave(message: str, attached: tuple[tuple[str, str], ...]) -> None:
    text = line("ERROR", message) + "".join(line(label, text) for label, text in attached)
    left = _left(text.replace(":ERROR:  duration", ":LOG:  duration").replace(":ERROR:  statement", ":LOG:  statement"))
    assert "sesame" not in left
    assert "90210" not in left


def test_names_and_measures_stay() -> None:
    text = line("LOG", "duration: 12.5 ms  statement: SELECT \"a\" FROM t1 WHERE b = 'x'")
    frame = redacted(parsed(text.encode()))
    assert frame.select("query", "duration_ms", "user_name", "message").rows() == [
        ('SELECT "a" FROM t1 WHERE b = ?', 12.5, "app", "duration: 12.5 ms  statement:"),
    ]
    error = redacted(parsed(line("ERROR", 'relation "orders" does not exist').encode()))
    assert error["message"].to_list() == ['relation "orders" does not exist']


def test_interleaved_lines_are_redacted_too() -> None:
    left = _left(line("ERROR", "a", 1) + line("LOG", "b", 2) + line("STATEMENT", "SELECT 'sesame', 90210", 1))
    assert "sesame" not in left
    assert "90210" not in left


def test_lines_that_are_not_parsed_are_redacted_from_end_to_end() -> None:
    assert "sesame" not in _left("so 'sesame' it is\n")


@pytest.mark.parametrize(
    ("log_type", "text"),
    [
        (
            LogType.MYSQL_SLOW,
            '# Time: 2026-01-01T00:00:00Z\n# User@Host: a[a] @ b [c]\n# Query_time: 1\nSELECT "sesame";\n',
        ),
        (LogType.MYSQL_GENERAL, "2026-01-01T00:00:00.0Z\t   12 Query\tSET PASSWORD FOR 'joe' = 'sesame'\n"),
        (LogType.MYSQL_AUDIT, "1767261600000000,h,u,c,1,2,QUERY,db,'CREATE USER joe IDENTIFIED BY \\'sesame\\'',0\n"),
        (
            LogType.MYSQL_ERROR,
            "2026-01-01T00:00:00.0Z 0 [Warning] Unsafe. Statement: INSERT INTO t VALUES ('sesame')\n",
        ),
        (LogType.SQLSERVER_ERROR, "2026-01-01 00:00:00.00 spid52      Server=x;Password=sesame;Database=y\n"),
    ],
)
def test_other_engines_are_redacted_too(log_type: LogType, text: str) -> None:
    assert parse(segment_of(text.encode(), log_type), text.encode()).height == 1
    assert "sesame" not in _left(text, log_type)


@pytest.mark.parametrize("log_type", list(LogType))
def test_columns_and_types_stay(log_type: LogType) -> None:
    data = b"2026-01-01 00:00:00 some line\n"
    frame = parse(segment_of(data, log_type), data)
    assert redacted(frame).schema == frame.schema
    assert_frame_equal(redacted(frame.clear()), frame.clear())
