"""What leaves for search."""

import json

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
        ('invalid input syntax for type integer: "sesame" at character 40', ()),
        ('malformed array literal: "sesame, b" at character 33', ()),
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
        ("customer sesame has 90210", (("HINT", "Perhaps sesame."),)),
        ("duration: 1.0 ms  statement: SELECT 0o90210, 90210abc", ()),
        ("statement: SET application_name TO sesame", ()),
        ('statement: ALTER ROLE x PASSWORD "sesame"', ()),
        ("statement: INSERT INTO t VALUES ('it\\'s sesame')", ()),
        ("statement: /* x */ SET app.token TO sesame", ()),
        ("statement: BEGIN; SET LOCAL app.x = sesame, b; COMMIT", ()),
        ("statement: ALTER ROLE r IN DATABASE d SET app.x TO sesame", ()),
        ("statement: ALTER SYSTEM SET a.b = sesame", ()),
        ("statement: INSERT INTO t VALUES ('O'Brien', 'sesame')", ()),
        ("doppelter Schlüsselwert", (("DETAIL", "Schlüssel »(name)=(sesame)« existiert bereits."),)),
        ("invalid input syntax for type json", (("DETAIL", 'Expected JSON value, but found "sesame".'),)),
        ("invalid input syntax for type xml", (("DETAIL", "line 1: Start tag expected\nsesame\n^"),)),
        ("duplicate key value violates unique constraint", (("DETAIL", "Existing local row (1, sesame)."),)),
        ("deadlock detected", (("DETAIL", "Process 1 waits for X.\nProcess 1: UPDATE t\nSET a = b.sesame"),)),
        ("division by zero", (("CONTEXT", "PL/pgSQL assignment \"v := 'sesame'\"\nPL/pgSQL function f() line 3"),)),
        ("division by zero", (("CONTEXT", "remote SQL command: SELECT a FROM t WHERE b = 'sesame'"),)),
        ("duration: 1.0 ms  plan:\nQuery Text: SELECT \"o'b\" FROM t\nScan  (cost=1)\n  Filter: (a = 'sesame')", ()),
        ('duration: 1.0 ms  plan:\n{"Plan": {"Filter": "(\\"o\'b\\" = \'sesame\'::text)"}}', ()),
    ],
)
def test_values_and_secrets_do_not_leave(message: str, attached: tuple[tuple[str, str], ...]) -> None:
    text = line("ERROR", message) + "".join(line(label, text) for label, text in attached)
    left = _left(text.replace(":ERROR:  duration", ":LOG:  duration").replace(":ERROR:  statement", ":LOG:  statement"))
    assert "sesame" not in left
    assert "90210" not in left


_PLANNED = "SELECT a -- it's\n, E'it\\'s' FROM t WHERE \"b\" = 'sesame' AND \"o'b\" = 'sesame' AND c = 90210"
_JSON_PLAN = json.dumps({"Query Text": _PLANNED, "Plan": {"Node Type": "Seq Scan", "Filter": "(a = 'sesame'::text)"}})
_YAML_PLAN = f'Query Text: {json.dumps(_PLANNED)}\nPlan: \n  Node Type: "Seq Scan"\n  Filter: "(\\"b\\" = \'sesame\')"'


@pytest.mark.parametrize(
    ("plan", "left"),
    [
        (
            _JSON_PLAN,
            (
                """{"Query Text": "SELECT a -- it's\\n, ?…", """
                """"Plan": {"Node Type": "Seq Scan", "Filter": "(a = ?::text)"}}"""
            ),
        ),
        (
            _YAML_PLAN,
            (
                """Query Text: "SELECT a -- it's\\n, ?…"\nPlan: \n"""
                """  Node Type: "Seq Scan"\n  Filter: "(\\"b\\" = ?)\""""
            ),
        ),
        (_JSON_PLAN[: _JSON_PLAN.index("sesame") + 6], """{"Query Text": "SELECT a -- it's\\n, ?…\""""),
        (
            "Query Text: SELECT 'sesame  (cost=1'\nSeq Scan on t_5  (cost=0.0..1.0 rows=1)",
            "Query Text: SELECT ?\nSeq Scan on t_5  (cost=?..1.0 rows=?)",
        ),
    ],
)
def test_each_text_of_a_plan_is_redacted_by_itself(plan: str, left: str) -> None:
    frame = redacted(parsed(line("LOG", f"duration: 1.0 ms  plan:\n{plan}").encode()))
    assert frame["plan"].to_list() == [left]
    assert "sesame" not in _left(line("LOG", f"duration: 1.0 ms  plan:\n{plan}"))


@pytest.mark.parametrize(
    "message",
    [
        "division by zero",
        "account 90210 does not exist",
        'role "sesame" does not exist',
        "customer sesame@example.com does not exist",
        "received fast shutdown request sesame",
        "duration: sesame 90210",
    ],
)
@pytest.mark.parametrize(
    "context",
    [
        "PL/pgSQL function f(text) line 3 at RAISE",
        'PL/pgSQL function f() line 3 at RAISE\nSQL statement "SELECT f()"\nPL/pgSQL function g() line 5 at PERFORM',
        "PL/pgSQL function f(text) line 3 at ASSERT",
        'PL/Python function "f"',
    ],
)
def test_of_what_an_application_raises_nothing_is_left(message: str, context: str) -> None:
    attached = [("DETAIL", "customer Sesame, card 90210"), ("HINT", "call sesame"), ("CONTEXT", context)]
    text = line("ERROR", message) + "".join(line(label, text) for label, text in attached)
    frame = redacted(parsed(text.encode()))
    assert frame.select("message", "detail", "hint", "context").row(0) == (None, None, None, None)
    assert frame["severity"].to_list() == ["ERROR"]


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("customer sesame@example.com does not exist", "? does not exist"),
        ("account 90210 does not exist", "? does not exist"),
        ('customer "sesame" does not exist', '? "?" does not exist'),
        ("card 90210 of Sesame out of range", "? of ? out of range"),
        ("permission denied for customer sesame with PIN 90210", "permission denied for ? with ?"),
        ("duration: sesame 90210", "duration: ?"),
        ("value too long for type sesame 90210", "value too long for type ?"),
        ("statement: sesame", "statement:"),
    ],
)
def test_of_messages_that_begin_like_a_server_s_only_the_server_s_words_are_left(message: str, left: str) -> None:
    text = line("ERROR", message) + line("DETAIL", "customer Sesame, card 90210") + line("HINT", "call sesame")
    frame = redacted(parsed(text.encode()))
    assert frame["message"].to_list() == [left]
    if "?" in left:
        assert frame.select("detail", "hint").row(0) == (None, None)


@pytest.mark.parametrize(
    "message",
    [
        'duplicate key value violates unique constraint "orders_pkey"',
        'update or delete on table "test" violates foreign key constraint "fk" on table "othertest"',
        "process 583 acquired AccessExclusiveLock on relation 185044 of database 16384 after 2175.443 ms",
        "process 663 still waiting for ShareLock on virtual transaction 2/7 after 1000.123 ms",
        "connection authorized: user=app database=shop",
        "connection received: host=172.30.0.165 port=56902",
        "unexpected EOF on client connection with an open transaction",
        'temporary file: path "base/pgsql_tmp/pgsql_tmp15967.0", size 200204288',
        (
            'automatic vacuum of table "a.b.c": index scans: 1\npages: 0 removed, 3 scanned (100.00% of total)\n'
            "avg read rate: 0.064 MB/s, avg write rate: 62.877 MB/s\nsystem usage: CPU: user: 0.01 s, elapsed: 2.08 s"
        ),
        (
            "checkpoint complete: wrote 3 buffers (0.0%); 0 WAL file(s) added, 0 removed, 0 recycled; write=0.302 s, "
            "sync=0.015 s, total=0.353 s; sync files=2, longest=0.015 s, average=0.008 s; distance=22 kB; "
            "lsn=1/D72C34D0, redo lsn=1/D72C3478"
        ),
    ],
)
def test_messages_of_the_server_stay(message: str) -> None:
    assert redacted(parsed(line("LOG", message).encode()))["message"].to_list() == [message]


def test_most_published_messages_keep_their_words() -> None:
    texts = [
        str(given["Content"]).rstrip("\n")
        for lines, _, _ in expected("pganalyze/expected/analyze_lines.json")
        for given in lines
        if str(given.get("LogLevel")).rpartition("_")[2] in {"ERROR", "LOG", "FATAL", "WARNING"}
    ]
    frame = redacted(parsed("".join(line("LOG", text) for text in texts).encode()))
    lost = frame.filter(pl.col("message_class").is_not_null() & pl.col("message").str.contains(r"\?"))
    assert lost.height < frame.height / 3


def test_names_and_measures_stay() -> None:
    text = line("LOG", "duration: 12.5 ms  statement: SELECT \"a\" FROM t1 WHERE b = 'x'")
    frame = redacted(parsed(text.encode()))
    assert frame.select("query", "duration_ms", "user_name", "message").rows() == [
        ('SELECT "a" FROM t1 WHERE b = ?', 12.5, "app", "duration: 12.5 ms  statement:"),
    ]
    error = redacted(parsed(line("ERROR", 'relation "orders" does not exist').encode()))
    assert error["message"].to_list() == ['relation "orders" does not exist']


def test_texts_of_what_was_not_parsed_are_withheld() -> None:
    left = _left(line("ERROR", "a", 1) + line("LOG", "b", 2) + line("STATEMENT", "SELECT 'sesame'", 1))
    assert "sesame" not in left
    assert "sesame" not in _left("so sesame it is\n")


def test_message_that_no_pattern_knows_is_withheld_and_its_place_stays() -> None:
    frame = redacted(parsed(line("ERROR", "customer sesame not found").encode()))
    assert frame.select("message", "severity", "user_name").row(0) == (None, "ERROR", "app")


def test_words_of_details_and_contexts_stay() -> None:
    text = line("ERROR", "duplicate key value violates unique constraint") + line(
        "DETAIL", "Key (name, lower(b))=(x, y) already exists."
    )
    assert redacted(parsed(text.encode()))["detail"].to_list() == ["Key (name, lower(b))=? already exists."]
    text = line("ERROR", "deadlock detected") + line(
        "DETAIL", "Process 1 waits for ShareLock on transaction 5.\nProcess 2 waits for X.\nProcess 1: UPDATE t"
    )
    assert redacted(parsed(text.encode()))["detail"].to_list() == [
        "Process 1 waits for ShareLock on transaction 5.\nProcess 2 waits for X.\nProcess 1: ?"
    ]


_STATEMENTS = [
    'SELECT * FROM t WHERE a = "sesame"',
    "SELECT 'a', \"b'\", 'sesame', \"c'\"",
    'CREATE USER x IDENTIFIED BY "sesame"',
    "CREATE USER x IDENTIFIED BY sesame",
    "INSERT INTO t VALUES ('C:\\', 'sesame')",
    'SELECT "it\\"sesame"',
    "SET PASSWORD FOR 'joe' = 'sesame'",
    "SET x = sesame",
    "SET @a=sesame",
    "SET @a := sesame, @b = sesame",
    "SET GLOBAL foo=sesame",
    "SET @@persist.foo = sesame",
    "SET/**/@a=sesame",
    "/*!50000 SET @a=sesame */",
    "-- x\nSET x = sesame",
    "SET x = 'O'B; sesame'",
    "SELECT /*M!100100 'sesame' */ 1",
    "INSERT INTO t VALUES ('O'Brien', 'sesame')",
    'SELECT "sesame',
]


def _slow(statement: str) -> str:
    header = "# User@Host: a[a] @ b [c]\n# Query_time: 1  Lock_time: 0.0 Rows_sent: 1  Rows_examined: 1"
    return f"# Time: 2026-01-01T00:00:00Z\n{header}\nSET timestamp=1767225600;\n{statement};\n"


def _audit(statement: str) -> str:
    quoted = statement.replace("\\", "\\\\").replace("'", "\\'")
    return f"1767261600000000,h,u,c,1,2,QUERY,db,'{quoted}',0\n"


@pytest.mark.parametrize("statement", _STATEMENTS)
def test_values_of_statements_of_mysql_do_not_leave(statement: str) -> None:
    assert "sesame" not in _left(_slow(statement), LogType.MYSQL_SLOW)
    assert "sesame" not in _left(_audit(statement), LogType.MYSQL_AUDIT)
    assert "sesame" not in _left(f"2026-01-01T00:00:00.0Z\t   12 Query\t{statement}\n", LogType.MYSQL_GENERAL)


def test_record_that_begins_within_a_string_is_withheld() -> None:
    rest = "line two of a text: sesame', 2);\n"
    assert "sesame" not in _left(rest + _slow("SELECT 1"), LogType.MYSQL_SLOW)
    assert "sesame" not in _left(f"{rest}2026-01-01T00:00:00.0Z\t   12 Query\tSELECT 1\n", LogType.MYSQL_GENERAL)
    assert "sesame" not in _left(f"\t{rest}" + line("LOG", "division by zero"))


def test_keys_that_a_statement_forges_have_no_values() -> None:
    text = _slow("SELECT 1").replace("Rows_sent", "Foo: sesame  QC_hit: No  Killed: 0  Rows_sent")
    frame = redacted(parse(segment_of(text.encode(), LogType.MYSQL_SLOW), text.encode()))
    assert frame["attributes"].to_list() == [
        [{"key": "Foo", "value": "?"}, {"key": "QC_hit", "value": "No"}, {"key": "Killed", "value": "0"}]
    ]


@pytest.mark.parametrize(
    "message",
    [
        'Unsafe statement written to the binary log. Statement: INSERT INTO t VALUES ("sesame")',
        "Error 'Incorrect integer value: 'sesame' for column 'a' at row 1' on query. Query: 'INSERT INTO t'",
        "Truncated incorrect DOUBLE value: 'sesame'",
        "Query 'SELECT \"sesame\"' killed",
        "Can't read 'sesame",
        "A temporary password is generated for root@localhost: sesame",
        "InnoDB: transactions deadlock detected, dumping detailed information.\n 0: len 6; hex 736573; asc sesame;;",
    ],
)
def test_values_in_errors_of_mysql_do_not_leave(message: str) -> None:
    text = f"2026-01-01T00:00:00.0Z 0 [Warning] [MY-010055] [Server] {message}\n"
    assert "sesame" not in _left(text, LogType.MYSQL_ERROR)


@pytest.mark.parametrize(
    ("log_type", "message"),
    [
        (LogType.SQLSERVER_ERROR, "Server=x;Password=sesame;Database=y"),
        (LogType.SQLSERVER_ERROR, "Cannot insert a duplicate key. The duplicate key value is (sesame, 90210)."),
        (LogType.SQLSERVER_ERROR, "Conversion failed when converting the varchar value 'sesame' to data type int."),
        (LogType.SQLSERVER_ERROR, "inputbuf: INSERT t VALUES (sesame)"),
        (LogType.ORACLE_ALERT, "ORA-00001: unique constraint (S.U) violated on columns (A) values ('sesame')"),
        (LogType.ORACLE_ALERT, "CREATE USER x IDENTIFIED BY sesame"),
        (LogType.ORACLE_ALERT, "ORA-01555 caused by SQL statement below (SQL ID: x):\nSELECT sesame"),
    ],
)
def test_values_in_messages_of_other_engines_do_not_leave(log_type: LogType, message: str) -> None:
    time = "2026-01-01 00:00:00.00 spid52      " if log_type is LogType.SQLSERVER_ERROR else "2026-01-01T00:00:00Z\n"
    text = f"{time}{message}\n"
    assert parse(segment_of(text.encode(), log_type), text.encode()).height == 1
    assert "sesame" not in _left(text, log_type)


def test_words_of_messages_of_other_engines_stay() -> None:
    text = (
        "2026-01-01T00:00:00.0Z 0 [ERROR] [MY-012592] [InnoDB] Operating system error number 28 in a file operation.\n"
    )
    frame = redacted(parse(segment_of(text.encode(), LogType.MYSQL_ERROR), text.encode()))
    assert frame["message"].to_list() == ["Operating system error number 28 in a file operation."]


@pytest.mark.parametrize("log_type", list(LogType))
def test_columns_and_types_stay(log_type: LogType) -> None:
    data = b"2026-01-01 00:00:00 some line\n"
    frame = parse(segment_of(data, log_type), data)
    assert redacted(frame).schema == frame.schema
    assert_frame_equal(redacted(frame.clear()), frame.clear())
