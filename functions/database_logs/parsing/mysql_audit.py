r"""The audit logs of Aurora MySQL, MariaDB's server_audit and the fork of it on RDS for MySQL.

Grammar: MariaDB manual, "Audit Plugin Log Format"; Aurora user guide, "Advanced Auditing". The lines look like CSV and
are none: statements are in single quotes with backslash escapes, and commas in them are commas. Eight commas are
counted from the left, the return code is taken from the right.
"""

from typing import Final

import polars as pl

from database_logs.boundaries.mysql import AUDIT_LINE, audit_starts
from database_logs.parsing.columns import COMMON
from database_logs.parsing.frames import conform, sliced
from database_logs.parsing.records import line_records
from database_logs.parsing.times import INSTANT, dense
from database_logs.segments import Segment

# object is a table or a statement, without its quotes and escapes; object_truncated where the server cut a statement
# (SERVER_AUDIT_QUERY_LOG_LIMIT). connection_type and port are of dialects that write them.
SCHEMA: Final = pl.Schema(
    {
        **COMMON,
        "server_host": pl.String(),
        "user": pl.String(),
        "host": pl.String(),
        "port": pl.Int64(),
        "connection_id": pl.Int64(),
        "query_id": pl.Int64(),
        "operation": pl.String(),
        "database": pl.String(),
        "object": pl.String(),
        "object_truncated": pl.Boolean(),
        "return_code": pl.Int64(),
        "connection_type": pl.String(),
    }
)

_FIELDS: Final = (
    "time", "server_host", "user", "client", "connection_id", "query_id", "operation", "database",
)  # fmt: skip
# The return code, which events of tables lack, and what dialects have after it, from the right.
_TAIL: Final = r"(,(?:-?[0-9]+(?:,,|,[A-Za-z][A-Za-z0-9_/ -]*|,)?)?\r?\n?)$"
_SUCCEEDED: Final = ",0\n"
# Digits of microseconds since 1970, from 2001 to 2286.
_MICROS: Final = 16
# MariaDB from 12.0; an address of IPv6 has more colons, and brackets where a port follows.
_PORT: Final = r"^(?:[^\[:]*|\[.*\]):([0-9]+)$"
_ESCAPES: Final = {r"\\": "\\", r"\'": "'", r"\n": "\n", r"\r": "\r", r"\t": "\t", r"\"": '"', r"\0": "\0", r"\b": "\b"}
_BEGINS: Final = f"^(?:{AUDIT_LINE})"


def parse(segment: Segment, data: bytes) -> pl.DataFrame:
    """Parse a segment of an audit log: one row an event, with the columns of SCHEMA."""
    raw, rest, tail = pl.col("raw"), pl.col("rest"), pl.col("tail")
    head = pl.sum_horizontal(pl.col(_FIELDS).str.len_bytes(), ignore_nulls=False) + len(_FIELDS)
    content = sliced(rest, 0, rest.str.len_bytes() - tail.str.len_bytes())
    parts = (
        line_records(segment, data, _BEGINS, audit_starts)
        .with_columns(raw.str.split_exact(",", len(_FIELDS) - 1).struct.rename_fields(_FIELDS).alias("fields"))
        .unnest("fields")
        .with_columns(rest=sliced(raw, head))
        # Most events end so; a regex for what is at the end reads all of a statement.
        .with_columns(succeeded=rest.str.ends_with(_SUCCEEDED).fill_null(value=False))
        .with_columns(failed=pl.when(~pl.col("succeeded")).then(rest).str.extract(_TAIL))
        .with_columns(tail=pl.when("succeeded").then(pl.lit(_SUCCEEDED)).otherwise("failed"))
        .with_columns(object=content)
        .with_columns(event_time=_event_time(segment.time_zone), quoted=pl.col("object").str.starts_with("'"))
        # A record that goes on over lines is one all the same; what has no return code at its end is none.
        .with_columns(whole=tail.is_not_null() & pl.col("event_time").is_not_null())
        # What several columns are made of is made once, and of slices, which copy nothing.
        .with_columns(statement=sliced(pl.when("whole", "quoted").then("object"), 1))
        .with_columns(closed=pl.col("statement").str.ends_with("'"))
        .with_columns(plain=sliced(pl.col("statement"), 0, pl.col("statement").str.len_bytes() - pl.col("closed")))
        .with_columns(ported=pl.when("whole").then("client").str.contains(":", literal=True))
        .with_columns(port=pl.when("ported").then("client").str.extract(_PORT))
    )
    return conform(parts.with_columns(_objects(parts)), _columns(), SCHEMA)


def _objects(parts: pl.DataFrame) -> pl.Series:
    """Return statements without quotes and escapes, and what else stands in their place."""
    named = pl.when(pl.col("whole") & (pl.col("object") != "")).then("object")
    objects = parts.select(object=pl.when("quoted").then("plain").otherwise(named)).to_series()
    escaped = parts["plain"].str.contains("\\", literal=True).fill_null(value=False)
    unescaped = parts["plain"].filter(escaped).str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))
    return objects.scatter(escaped.arg_true(), unescaped)


def _columns() -> dict[str, pl.Expr]:
    whole, failed = pl.col("whole"), pl.col("failed")

    def number(field: str) -> pl.Expr:
        return pl.when(whole).then(field).cast(pl.Int64(), strict=False)

    def text(field: str) -> pl.Expr:
        return pl.when(whole & (pl.col(field) != "")).then(field)

    # The plugins escape newlines; nobody but Amazon knows whether Aurora always does.
    continued = pl.col("raw").str.find("\n", literal=True) + 1 < pl.col("raw").str.len_bytes()
    host = pl.when(pl.col("port").is_null()).then("client").otherwise(pl.col("client").str.replace(r":[0-9]+$", ""))
    code = failed.str.extract("^,(-?[0-9]+)").cast(pl.Int64(), strict=False)
    return {
        "time_source": pl.when(pl.col("event_time").is_not_null()).then(pl.lit("line")),
        "parse_status": pl.when(whole).then(pl.lit("ok")).otherwise(pl.lit("unparsed")),
        "parse_reason": pl.when(~whole).then(pl.lit("not_audit")).when(continued).then(pl.lit("continued")),
        "server_host": text("server_host"),
        "user": text("user"),
        "host": pl.when(whole & (pl.col("client") != "")).then(host),
        "port": pl.col("port").cast(pl.Int64(), strict=False),
        "connection_id": number("connection_id"),
        "query_id": number("query_id"),
        "operation": text("operation"),
        "database": text("database"),
        "object_truncated": ~pl.col("closed"),
        "return_code": pl.when(whole).then(pl.when("succeeded").then(0).otherwise(code)),
        "connection_type": pl.when(whole).then(failed.str.extract(r"^,-?[0-9]+,([A-Za-z][^,\r\n]*)")),
    }


def _event_time(zone: str) -> pl.Expr:
    """Return instants of microseconds since 1970 (Aurora) or local times (MariaDB)."""
    time = pl.col("time")
    is_micros = time.str.len_bytes() == _MICROS
    micros = pl.when(is_micros).then(time).cast(pl.Int64(), strict=False).cast(INSTANT)
    return pl.coalesce(micros, dense(pl.when(~is_micros).then(time), zone))
