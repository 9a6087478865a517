import polars as pl
import pytest

from database_logs.fingerprints import Dialect, fingerprint, fingerprint_ids
from tests.support.rds_samples import expected


def _fingerprint(text: str, dialect: Dialect = "mysql") -> str:
    result = fingerprint(pl.Series([text]), dialect)[0]
    assert isinstance(result, str)
    return result


@pytest.mark.parametrize("digits_in_words", [False, True])
def test_fingerprints_are_those_of_percona(*, digits_in_words: bool) -> None:
    pairs = [
        pair
        for pair in expected("go-mysql/expected/fingerprints.json")
        if pair.get("replace_numbers_in_words", False) is digits_in_words
    ]
    found = fingerprint(pl.Series([pair["query"] for pair in pairs]), digits_in_words=digits_in_words)
    assert len(pairs) == (5 if digits_in_words else 82)
    assert found.to_list() == [pair["expected"] for pair in pairs]


def test_ids_are_those_of_percona() -> None:
    pairs = expected("go-mysql/expected/query_ids.json")
    ids = fingerprint_ids(pl.Series([pair["fingerprint"] for pair in pairs]))
    assert ids.to_list() == [pair["id"] for pair in pairs]


@pytest.mark.parametrize(
    ("text", "fingerprinted"),
    [
        ("SELECT 'it''s', 'a\\'b', \"x\"\"y\" FROM t", "select ?, ?, ? from t"),
        ("SELECT a-5, a - 5, -5, a -5 FROM t", "select a-?, a - ?, ?, a ? from t"),
        ("SELECT X'0f', N'a', 0xFF, 1e-9, .5, 5., 1.5E+3", "select ?, ?, ?, ?, ?, ?, ?"),
        ("SELECT /*!50000 a */, /*M!100100 b */", "select /*!50000 a */, /*m!100100 b */"),
        ("SELECT a/* x */b/**/,c # d\n, e -- f\n FROM t", "select a b,c , e from t"),
        ("SELECT 5--1", "select ?--?"),
        ("SELECT a IS NULL AND b IS NOT NULL AND c = NULL", "select a is null and b is not null and c = ?"),
        ("SELECT `a 'b` FROM t WHERE c='`'", "select `a 'b` from t where c=?"),
        ("INSERT INTO t VALUES (1, f(2, (3)), 'a)'), (4, 5, 6);", "insert into t values(?+);"),
        ("SELECT 1 FROM t WHERE a IN ((1, 2), (3, 4)) AND b IN ()", "select ? from t where a in(?+) and b in()"),
        ("SELECT a FROM t WHERE b IN ( SELECT c FROM d WHERE e IN ( SELECT f ) AND g IN (1) )",
         "select a from t where b in(select c from d where e in(select f) and g in(?+))"),
        ("CREATE INDEX i ON t (a ASC)", "create index i on t (a asc)"),
        ("SELECT 'a\nb' ORDER BY 1 ASC, b asc LIMIT 5", "select ? order by ?, b limit ?"),
        ("SELECT 'never closed", "select ?"),
        ("SELECT 'ends in \\", "select ?"),
        ("SELECT a /* never closed", "select a"),
        ("", ""),
    ],
)  # fmt: skip
def test_mysql_statements(text: str, fingerprinted: str) -> None:
    assert _fingerprint(text) == fingerprinted


@pytest.mark.parametrize(
    ("text", "fingerprinted"),
    [
        ("SELECT $1, $2::int FROM t", "select ?, ?::int from t"),
        ("SELECT '5'::numeric(10, 2), 5::text", "select ?::numeric(10, 2), ?::text"),
        ("SELECT $$it's 5$$, $fn$ $$ 'x' $fn$, $Tag$a$tag$b$Tag$ FROM t", "select ?, ?, ? from t"),
        ("SELECT E'a\\'b', 'a\\', e'c'", "select ?, ?, ?"),
        ('SELECT "T1"."a 5" FROM "T1" WHERE b = \'"\'', 'select "t1"."a 5" from "t1" where b = ?'),
        ("SELECT a /* b /* c */ d */ FROM t --e\nWHERE f = 1", "select a from t where f = ?"),
        ("SELECT a #> '{b,c}' FROM t WHERE d = 1_000", "select a #> ? from t where d = ?"),
        ("SELECT a$1 FROM t", "select a$1 from t"),
    ],
)
def test_postgres_statements(text: str, fingerprinted: str) -> None:
    assert _fingerprint(text, "postgres") == fingerprinted


def test_missing_texts_stay_missing_under_their_name() -> None:
    texts = pl.Series("query", [None, "SELECT 1", None, "select 1"])
    fingerprints = fingerprint(texts)
    assert fingerprints.to_list() == [None, "select ?", None, "select ?"]
    assert fingerprints.name == "query"
    assert fingerprint_ids(fingerprints).null_count() == 2


def test_commands_of_administrators_stay() -> None:
    assert _fingerprint("administrator command: Init DB") == "administrator command: Init DB"


def test_many_batches_are_as_one() -> None:
    texts = pl.Series([f"DROP '{'x' * 100_000}' t{number}" for number in range(100)])
    assert fingerprint(texts).to_list() == [f"drop ? t{number}" for number in range(100)]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("dialect", ["mysql", "postgres"])
@pytest.mark.parametrize(
    "piece", [" a asc,", "/*", "in (", "in ((", " values (1, ", "$a$", "'a\\", "--", "1.", "( select "]
)
def test_no_text_takes_more_time_than_its_length(piece: str, dialect: Dialect) -> None:
    text = "select a in (" + piece * 150_000
    assert _fingerprint(text, dialect).startswith("select a")
