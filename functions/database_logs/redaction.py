"""What leaves for search, without literals and secrets.

Names stay: who did what to which table, and how long it took. Values go: what statements compare and store, what
errors quote of rows, what plans filter by. The lake keeps all of it; a search result names the record (`event_id`).
"""

from collections.abc import Callable
from typing import Final

import polars as pl

from database_logs.fingerprints import Dialect, redact
from database_logs.log_types import LogType

_POSTGRES: Final = (LogType.POSTGRES_STDERR, LogType.POSTGRES_CSV, LogType.POSTGRES_JSON)
# Bytes and parameters are nothing but values.
_WITHHELD: Final = ("raw", "raw_bytes", "parameters")
_STATEMENTS: Final = ("query", "internal_query", "argument")
_TEXTS: Final = ("message", "detail", "hint", "context")
# Statements within double quotes, as in plans and contexts, would be names to a tokenizer: the quotes are put aside.
_QUOTE: Final = "\x03"
# What PostgreSQL's messages quote of rows and statements (.po files of its server), and what is left of it.
_VALUES: Final = (
    (r"(?s)\b(Key \(.*?\))=\(.*\)", "$1=(?)"),
    (r"(?s)([Ff]ailing row contains) \(.*\)", "$1 (?)"),
    (r"(?s)\b(COPY [^\n,]*, line [0-9]+(?:, column [^:\n]*)?|JSON data, line [0-9]+): .*", "$1: ?"),
    (r"(?s)\b(value|at or near|literal|[Aa]rgument|[Tt]oken|sequence) \".*?\"($|[ .,:;)])", '$1 "?"$2'),
    (r'(invalid value "\?" for) ".*"', '$1 "?"'),
    (r'^".*?"( is out of range)', '"?"$1'),
    (r"(?s)(: )(?:\".*\"|0x[0-9a-f]{2}.*)( of |$|\n)", '$1"?"$2'),
    (r"(?s)'.*'", "'?'"),
)
# Where such a text holds a statement: a deadlock's, that of a PL/pgSQL function, one that a server warns of.
_QUOTES_STATEMENT: Final = (
    r"(?i)(?:^|\n)Process [0-9]+: |SQL (?:statement|expression) \"|\b(?:statement|query): |Duplicate entry '|^AUDIT: "
    r"|PASSWORD|IDENTIFIED BY"
)
_SECRETS: Final = (
    (
        r"(?i)(\b[a-z_]*(?:password|passwd|pwd|secret|token|api_?key)[a-z_]*\"?\s*=\s*)(?:'[^']*'?|\"[^\"]*\"?|[^\s,;&)]+)",
        "${1}?",
    ),
    (r"(?i)(\"[a-z_]*(?:password|passwd|secret|token|api_?key)\"\s*:\s*)\"(?:[^\"\\]|\\.)*\"?", '${1}"?"'),
    (r"(://[^\s:/@]*:)[^\s@]+@", "${1}?@"),
)


def redacted(frame: pl.DataFrame) -> pl.DataFrame:
    """Return records of one log type, of any grammar, as search may have them: the same columns and types.

    `raw`, `raw_bytes` and `parameters` are null. Statements have `?` for numbers and strings, plans as well.
    Messages lose what they quote of rows, passwords and statements. A record that was not parsed is treated as one
    statement from end to end.
    """
    if frame.is_empty():
        return frame
    log_type = LogType(frame["log_type"][0])
    postgres = log_type in _POSTGRES
    dialect: Dialect = "postgres" if postgres else "mysql"
    columns = {name: pl.lit(None, frame.schema[name]).alias(name) for name in _WITHHELD if name in frame.columns}
    new = frame.with_columns(**columns)

    def replaced(name: str, rewrite: Callable[[pl.Series], pl.Series]) -> None:
        nonlocal new
        if name in new.columns and new[name].count():
            new = new.with_columns(rewrite(new[name]).alias(name))

    for name in _STATEMENTS:
        replaced(name, lambda texts: _without_secrets(redact(texts, dialect)))
    if log_type is LogType.MYSQL_AUDIT:
        statements = frame["operation"].str.starts_with("QUERY").fill_null(value=True)
        replaced("object", lambda texts: _where(statements, _statement(texts, dialect), texts))
    replaced("plan", lambda texts: _statement(texts, dialect))
    whole = (frame["parse_status"] != "ok").fill_null(value=True)
    for name in _TEXTS:
        replaced(name, lambda texts: _message(texts, whole, dialect, postgres=postgres))
    return new


def _message(texts: pl.Series, whole: pl.Series, dialect: Dialect, *, postgres: bool) -> pl.Series:
    quoting = whole | texts.str.contains(_QUOTES_STATEMENT)
    kept = texts
    for pattern, left in _VALUES if postgres else ():
        kept = kept.str.replace_all(pattern, left)
    return _where(quoting, _statement(texts.set(~quoting.fill_null(value=True), None), dialect), _without_secrets(kept))


def _statement(texts: pl.Series, dialect: Dialect) -> pl.Series:
    """Return texts without numbers and strings, also within double quotes."""
    open_texts = texts.str.replace_all('"', _QUOTE, literal=True)
    return _without_secrets(redact(open_texts, dialect).str.replace_all(_QUOTE, '"', literal=True))


def _without_secrets(texts: pl.Series) -> pl.Series:
    for pattern, left in _SECRETS:
        texts = texts.str.replace_all(pattern, left)
    return texts


def _where(chosen: pl.Series, yes: pl.Series, no: pl.Series) -> pl.Series:
    return pl.select(pl.when(chosen).then(yes).otherwise(no)).to_series()
