import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from database_logs.fingerprints import Dialect, fingerprint
from database_logs.statements import redact

_SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_DIALECTS = st.sampled_from(["mysql", "postgres"])
_PIECES = st.sampled_from(
    [
        *"'\"`\\/*-+#$().,;: \n\t\0\1\2a5éx",
        *["''", "--", "/*", "*/", "/*!", "$$", "$a$", "$1", "::int(5)", "E'", "0x1f", "1.5e3"],
        "-- ",
    ]
) | st.sampled_from(
    [" in (", " values (", "select ", "null", " order by a asc", "on duplicate key update ", "call f(", "use "]
)
_TEXTS = st.lists(_PIECES, max_size=25).map("".join)
_SPACED_TEXTS = st.lists(_PIECES, max_size=25).map(" ".join)
_SECRETS = st.text("abcXYZ()-/*# \n;é", min_size=1, max_size=15)


@_SETTINGS
@given(texts=st.lists(_TEXTS, max_size=6), dialect=_DIALECTS)
def test_no_text_depends_on_those_beside_it(texts: list[str], dialect: Dialect) -> None:
    together = pl.Series(texts, dtype=pl.String())
    for function in (fingerprint, redact):
        assert function(together, dialect).to_list() == [function(pl.Series([text]), dialect)[0] for text in texts]


@_SETTINGS
@given(first=_SECRETS, second=_SECRETS, dialect=_DIALECTS)
def test_statements_that_differ_in_values_have_one_fingerprint(first: str, second: str, dialect: Dialect) -> None:
    statement = "SELECT a, '{}' FROM t WHERE b = '{}' AND c IN ('{}', 5) ORDER BY d"
    texts = pl.Series([statement.format(value, value[::-1], value * 2) for value in (first, second)])
    assert fingerprint(texts, dialect).to_list() == ["select a, ? from t where b = ? and c in(?+) order by d"] * 2


@_SETTINGS
@given(text=_TEXTS, dialect=_DIALECTS)
def test_fingerprints_have_single_blanks_and_no_upper_case(text: str, dialect: Dialect) -> None:
    found = fingerprint(pl.Series([text]), dialect)[0]
    assert found == found.strip(" ").lower()
    assert not set("\n\t\r\0\1\2") & set(found)
    assert "  " not in found


@_SETTINGS
@given(text=_SPACED_TEXTS, dialect=_DIALECTS)
def test_redacting_twice_is_redacting_once(text: str, dialect: Dialect) -> None:
    once = redact(pl.Series([text]), dialect)
    assert redact(once, dialect).to_list() == once.to_list()
