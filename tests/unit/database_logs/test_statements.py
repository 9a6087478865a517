import polars as pl
import pytest

from database_logs.fingerprints import Dialect
from database_logs.statements import is_doubtful, redact


def _redacted(text: str, dialect: Dialect = "mysql") -> str:
    result = redact(pl.Series([text]), dialect)[0]
    assert isinstance(result, str)
    return result


def test_redacted_statements_keep_all_but_values() -> None:
    text = "SELECT  `a1`, X'0f' -- it's\n, 'p''w' /* 'x' */ FROM t_5  WHERE b IN (1, -2.5) AND c IS NULL"
    assert _redacted(text) == "SELECT  `a1`, ? -- it's\n, ? /* 'x' */ FROM t_5  WHERE b IN (?, ?) AND c IS NULL"
    assert _redacted('SELECT $1, $$p$$, "P" FROM t', "postgres") == 'SELECT ?, ?, "P" FROM t'  # fmt: skip


@pytest.mark.parametrize("dialect", ["mysql", "postgres"])
@pytest.mark.parametrize("values", [r"'C:\', 'sesame'", r"'it\'s sesame'", r"'it\\\'s sesame', 'x'", r"\'sesame"])
def test_what_a_session_decides_to_be_text_is_left_out(values: str, dialect: Dialect) -> None:
    found = _redacted(f"CALL p(1, {values})", dialect)
    assert found.startswith("CALL p(?")
    assert found.endswith("…")
    assert "sesame" not in found


def test_backslash_that_is_escaped_itself_leaves_no_doubt() -> None:
    assert _redacted(r"SELECT 'C:\\', 5 FROM t") == "SELECT ?, ? FROM t"


def test_a_cut_string_is_redacted() -> None:
    assert _redacted("ALTER USER a IDENTIFIED BY 'secr") == "ALTER USER a IDENTIFIED BY ?…"
    assert _redacted("SELECT $x$secr", "postgres") == "SELECT ?…"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("INSERT INTO t VALUES (1, 'O'Brien', 'sesame')", "INSERT INTO t VALUES (?…"),
        ("SELECT * FROM t WHERE n = 'it's sesame'", "SELECT * FROM t WHERE n = ?…"),
        ("VALUES (' a ' b ', ' sesame ')", "VALUES (?…"),
        ("VALUES (1, ' a ' b ', ' sesame ' c ')", "VALUES (?…"),
        ("VALUES ('a', 5' , ' sesame ')", "VALUES (?…"),
        ("SELECT a FROM t WHERE b = 'x' AND c = 'cut", "SELECT a FROM t WHERE b = ?…"),
        ("SELECT 'a''sesame''b', 'it''", "SELECT ?…"),
        ("SELECT 'x' = date'2026-01-01', n'a'", "SELECT ? = date?, ?"),
        ("SELECT 'a' AS b, 'c' LIKE 'd' AND 'e' IN ('f')", "SELECT ? AS b, ? LIKE ? AND ? IN (?)"),
        ("CREATE USER 'a'@'b' IDENTIFIED BY 'c'", "CREATE USER ?@? IDENTIFIED BY ?"),
    ],
)
@pytest.mark.parametrize("dialect", ["mysql", "postgres"])
def test_statement_ends_where_quotes_are_in_doubt(text: str, redacted: str, dialect: Dialect) -> None:
    assert _redacted(text, dialect) == redacted
    assert is_doubtful(pl.Series([redacted]))[0] is redacted.endswith("…")


@pytest.mark.parametrize("dialect", ["mysql", "postgres"])
@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO t (a, b) VALUES ('sesame', 5, 'x sesame y'), ('z', 6, 'sesame')",
        "INSERT INTO t VALUES (7, 'this and sesame of all', 'sesame, or')",
        "SELECT a, b FROM t WHERE c = 'sesame' AND d LIKE 'sesame%' OR e IN ('q', 'sesame')",
        "UPDATE t SET a = 'sesame one', b = 'sesame' WHERE c = 'it''s sesame' LIMIT 5",
    ],
)
def test_one_quote_too_many_lets_no_value_leave_wherever_it_stands(text: str, dialect: Dialect) -> None:
    quotes = ["'", " '", "' ", " ' ", "' ,", "\\'", "''"]
    torn = pl.Series([text[:at] + quote + text[at:] for at in range(len(text) + 1) for quote in quotes])
    found = redact(torn, dialect)
    assert found.filter(found.str.contains("sesame")).to_list() == []


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ('SELECT "a FROM "b" WHERE c = \'sesame\'', "SELECT ?…"),
        ('SELECT "a", "b FROM t WHERE c = \'sesame\'', "SELECT ?…"),
        ('SELECT "a", " = \'sesame\', " FROM t', "SELECT ?…"),
        ("SELECT E'it\\'s sesame', 'x'", "SELECT ?, ?"),
        ("SELECT $$a$$, $x$it's$x$", "SELECT ?, ?"),
        ("SELECT 'a', $x$sesame", "SELECT ?…"),
    ],
)
def test_names_and_dollars_of_postgres_leave_doubts_too(text: str, redacted: str) -> None:
    assert _redacted(text, "postgres") == redacted


def test_executable_comments_are_code() -> None:
    assert (
        _redacted("SELECT /*M!100100 'a', 5 */ /*!50000 'b' */ /* 'c' */")
        == "SELECT /*M!100100 ?, ? */ /*!50000 ? */ /* 'c' */"
    )


def test_missing_texts_stay_missing() -> None:
    found = redact(pl.Series("query", [None, "SELECT 1", None, "select 1"]))
    assert (found.name, found.to_list()) == ("query", [None, "SELECT ?", None, "select ?"])


@pytest.mark.timeout(30)
@pytest.mark.parametrize("dialect", ["mysql", "postgres"])
@pytest.mark.parametrize(
    "piece",
    [
        " a asc,",
        "/*",
        "in (",
        "in ((",
        " values (1, ",
        "$a$",
        "'a\\",
        "--",
        "1.",
        "( select ",
        "'a' b ",
        "'a' and ",
        "'' ",
        '"a" ',
    ],
)
def test_no_text_takes_more_time_than_its_length(piece: str, dialect: Dialect) -> None:
    assert _redacted("select a in (" + piece * 50_000, dialect).startswith("select a")
