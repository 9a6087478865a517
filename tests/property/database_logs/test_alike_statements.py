"""Statements are made alike before they are tokenized only as far as nobody can tell."""

from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from database_logs import fingerprints, statements
from database_logs.fingerprints import Dialect, fingerprint
from database_logs.statements import redact
from tests.support.effort import examples

_SQL = st.lists(
    st.sampled_from(
        [
            *("SELECT ", "a", "t1", "1", "10.5", ".5", "5.", "1e5", "1E-5", "0x1F", "1_000", "'x'", "'it''s'", "'1 2'"),
            *(
                "''",
                "E'a\\'b'",
                "x'0f'",
                "$1",
                "$$",
                "$t$",
                '"A"',
                '"a 1"',
                '"a1"',
                "--",
                "/*",
                "*/",
                "\n",
                " ",
                "(",
                ")",
            ),
            *(
                ",",
                "::",
                "numeric(10,2)",
                "-",
                "+",
                ".",
                "IN (1, 2)",
                "NULL",
                "LIMIT ",
                "VALUES (1,'a')",
                "'",
                '"',
                "\\",
            ),
            *(
                "\\",
                "interval '5 minutes'",
                "é5",
                "_",
                "=",
                "#",
                "@",
                "?",
                ";",
                "\t",
                "LIKE '%5%'",
                " b ",
                "B'01'",
                'N"x"',
                "`a1`",
            ),
            *("`a 1`", "`", "\0", "administrator command: Quit 5", "use ", "call p(", " order by 1 asc", "_utf8'x'"),
        ]
    ),
    max_size=9,
).map("".join)


@pytest.mark.parametrize("function", [fingerprint, redact])
@pytest.mark.parametrize("dialect", ["mysql", "postgres"])
@settings(max_examples=examples(100), deadline=None)
@given(texts=st.lists(_SQL, min_size=1, max_size=12))
def test_what_is_made_alike_gives_the_same(
    function: Callable[[pl.Series, Dialect], pl.Series], dialect: Dialect, texts: list[str]
) -> None:
    given_texts = pl.Series(texts)
    found = function(given_texts, dialect).to_list()
    with pytest.MonkeyPatch.context() as patch:
        for module in (fingerprints, statements):
            patch.setattr(module, "alike", lambda texts, _: texts)
        assert found == function(given_texts, dialect).to_list()
