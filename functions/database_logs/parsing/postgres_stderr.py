"""PostgreSQL's stderr log with any log_line_prefix.

A record is a line of a message with its further lines, and the lines DETAIL, HINT, CONTEXT, STATEMENT, QUERY, LOCATION
and BACKTRACE of the same process that follow. Such a line that stands apart from its message, as other processes wrote
between, is a row of its own (`parse_status` continuation, `parent_event_id`), and its text is in the message's row as
well: every byte is in one row, and the message is whole. Only messages of the same segment are looked for; the logging
collector writes a message and its lines at once, so that this is the rare case.
"""

from typing import Final

import polars as pl

from database_logs.distinct import distinct_texts
from database_logs.line_prefixes import (
    ATTACHED_LABELS,
    LONGEST,
    PRIMARY_SEVERITIES,
    STAMPS,
    LinePattern,
    line_pattern,
)
from database_logs.parsing.frames import sliced
from database_logs.parsing.postgres_bodies import bodies
from database_logs.parsing.postgres_columns import SCHEMA, SESSION
from database_logs.parsing.postgres_times import instants
from database_logs.parsing.records import Text, line_starts, placed
from database_logs.segments import Segment

# PostgreSQL puts a tab before each further line of a message (elog.c, append_with_tabs).
_INDENT: Final = "\t"
# What stands between a severity and the text (elog.c, error_severity and its callers).
_TEXT: Final = ":  "
_NOTHING: Final = pl.Series([0])
# Lines that are looked at by themselves, at once: their copies take memory.
_BATCH_LINES: Final = 1 << 16
_LABELLED: Final = f"(?:{'|'.join((*PRIMARY_SEVERITIES, *ATTACHED_LABELS))}): "
_LABELS: Final = {
    "DETAIL": "detail",
    "HINT": "hint",
    "CONTEXT": "context",
    "STATEMENT": "query",
    "QUERY": "internal_query",
    "LOCATION": "location",
    "BACKTRACE": "backtrace",
}
# log_error_verbosity = verbose. Classes of SQLSTATE begin with a digit or are these (PostgreSQL manual, appendix A).
_SQLSTATE: Final = r"^(?:[0-9][0-9A-Z]|F0|HV|P0|XX)[0-9A-Z]{3}: "
_REMOTE: Final = r"^(?P<client_host>[^()]*)(?:\((?P<client_port>[0-9]+)\))?$"
_NOBODY: Final = ("", "[unknown]")
_POSITION: Final = r" at character ([0-9]+)$"


def parse(segment: Segment, data: bytes) -> pl.DataFrame:
    """Return the records of a segment (columns and types of `SCHEMA`), in order.

    Args:
        segment: Where the bytes lie, and the prefix they were written with.
        data: The bytes.
    """
    text = Text(data)
    lines = _joined(_lines(text, line_starts(data, _INDENT).rechunk(), line_pattern(segment.prefix)))
    rows = lines.filter("opens")
    common = placed(segment, text, rows["start"])
    frame = pl.concat([common, rows.drop("start")], how="horizontal")
    frame = frame.with_columns(pl.col("event_id").gather(pl.col("parent")).alias("parent_event_id"))
    return bodies(_timed(frame, segment.time_zone)).select(SCHEMA.names()).cast(SCHEMA, strict=False)


def _lines(data: Text, starts: pl.Series, pattern: LinePattern) -> pl.DataFrame:
    """Return the lines that have a prefix, and the first, each with the further lines of its message.

    The columns are `start`, `text` and the groups of the prefix. Groups are looked up when lines without prefix are
    gone: there may be millions of those.
    """
    lines = data.pieces(starts)["raw"]
    groups, places, stamps = _sessions(lines, pattern)
    sessions, unsure = len(groups), places.is_null().arg_true()
    # Of millions of lines without prefix hardly one is worth a longer look.
    unsure = unsure.filter(lines.gather(unsure).str.contains(_LABELLED))
    if len(unsure):
        found = _wide(data, starts, unsure, pattern)
        places = places.scatter(found["row"], pl.int_range(len(found), dtype=pl.UInt32, eager=True) + sessions)
        groups = pl.concat([groups, found.drop("row")])
    texts = _texts(lines, groups["head"].gather(places))
    kept = _with_strays(pl.DataFrame([starts.alias("start"), texts, places.alias("place"), stamps.alias("stamp")]))
    found = groups.drop("head").select(pl.all().gather(kept["place"]))
    if pattern.stamp is not None:
        of_session = kept["place"] < sessions
        found = found.with_columns(
            pl.when(of_session).then(kept["stamp"]).otherwise(pattern.stamp).alias(pattern.stamp)
        )
    return pl.concat([found, kept.select("start", "text")], how="horizontal")


def _sessions(lines: pl.Series, pattern: LinePattern) -> tuple[pl.DataFrame, pl.Series, pl.Series]:
    """Return distinct prefixes, and by line the place of its own and the time that it begins with.

    Lines of a session begin alike but for the time: what is distinct after it is looked at once. Places are null where
    a prefix is none, or has several readings.
    """
    length = (lines.str.find(_TEXT, literal=True).cast(pl.Int64) + len(_TEXT)).fill_null(0)
    shape, example = STAMPS.get(pattern.stamp or "", ("", ""))
    stamps, codes = distinct_texts(lines.str.head(len(example)))
    # Of other lines the bytes there may be within a character.
    stamped = stamps.str.contains(shape).gather(codes)
    rest = (length - len(example)).clip(0).zip_with(stamped, _NOTHING)
    heads, places = distinct_texts(pl.select(sliced(pl.lit(lines), len(example), pl.lit(rest))).to_series())
    groups = _groups(example + heads, pattern.narrow)
    sure = groups["head"].is_not_null().gather(places)
    return groups, pl.select(pl.when(sure).then(places)).to_series(), stamps.gather(codes)


def _wide(data: Text, starts: pl.Series, rows: pl.Series, pattern: LinePattern) -> pl.DataFrame:
    """Return the groups of those of the rows that have a prefix of any reading, with `row`."""
    ends, found = data.ends(starts), []
    for first in range(0, len(rows), _BATCH_LINES):
        batch = rows[first : first + _BATCH_LINES]
        places = zip(starts.gather(batch), ends.gather(batch), strict=True)
        heads = [data.data[start : min(end, start + LONGEST)].decode(errors="replace") for start, end in places]
        found.append(_groups(pl.Series(heads, dtype=pl.String), pattern.wide).with_columns(row=batch))
    return pl.concat(found).drop_nulls("head")


def _groups(texts: pl.Series, pattern: str) -> pl.DataFrame:
    """Return the groups of a pattern, of `head` its bytes; null where it does not fit or holds no severity."""
    found = texts.str.extract_groups(pattern).struct.unnest().with_columns(pl.col("head").str.len_bytes())
    known = pl.col("severity").is_in((*PRIMARY_SEVERITIES, *ATTACHED_LABELS)) & (pl.col("head") <= LONGEST)
    return found.select(pl.when(known).then(pl.all()))


def _texts(lines: pl.Series, heads: pl.Series) -> pl.Series:
    """Return what stands after the heads (bytes, null for none), without the tabs of further lines and its end."""
    begin = heads.fill_null(0).cast(pl.Int64)
    rest = lines.str.len_bytes().cast(pl.Int64) - begin - lines.str.ends_with("\n").cast(pl.Int64)
    texts = pl.select(sliced(pl.lit(lines), pl.lit(begin), pl.lit(rest)).alias("text")).to_series()
    if texts.str.ends_with("\r").any():
        texts = texts.str.strip_chars_end("\r\n")
    indented = texts.str.contains(f"\n{_INDENT}", literal=True)
    outdented = texts.filter(indented).str.replace_all(f"\n{_INDENT}", "\n", literal=True)
    return texts.scatter(indented.arg_true(), outdented)


def _joined(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the lines that have a prefix, and the first, with what belongs to each.

    `opens` says whether a row begins here; `parent` is the number of the row of the message that a row's first line
    belongs to; the columns of `_LABELS` hold the texts that belong to the message of this line.
    """
    lines = lines.with_row_index("index")
    key = pl.coalesce(*(name for name in ("process_id", "session_id") if name in lines.columns), pl.lit(""))
    primary = pl.col("severity").is_in(PRIMARY_SEVERITIES).fill_null(value=False)
    lines = lines.with_columns(
        key.alias("key"),
        primary.alias("primary"),
        pl.col("severity").is_in(ATTACHED_LABELS).fill_null(value=False).alias("attached"),
    )
    last = pl.when("primary").then("index").forward_fill()
    near = pl.col("key").gather(last) == pl.col("key")
    if lines.select((~pl.col("attached") | near.fill_null(value=False)).all()).item():
        lines = lines.with_columns(pl.when(pl.col("primary") | pl.col("attached")).then(last).alias("owner"))
    else:
        lines = lines.with_columns(last.over("key").alias("owner"))
        lines = lines.with_columns(pl.when(pl.col("primary") | pl.col("attached")).then("owner").alias("owner"))
    # without their message, lines of one process are together as they would be with it
    alone = pl.col("owner").is_null() & (pl.col("key") != pl.col("key").shift(1))
    apart = pl.col("owner").ne_missing(pl.col("owner").shift(1)) | alone.fill_null(value=False)
    lines = lines.with_columns((pl.col("primary") | apart | (pl.col("index") == 0)).alias("opens"))
    row = pl.col("opens").cum_sum() - 1
    lines = lines.with_columns(pl.when("attached").then(row.gather(pl.col("owner"))).cast(pl.Int64).alias("parent"))
    return _with_attached(lines).rename({"text": "message"}).drop("index", "key", "owner")


def _with_strays(lines: pl.DataFrame) -> pl.DataFrame:
    """Leave out lines without prefix that PostgreSQL did not indent; their texts go to the line before."""
    stray = pl.col("place").is_null()
    if not lines["place"].has_nulls():
        return lines
    lines = lines.with_row_index("line")
    at = pl.when(~stray).then("line").forward_fill().fill_null(0)
    lines = lines.with_columns(at.alias("at"))
    kept = ~stray | (pl.col("line") == 0)
    further = (
        lines.filter(~kept).group_by("at", maintain_order=True).agg(pl.col("text").str.join("\n").alias("further"))
    )
    return (
        lines.filter(kept)
        .join(further, on="at", how="left", maintain_order="left")
        .with_columns(pl.concat_str("text", pl.lit("\n") + pl.col("further").fill_null("")).alias("joined"))
        .with_columns(pl.when(pl.col("further").is_null()).then("text").otherwise("joined").alias("text"))
        .drop("line", "at", "further", "joined")
    )


def _with_attached(lines: pl.DataFrame) -> pl.DataFrame:
    """Give messages the texts of their attached lines, wherever these stand."""
    attached = lines.filter(pl.col("attached") & pl.col("owner").is_not_null()).select("owner", "severity", "text")
    texts: list[pl.Series | pl.Expr] = []
    for label, name in _LABELS.items():
        chosen = attached.filter(pl.col("severity") == label)
        if chosen.is_empty():
            texts.append(pl.lit(None, pl.String).alias(name))
            continue
        if not chosen["owner"].is_unique().all():
            chosen = chosen.group_by("owner", maintain_order=True).agg(pl.col("text").str.join("\n"))
        nowhere = pl.repeat(None, lines.height, dtype=pl.UInt32, eager=True)
        places = nowhere.scatter(chosen["owner"], pl.int_range(chosen.height, dtype=pl.UInt32, eager=True))
        texts.append(chosen["text"].gather(places).alias(name))
    return lines.with_columns(texts)


def _timed(frame: pl.DataFrame, time_zone: str) -> pl.DataFrame:
    """Read the prefix: times, numbers, hosts, and what verbose messages carry besides."""
    prefixed = frame
    if "remote" in prefixed.columns:
        clients, codes = distinct_texts(frame["remote"])
        frame = frame.with_columns(clients.str.extract_groups(_REMOTE).gather(codes).struct.unnest())
    for name in ("milliseconds", "seconds", "session_start"):
        if name in prefixed.columns:
            frame = frame.with_columns(instants(prefixed[name], prefixed[f"{name}_zone"], time_zone).alias(name))
    if "epoch" in prefixed.columns:
        microseconds = pl.col("epoch").str.replace(".", "", literal=True).cast(pl.Int64, strict=False) * 1000
        frame = frame.with_columns(pl.from_epoch(microseconds, "us").dt.replace_time_zone("UTC").alias("epoch"))
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in SESSION.items() if name not in frame.columns]
    numbers = [name for name, dtype in SESSION.items() if dtype.is_integer() and name in frame.columns]
    names = [name for name, dtype in SESSION.items() if dtype == pl.String and name in frame.columns]
    frame = frame.with_columns(*missing)
    times = [name for name in ("milliseconds", "seconds", "epoch") if name in frame.columns]
    primary = pl.col("primary")
    untimed = pl.col("event_time").is_null() & pl.any_horizontal(
        pl.lit(value=False), *(prefixed[name].is_not_null() for name in times)
    )
    return (
        _verbose(frame)
        .with_columns(
            pl.col(numbers).cast(pl.Int64, strict=False),
            *(pl.when(~pl.col(name).is_in(_NOBODY)).then(name).alias(name) for name in names),
            pl.coalesce(*times, pl.lit(None, pl.Datetime("us", "UTC"))).alias("event_time"),
        )
        .with_columns(
            pl.when(pl.col("event_time").is_not_null()).then(pl.lit("line")).alias("time_source"),
            pl.when(primary)
            .then(pl.lit("ok"))
            .when("attached")
            .then(pl.lit("continuation"))
            .otherwise(pl.lit("unparsed"))
            .alias("parse_status"),
            pl.when(~primary & ~pl.col("attached"))
            .then(pl.lit("no_prefix"))
            .when(pl.col("attached") & pl.col("parent").is_null())
            .then(pl.lit("message_absent"))
            .when(untimed)
            .then(pl.lit("time_zone_unknown"))
            .alias("parse_reason"),
        )
    )


def _verbose(frame: pl.DataFrame) -> pl.DataFrame:
    """Take SQLSTATE and the place in the statement out of the texts of messages."""
    message = pl.col("message")
    coded = pl.col("primary") & message.str.contains(_SQLSTATE)
    if frame.select(coded.any()).item():
        frame = frame.with_columns(
            pl.when(coded).then(message.str.slice(0, 5)).otherwise("sqlstate").alias("sqlstate"),
            pl.when(coded).then(message.str.slice(7)).otherwise("message").alias("message"),
        )
    rows = frame.select((pl.col("primary") & (pl.col("severity") != "LOG")).arg_true()).to_series()
    texts = frame["message"].gather(rows)
    found = pl.DataFrame([rows.alias("row"), texts, texts.str.tail(30).str.extract(_POSITION).alias("at")])
    found = found.drop_nulls("at").with_columns(message.str.strip_suffix(pl.lit(" at character ") + pl.col("at")))
    nowhere = pl.repeat(None, frame.height, dtype=pl.Int32, eager=True)
    return frame.with_columns(
        frame["message"].scatter(found["row"], found["message"]),
        nowhere.scatter(found["row"], found["at"].cast(pl.Int32, strict=False)).alias("query_position"),
        pl.lit(None, pl.Int32).alias("internal_query_position"),
    )
