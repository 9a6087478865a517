"""What leaves for search, without literals and secrets (docs/database_logs.md, "What leaves for search").

Names stay: who did what to which table, and how long it took. Values go: what statements compare and store, what
errors quote of rows, what plans filter by. A text whose kind is not known does not leave at all, as nobody can tell
its values from its words. The lake keeps all of it; a search result names the record (`event_id`).
"""

from collections.abc import Callable
from typing import Final

import polars as pl

from database_logs.fingerprints import Dialect, is_doubtful, redact
from database_logs.log_types import LogType

_POSTGRES: Final = (LogType.POSTGRES_STDERR, LogType.POSTGRES_CSV, LogType.POSTGRES_JSON)
# Bytes and parameters are nothing but values.
_WITHHELD: Final = ("raw", "raw_bytes", "parameters")
_STATEMENTS: Final = ("query", "internal_query", "argument")
_ATTACHED: Final = ("detail", "hint", "context")

# Rules of a text: what is found, and what is left of it.
_Rules = tuple[tuple[str, str], ...]
# From the first quote to the last: a value may hold quotes. An apostrophe in a word (can't) opens nothing.
_QUOTED: Final[_Rules] = (
    (r"(?s)(^|[^A-Za-z])'(?:.*'|[^']*$)", "$1'?'"),
    (r'(?s)".*"|"[^"]*$', '"?"'),
)
# What PostgreSQL's messages quote of values (.po files of its server); other double quotes hold names.
_POSTGRES_MESSAGE: Final[_Rules] = (
    # Where the statement could not be told from what follows it: seven fields come before it.
    (r"(?s)^(AUDIT: (?:[^,]*,){7}).+", "$1?"),
    (r"(?s)\b(value|at or near|literal|[Aa]rgument|[Tt]oken|sequence) \".*?\"($|[ .,:;)])", '$1 "?"$2'),
    (r'(invalid value "\?" for) ".*"', '$1 "?"'),
    (r'^".*?"( is out of range)', '"?"$1'),
    (r"(?s)(: )(?:\".*\"|0x[0-9a-f]{2}.*)( of |$|\n)", '$1"?"$2'),
    (r"(?s)'.*'", "'?'"),
)
# Of a detail, hint or context: no text in quotes or parentheses but the columns of a key. Statements that a deadlock's
# processes run may have any lines, and a document that is no XML is quoted from its second line on.
_POSTGRES_ATTACHED: Final[_Rules] = (
    (r"(?s)^(Key \(.*?\))=\(.*\)", "$1=?"),
    (r"(?s)(^|\n)(Process [0-9]+: ).*", "${1}${2}?"),
    (r"(?s)\b(COPY [^\n,]*, line [0-9]+(?:, column [^:\n]*)?|JSON data, line [0-9]+): .*", "$1: ?"),
    (r"(?s)\b(SQL (?:statement|expression)) \".*\"", '$1 "?"'),
    *_QUOTED,
    (r"(?s)([^y]|[^e]y) \(.*\)", "$1 (?)"),
    (r"(\n(?:Process [0-9]+(?: waits for |: \?)|PL/|SQL |COPY |while |parallel )[^\n]*)|\n[^\n]*", "$1"),
)
# MySQL, MariaDB, SQL Server and Oracle: what follows a first line are dumps and statements.
_OTHER_MESSAGE: Final[_Rules] = (
    (r"(?s)\n.*", ""),
    (r"(?i)\b(statement|query|inputbuf|sql): .*", "$1: ?"),
    *_QUOTED,
    (r"(?i)\b(values?)((?: is|:)? ?)\(.*\)", "$1$2(?)"),
    (r"\b(hex|asc) .*", "$1 ?"),
    (r"(?i)(\bpassword\b[^:=]*[:=] ?)\S+", "${1}?"),
)
# Words of statements that are values although they stand in no quotes; no name of PostgreSQL begins with a digit.
_BARE_PASSWORD: Final = (
    r"(?i)(\b(?:password|identified (?:with [^\s]+ )?by)\s+)(?:\"[^\"]*\"?|[^\s?;'\"]+)",
    "${1}?",
)
_BARE_SETTING: Final = (r"(?is)^(\s*set\s+(?:(?:session|local)\s+)?[\w.]+\s*(?:=|\bto\b)\s*).*", "${1}?")
_BARE_VALUES: Final[dict[Dialect, _Rules]] = {
    "mysql": (_BARE_PASSWORD, _BARE_SETTING),
    "postgres": (_BARE_PASSWORD, _BARE_SETTING, (r"(^|[^\w$.])[0-9]\w*", "$1?")),
}
_SECRETS: Final[_Rules] = (
    (
        r"(?i)(\b[a-z_]*(?:password|passwd|pwd|secret|token|api_?key)[a-z_]*\"?\s*=\s*)(?:'[^']*'?|\"[^\"]*\"?|[^\s,;&)]+)",
        "${1}?",
    ),
    (r"(?i)(\"[a-z_]*(?:password|passwd|secret|token|api_?key)\"\s*:\s*)\"(?:[^\"\\]|\\.)*\"?", '${1}"?"'),
    (r"(://[^\s:/@]*:)[^\s@]+@", "${1}?@"),
)
_MEASURE: Final = r"^(?i:[0-9.:]+|yes|no)$"


def redacted(frame: pl.DataFrame) -> pl.DataFrame:
    """Return records of one log type, of any grammar, as search may have them: the same columns and types.

    `raw`, `raw_bytes` and `parameters` are null, and so are all texts of a record that was not parsed. Statements have
    `?` for numbers and strings, plans as well. Messages lose what they quote; one of PostgreSQL without a
    `message_class` is null, as it may be an application's own.
    """
    if frame.is_empty():
        return frame
    log_type = LogType(frame["log_type"][0])
    dialect: Dialect = "postgres" if log_type in _POSTGRES else "mysql"
    parsed = (frame["parse_status"] == "ok").fill_null(value=False)
    new = frame.with_columns(
        pl.lit(None, frame.schema[name]).alias(name) for name in _WITHHELD if name in frame.columns
    )

    def replaced(name: str, known: pl.Series, rewrite: Callable[[pl.Series], pl.Series]) -> None:
        nonlocal new
        if name in new.columns and new[name].count():
            kept = pl.select(pl.when(known).then(new[name])).to_series().alias(name)
            new = new.with_columns(rewrite(kept).alias(name))

    if "fingerprint" in frame.columns:
        certain = parsed & ~is_doubtful(frame["query"]).fill_null(value=True)
        replaced("fingerprint", certain, lambda texts: _ruled(texts, *_BARE_VALUES[dialect], *_SECRETS))
    for name in _STATEMENTS:
        replaced(name, parsed, lambda texts: _statement(texts, dialect))
    if log_type is LogType.MYSQL_AUDIT:
        statements = frame["operation"].str.starts_with("QUERY").fill_null(value=True)
        replaced("object", parsed, lambda texts: texts.zip_with(~statements, _statement(texts, dialect)))
    if dialect == "postgres":
        replaced("plan", parsed, lambda texts: _plan(texts, frame["plan_format"]))
        classed = parsed & frame["message_class"].is_not_null()
        replaced("message", classed, lambda texts: _ruled(texts, *_POSTGRES_MESSAGE, *_SECRETS))
        for name in _ATTACHED:
            replaced(name, classed, lambda texts: _ruled(texts, *_POSTGRES_ATTACHED, *_SECRETS))
    else:
        replaced("message", parsed, lambda texts: _ruled(texts, *_OTHER_MESSAGE, _BARE_PASSWORD, *_SECRETS))
    replaced("attributes", parsed, _measures)
    return new


def _statement(texts: pl.Series, dialect: Dialect) -> pl.Series:
    return _ruled(redact(texts, dialect), *_BARE_VALUES[dialect], *_SECRETS)


def _plan(texts: pl.Series, formats: pl.Series) -> pl.Series:
    """Return plans without numbers and strings.

    In JSON and YAML what a plan says of a statement is within quotes, which a tokenizer would take for those of a name:
    they are put aside, and the escaped ones, which are a name's, are shown to it.
    """
    quote, own, backslash = '"', "\x03", "\x04"
    aside = ((r"\\\\", backslash), (quote, own), (rf"\\{own}", quote))
    back = ((quote, r"\""), (own, quote), (backslash, r"\\"))
    structured = formats.is_in(["json", "yaml"]).fill_null(value=False)
    shown = _ruled(texts, *aside).zip_with(structured, texts.str.replace_all("&quot;", quote, literal=True))
    hidden = redact(shown, "postgres")
    return _ruled(_ruled(hidden, *back).zip_with(structured, hidden), *_SECRETS)


def _measures(attributes: pl.Series) -> pl.Series:
    """Return attributes of a slow log whose values are numbers, times or yes and no; `?` for any other value."""
    value = pl.element().struct.field("value")
    kept = pl.when(value.str.contains(_MEASURE)).then(value).otherwise(pl.lit("?"))
    return attributes.list.eval(pl.struct(pl.element().struct.field("key"), kept.alias("value")))


def _ruled(texts: pl.Series, *rules: tuple[str, str]) -> pl.Series:
    for pattern, left in rules:
        texts = texts.str.replace_all(pattern, left)
    return texts
