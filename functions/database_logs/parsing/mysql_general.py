"""The general log of MySQL and MariaDB: every command that clients send.

Grammar: mysql-server sql/log.cc, `File_query_log::write_general`. Up to 5.6, and in MariaDB, a time is written when
the second changes; commands without one have the time of the one before.
"""

from typing import Final

import polars as pl

from database_logs.boundaries.mysql import GENERAL_LINE, general_starts
from database_logs.fingerprints import fingerprint, fingerprint_ids
from database_logs.parsing.columns import COMMON
from database_logs.parsing.frames import conform, unless_empty
from database_logs.parsing.records import line_records
from database_logs.parsing.times import inherited, rfc3339, short
from database_logs.segments import Segment

# user, host and database are those of Connect; query is the statement of Query, Prepare and Execute.
SCHEMA: Final = pl.Schema(
    {
        **COMMON,
        "connection_id": pl.Int64(),
        "command": pl.String(),
        "argument": pl.String(),
        "user": pl.String(),
        "host": pl.String(),
        "database": pl.String(),
        "query": pl.String(),
        "fingerprint": pl.String(),
        "fingerprint_id": pl.String(),
    }
)

_LINE: Final = r"^(?P<head>(?P<time>[^\t\n]*)\t[\t ]*(?P<id>[0-9]+) (?P<command>[A-Z][A-Za-z ]*)(?:\t|\r?\n))"
_BANNER: Final = r"^[^\n]*, Version: [^\n]*started with:"
_CONNECT: Final = r"^(?P<user>[^\n]*?)@(?P<host>[^\s@]*)(?: (?:as [^\n]* )?on (?P<database>[^\s]*))?"
_STATEMENTS: Final = ("Query", "Prepare", "Execute")
_BEGINS: Final = f"^(?:{GENERAL_LINE})"


def parse(segment: Segment, data: bytes) -> pl.DataFrame:
    """Parse a segment of a general log: one row a command or banner, with the columns of SCHEMA."""
    raw, command = pl.col("raw"), pl.col("command")
    argument = pl.when(command.is_not_null()).then(
        raw.str.strip_prefix(pl.col("head")).str.strip_suffix("\n").str.strip_suffix("\r")
    )
    line = pl.coalesce(rfc3339(pl.col("time")), short(pl.col("time"), segment.time_zone))
    parts = (
        line_records(segment, data, _BEGINS, general_starts)
        .with_columns(line=raw.str.extract_groups(_LINE))
        .unnest("line")
        .with_columns(
            argument=argument, line_time=line, has_time=pl.col("time") != "", is_banner=raw.str.contains(_BANNER)
        )
        .with_columns(
            query=pl.when(command.is_in(_STATEMENTS)).then("argument"),
            client=pl.when(command == "Connect").then("argument").str.extract_groups(_CONNECT),
            inherited_time=inherited("line_time", pl.col("has_time").fill_null(value=True)),
        )
        .unnest("client")
    )
    frame = conform(parts, _columns(), SCHEMA)
    fingerprints = fingerprint(frame["query"]).alias("fingerprint")
    return frame.with_columns(fingerprints, fingerprint_ids(fingerprints).alias("fingerprint_id"))


def _columns() -> dict[str, pl.Expr]:
    line, inherited_time = pl.col("line_time"), pl.col("inherited_time")
    is_command, is_banner = pl.col("command").is_not_null(), pl.col("is_banner")
    return {
        "event_time": pl.coalesce(line, inherited_time),
        "time_source": pl.when(line.is_not_null())
        .then(pl.lit("line"))
        .when(inherited_time.is_not_null())
        .then(pl.lit("inherited")),
        "parse_status": pl.when(is_command | is_banner).then(pl.lit("ok")).otherwise(pl.lit("unparsed")),
        "parse_reason": pl.when(~is_command & is_banner)
        .then(pl.lit("banner"))
        .when(~is_command)
        .then(pl.lit("no_command")),
        "connection_id": pl.col("id").cast(pl.Int64(), strict=False),
        "user": unless_empty(pl.col("user")),
        "host": unless_empty(pl.col("host")),
        "database": unless_empty(pl.col("database")),
    }
