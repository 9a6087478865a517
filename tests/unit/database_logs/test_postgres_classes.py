"""Classes of PostgreSQL's messages."""

import polars as pl

from database_logs.parsing.postgres_classes import classes
from tests.support.rds_samples import expected

_ATTACHED = ("DETAIL", "HINT", "CONTEXT", "STATEMENT", "QUERY", "LOCATION", "BACKTRACE")


def _golden() -> list[tuple[str, str]]:
    return [
        (given["Content"], wanted["Classification"].rpartition("LogLineInformation_")[2].lower())
        for lines, results, _ in expected("pganalyze/expected/analyze_lines.json")
        for given, wanted in zip(lines, results, strict=True)
        if str(given.get("LogLevel")).rpartition("_")[2] not in _ATTACHED
    ]


def test_every_published_message_has_its_published_class() -> None:
    cases = _golden()
    assert len(cases) == 256
    found = classes(pl.Series([text for text, _ in cases]))
    assert [(text, name) for (text, _), name in zip(cases, found, strict=True)] == cases


def test_unknown_message_has_no_class() -> None:
    assert classes(pl.Series(["the cat sat on 5 mats", None, ""])).to_list() == [None, None, None]


def test_further_lines_do_not_decide() -> None:
    assert classes(pl.Series(["a note:\ndeadlock detected"])).to_list() == [None]
