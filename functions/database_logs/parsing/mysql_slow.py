"""The slow log of MySQL 5.0 to 8.4, MariaDB and Percona Server.

Grammar: mysql-server sql/log.cc, `File_query_log::write_slow`; what forks add is documented with their variable
log_slow_verbosity, and MySQL's own with log_slow_extra.
"""

from typing import Final

import polars as pl

from database_logs.boundaries.mysql import slow_starts
from database_logs.fingerprints import fingerprint, fingerprint_ids
from database_logs.parsing.columns import COMMON
from database_logs.parsing.frames import conform, unless_empty
from database_logs.parsing.records import records
from database_logs.parsing.times import INSTANT, inherited, rfc3339, short
from database_logs.segments import Segment

# query_time and lock_time are seconds. statement_time is when the statement began (SET timestamp), event_time when it
# was logged. attributes are the keys that have no column, in the order of the log.
SCHEMA: Final = pl.Schema(
    {
        **COMMON,
        "query_time": pl.Float64(),
        "lock_time": pl.Float64(),
        "rows_sent": pl.Int64(),
        "rows_examined": pl.Int64(),
        "rows_affected": pl.Int64(),
        "bytes_sent": pl.Int64(),
        "user": pl.String(),
        "host": pl.String(),
        "ip": pl.String(),
        "connection_id": pl.Int64(),
        "database": pl.String(),
        "statement_time": INSTANT,
        "query": pl.String(),
        "is_admin": pl.Boolean(),
        "fingerprint": pl.String(),
        "fingerprint_id": pl.String(),
        "attributes": pl.List(pl.Struct({"key": pl.String(), "value": pl.String()})),
    }
)

# Lines of a header; the statement begins with the first that is none, which may be a comment. What begins with other
# characters than `#` is the same unless _COMMENT is found, and is found in a tenth of the time.
_AFTER_HASHES: Final = r"\n[^#]"
_COMMENT: Final = r"\n#(?:[^ \n\r]| [^A-Z])"
_HEADER: Final = r"^((?:#(?: +[A-Z][A-Za-z0-9_]*(?:@Host)?:[^\n]*| No InnoDB[^\n]*| explain:[^\n]*|[ \t\r]*)(?:\n|$))+)"
_USE: Final = r"(?:(?i:use)[ \t]+[^;\n]+;[ \t\r]*(?:\n|$))?"
_SET: Final = r"(?:SET (?:last_insert_id=\d+,)?(?:insert_id=\d+,)?timestamp=\d+(?:\.\d+)?;\r?(?:\n|$))?"
_LAST_USE: Final = r"(?i)(use[^\n]*)\s*$"
_PREAMBLE: Final = rf"^({_USE}{_SET}{_USE})"
_CLIENT: Final = (
    r"^(?:# Time: *(?P<time>[^\n#]*)\n?)?(?:# User@Host: *(?P<user>[^\n\[]*)(?:\[(?P<inner>[^\]\n]*)\])? *@"
    r" *(?P<host>[^\n\[]*?) *\[(?P<ip>[^\]\n]*)\](?:[ \t]+Id: *(?P<id>[0-9]+))?)?"
)
_ADMIN: Final = "# administrator command: "
_KNOWN: Final = (
    r"# (?:Time|User@Host):[^\n]*"
    r"|\b(?:Query_time|Lock_time|Rows_sent|Rows_examined|Rows_affected|Bytes_sent|Thread_id): +[0-9.]+"
)
_NUMBERS: Final = ("query_time", "lock_time", "rows_sent", "rows_examined", "rows_affected", "bytes_sent")
# A value never ends in a colon: what does is the next key, as the value of Schema may be missing.
_ATTRIBUTE: Final = r"[A-Za-z]\w*:(?: +\S*[^\s:](?:\s|$))?"


def parse(segment: Segment, data: bytes) -> pl.DataFrame:
    """Parse a segment of a slow log: one row an event or banner, with the columns of SCHEMA."""
    found = records(segment, data, slow_starts(data))
    parts = (
        found.with_columns(header=_header())
        .with_columns(body=pl.col("raw").str.strip_prefix(pl.col("header")))
        .with_columns(
            preamble=pl.col("body").str.extract(_PREAMBLE).fill_null(""),
            client=pl.col("header").str.extract_groups(_CLIENT),
            has_time=pl.col("header").str.starts_with("# Time:"),
            is_banner=(pl.col("header") == "") & pl.col("raw").str.contains(r"^[^\n]*, Version: [^\n]*started with:"),
        )
        .unnest("client")
        .with_columns(pl.col("time").str.strip_chars_end(" \r"))
        .with_columns(after=pl.col("body").str.strip_prefix(pl.col("preamble")))
        .with_columns(is_admin=pl.col("after").str.starts_with(_ADMIN), statement=_statement())
        .with_columns(
            line_time=pl.coalesce(rfc3339(pl.col("time")), short(pl.col("time"), segment.time_zone)),
            statement_time=_statement_time(),
        )
        # A banner begins anew: the server was not there for a while.
        .with_columns(inherited_time=inherited("line_time", pl.col("is_banner") | pl.col("has_time")))
    )
    frame = conform(parts, _columns(), SCHEMA)
    return _with_fingerprints(frame.with_columns(_attributes(parts, frame)))


def _header() -> pl.Expr:
    raw = pl.col("raw")
    after = pl.coalesce(raw.str.find(_AFTER_HASHES) + 1, raw.str.len_bytes())
    length = pl.when(raw.str.starts_with("#")).then(after).otherwise(0)
    hashes = raw.cast(pl.Binary).bin.slice(0, length).cast(pl.String)
    unusual = hashes.str.contains(_COMMENT)
    return pl.when(unusual).then(pl.when(unusual).then(raw).str.extract(_HEADER)).otherwise(hashes).fill_null("")


def _columns() -> dict[str, pl.Expr]:
    line, before, stated = pl.col("line_time"), pl.col("inherited_time"), pl.col("statement_time")
    timed = pl.col("header").str.contains("Query_time: ")
    user = pl.col("user").str.strip_chars_end(" ")
    return {
        "event_time": pl.coalesce(line, before, stated),
        "time_source": pl.when(line.is_not_null())
        .then(pl.lit("line"))
        .when(before.is_not_null())
        .then(pl.lit("inherited"))
        .when(stated.is_not_null())
        .then(pl.lit("line")),
        "parse_status": pl.when(timed | pl.col("is_banner")).then(pl.lit("ok")).otherwise(pl.lit("unparsed")),
        "parse_reason": pl.when(pl.col("is_banner")).then(pl.lit("banner")).when(~timed).then(pl.lit("no_query_time")),
        "query_time": _number("Query_time", pl.Float64()),
        "lock_time": _number("Lock_time", pl.Float64()),
        "rows_sent": _number("Rows_sent", pl.Int64()),
        "rows_examined": _number("Rows_examined", pl.Int64()),
        "rows_affected": _number("Rows_affected", pl.Int64()),
        "bytes_sent": _number("Bytes_sent", pl.Int64()),
        "user": unless_empty(pl.when(user == "").then("inner").otherwise(user)),
        "host": unless_empty(pl.col("host")),
        "ip": unless_empty(pl.col("ip")),
        "connection_id": pl.coalesce(pl.col("id").cast(pl.Int64(), strict=False), _number("Thread_id", pl.Int64())),
        "database": unless_empty(
            pl.coalesce(
                pl.col("preamble")
                .str.extract(r"(?i)^(?:SET [^\n]*\n)?use[ \t]+([^;\n]+?)[ \t]*;")
                .str.strip_chars("`"),
                pl.col("header").str.extract(r"\bSchema: *([^\s:]+)(?:\s|$)"),
            )
        ),
        "query": pl.when(~pl.col("is_banner")).then(unless_empty(pl.col("statement"))),
    }


def _number(key: str, dtype: pl.DataType) -> pl.Expr:
    return pl.col("header").str.extract(rf"\b{key}: +([0-9.]+)").cast(dtype, strict=False)


def _statement() -> pl.Expr:
    """Return the statement without the semicolon that ends it; of commands of administrators the name."""
    after = pl.col("after")
    # A USE with nothing after it is the statement.
    use = pl.col("preamble").str.extract(_LAST_USE)
    last = pl.when(after.str.strip_chars(" \t\r\n") == "").then(use).otherwise(after)
    name = pl.when(after.str.starts_with(_ADMIN)).then(after.str.strip_prefix(_ADMIN)).otherwise(last)
    return name.str.strip_chars(" \t\r\n").str.strip_suffix(";")


def _statement_time() -> pl.Expr:
    seconds = pl.col("preamble").str.extract(r"timestamp=(\d+(?:\.\d+)?)").cast(pl.Float64(), strict=False)
    return (seconds * 1e6).round().cast(pl.Int64(), strict=False).cast(INSTANT)


def _attributes(parts: pl.DataFrame, frame: pl.DataFrame) -> pl.Series:
    """Return the keys that have no column with their values; null where there are none."""
    dtype = SCHEMA["attributes"]
    # Most headers hold nothing else than what has a column, which counting tells.
    header = pl.col("header")
    known = header.str.starts_with("# Time: ") + header.str.contains("# User@Host: ") + pl.col("id").is_not_null()
    numbers = frame.select(numbers=pl.sum_horizontal(pl.col(_NUMBERS).is_not_null())).to_series()
    rest = (
        parts.select("header", known=known.cast(pl.UInt32()), row=pl.int_range(pl.len()))
        .filter(header.str.count_matches(": ", literal=True) > pl.col("known") + numbers)
        .select("row", rest=pl.col("header").str.replace_all(_KNOWN, ""))
    )
    lists = (
        rest.select("row", pair=pl.col("rest").str.extract_all(_ATTRIBUTE))
        .explode("pair")
        .select("row", attribute=pl.col("pair").str.extract_groups(r"^(?P<key>\w+):\s*(?P<value>\S*)"))
        .group_by("row", maintain_order=True)
        .agg(pl.col("attribute").drop_nulls())
    )
    rows = pl.DataFrame({"row": pl.int_range(len(parts), eager=True)})
    return rows.join(lists, on="row", how="left", maintain_order="left")["attribute"].cast(dtype).alias("attributes")


def _with_fingerprints(frame: pl.DataFrame) -> pl.DataFrame:
    texts = frame.select(pl.when("is_admin").then("administrator command: " + pl.col("query")).otherwise("query"))
    fingerprints = fingerprint(texts.to_series()).alias("fingerprint")
    return frame.with_columns(fingerprints, fingerprint_ids(fingerprints).alias("fingerprint_id"))
