"""What leaves for search, without literals and secrets (docs/database_logs.md, "What leaves for search").

Names stay: who did what to which table, and how long it took. Values go: what statements compare and store, what
errors quote of rows, what plans filter by. A text whose kind is not known does not leave at all, as nobody can tell
its values from its words. The lake keeps all of it; a search result names the record (`event_id`).
"""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import polars as pl

from database_logs.distinct import mapped
from database_logs.fingerprints import Dialect, fingerprint
from database_logs.log_types import LogType
from database_logs.postgres_words import known_words
from database_logs.statements import is_doubtful, redact

_POSTGRES: Final = (LogType.POSTGRES_STDERR, LogType.POSTGRES_CSV, LogType.POSTGRES_JSON)
# Bytes and parameters are nothing but values.
_WITHHELD: Final = ("raw", "raw_bytes", "parameters")
_STATEMENTS: Final = ("internal_query", "argument", "plan_node")
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
    (r"(?s)(: )(?:\".*\"|0x[0-9a-f]{2}.*)( of | at character |$|\n)", '$1"?"$2'),
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
# SET where a statement begins, also behind or within comments, or in ALTER ROLE and its like.
_BARE_SETTING: Final = (
    (
        r"(?is)((?:^|;)(?:\s|/\*.*?\*/|/\*M?![0-9]*|--[^\n]*\n|#[^\n]*\n)*"
        r"(?:(?:alter|create)\s+(?:or\s+replace\s+)?(?:role|user|group|database|system|function|procedure|routine)\b[^;]*?\s)?"
        r"set\b[^;=]*?(?::?=|\bto\b)\s*)[^;]+"
    ),
    "${1}?",
)
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
# Where a message came from that is an application's own, with whatever it attached: PL/pgSQL (its words for the
# statement are not translated), and languages whose functions write messages of any form.
_OWN: Final = r"(?m)\b(?:RAISE|ASSERT)$|\bPL/(?:[^p]|p[^g])"
_RAISED: Final = ("P0001", "P0004")
# What a plan in JSON or YAML has in quotes, and what stands between.
_PLAN_PIECES: Final = r'(?s)"(?:[^"\\]|\\.)*"?|[^"]+'
_MEASURE: Final = r"^(?i:[0-9.:]+|yes|no)$"


def redacted(frame: pl.DataFrame) -> pl.DataFrame:
    """Return records of one log type, of any grammar, as search may have them: the same columns and types.

    `raw`, `raw_bytes` and `parameters` are null, and so are all texts of a record that was not parsed. Statements have
    `?` for numbers and strings, plans as well. Messages lose what they quote. Those of PostgreSQL lose numbers and
    words that the server's own do not have, and are null without a `message_class` or where an application raised them.
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
            new = new.with_columns(rewrite(_where(known, new[name])).alias(name))

    if "fingerprint" in frame.columns:
        query, found = _where(parsed, frame["query"]), _where(parsed, frame["fingerprint"])
        new = new.with_columns(redacted_statements(query, found, dialect))
    for name in _STATEMENTS:
        replaced(name, parsed, lambda texts: _statement(texts, dialect))
    if log_type is LogType.MYSQL_AUDIT:
        statements = frame["operation"].str.starts_with("QUERY").fill_null(value=True)
        replaced("object", parsed, lambda texts: texts.zip_with(~statements, _statement(texts, dialect)))
    if dialect == "postgres":
        replaced("plan", parsed, lambda texts: _plan(texts, frame["plan_format"]))
        raised = frame["context"].str.contains(_OWN) | frame["sqlstate"].is_in(_RAISED)
        classed = parsed & frame["message_class"].is_not_null() & ~raised.fill_null(value=False)
        messages = _ruled(_where(classed, frame["message"]), *_POSTGRES_MESSAGE, *_SECRETS)
        messages, own = known_words(messages, frame["message_class"])
        new = new.with_columns(messages.alias("message"))
        for name in _ATTACHED:
            replaced(name, own, lambda texts: _ruled(texts, *_POSTGRES_ATTACHED, *_SECRETS))
    else:
        replaced("message", parsed, lambda texts: _ruled(texts, *_OTHER_MESSAGE, _BARE_PASSWORD, *_SECRETS))
    replaced("attributes", parsed, _measures)
    return new


def redacted_statements(
    statements: pl.Series, fingerprints: pl.Series, dialect: Dialect
) -> tuple[pl.Series, pl.Series]:
    """Return statements and their fingerprints without values, passwords and settings, under their names.

    The fingerprint of a statement of which nobody can tell what is a string is that of its certain beginning; ids are
    those of the statements as they are.

    Args:
        statements: Strings.
        fingerprints: Of the statements.
        dialect: Of the statements.
    """
    hidden = redact(statements, dialect)
    doubtful = is_doubtful(hidden).fill_null(value=True)
    beginnings = fingerprint(_where(doubtful, hidden), dialect)
    rules = (*_BARE_VALUES[dialect], *_SECRETS)
    return _ruled(hidden, *rules), _ruled(fingerprints.zip_with(~doubtful, beginnings), *rules)


def _where(known: pl.Series, texts: pl.Series) -> pl.Series:
    return pl.select(pl.when(known).then(texts)).to_series().alias(texts.name)


def _statement(texts: pl.Series, dialect: Dialect) -> pl.Series:
    return _ruled(redact(texts, dialect), *_BARE_VALUES[dialect], *_SECRETS)


def _plan(texts: pl.Series, formats: pl.Series) -> pl.Series:
    """Return plans without numbers and strings.

    In JSON and YAML each text in quotes is an expression, a statement or a name of its own, with escapes.
    """
    structured = formats.is_in(["json", "yaml"]).fill_null(value=False)
    whole = _where(~structured, texts.str.replace_all("&quot;", '"', literal=True))
    pieces = _where(structured, texts).str.extract_all(_PLAN_PIECES)
    rows = pl.DataFrame({"plan": pieces}).with_row_index("row").explode("plan").drop_nulls()
    quoted = rows["plan"].str.starts_with('"')
    decoded = rows["plan"].zip_with(~quoted, mapped(_where(quoted, rows["plan"]), _decoded))
    hidden = _statement(decoded, "postgres")
    rows = rows.with_columns(hidden.zip_with(~quoted, mapped(_where(quoted, hidden), _encoded)).alias("plan"))
    joined = rows.group_by("row", maintain_order=True).agg(pl.col("plan").str.join())
    return _statement(whole, "postgres").scatter(joined["row"], joined["plan"])


def _decoded(quoted: pl.Series) -> list[str]:
    def text_of(quoted: str) -> str:
        for end in ("", '"'):  # of a record that was cut
            with suppress(ValueError):
                return str(json.loads(quoted + end, strict=False))
        return "'"  # a string that never ends: nothing of it is certain

    return [text_of(each) for each in quoted]


def _encoded(texts: pl.Series) -> list[str]:
    return [json.dumps(text, ensure_ascii=False) for text in texts]


def _measures(attributes: pl.Series) -> pl.Series:
    """Return attributes of a slow log whose values are numbers, times or yes and no; `?` for any other value."""
    value = pl.element().struct.field("value")
    kept = pl.when(value.str.contains(_MEASURE)).then(value).otherwise(pl.lit("?"))
    return attributes.list.eval(pl.struct(pl.element().struct.field("key"), kept.alias("value")))


def _ruled(texts: pl.Series, *rules: tuple[str, str]) -> pl.Series:
    for pattern, left in rules:
        texts = texts.str.replace_all(pattern, left)
    return texts
