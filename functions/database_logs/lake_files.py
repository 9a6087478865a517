"""Records of a segment as files of the lake: their partition, their bytes, the part of the digest that they are."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

import polars as pl

from database_logs.contracts import ParsedFile, SegmentCommitted, SegmentManifest
from database_logs.digest import part, postgres_statements
from database_logs.fingerprints import Dialect
from database_logs.locations import SCATTERED, UNDATED, index_key, part_key, records_key, segment_name
from database_logs.log_types import LogType
from database_logs.version import PARSER_VERSION

# Level 3 takes 40 % more time than level 1 for records of an audit log, and writes 5 % less.
_ZSTD_LEVEL: Final = 1
# Fixed, as the size of groups is part of the bytes of a file.
_ROW_GROUP_ROWS: Final = 131_072
# Each hour of a segment is a request; a log whose times somebody forged must not make millions of them.
_MOST_HOURS: Final = 48
# Each day of a segment is a file or two: of all days that a time may be of they would be 150,000. No error log or alert
# log that RDS keeps spans as many days as this.
_MOST_DAYS: Final = 100
_ARROW_SCHEMA: Final = "ARROW:schema"
_DIALECTS: Final[dict[LogType, Dialect]] = {
    LogType.MYSQL_SLOW: "mysql",
    LogType.POSTGRES_STDERR: "postgres",
    LogType.POSTGRES_CSV: "postgres",
    LogType.POSTGRES_JSON: "postgres",
}


@dataclass(frozen=True)
class LakeFile:
    """A file to be written."""

    described: ParsedFile
    body: bytes


def lake_files(segment: SegmentCommitted, records: pl.DataFrame) -> list[LakeFile]:
    """Return the files that a segment becomes: of each day its records, and the part of the digest where it has one.

    The same records always become the same bytes. A record without time goes to the day of the segment's first record
    that has one; where none has, to no day. Of more than `_MOST_DAYS` days those with most records have files, and the
    records of the others go to no day, with a reason.

    Args:
        segment: What the records are of.
        records: As `parsing.dispatch.parse` returns them.
    """
    files: list[LakeFile] = []
    for day, rows in _by_day(records):
        files.extend(_files_of_day(segment, day, rows))
    return files


def manifest_of(segment: SegmentCommitted, records: pl.DataFrame, files: list[LakeFile]) -> SegmentManifest:
    """Return the manifest of a segment before its files are written."""
    times = records["event_time"]
    return SegmentManifest(
        segment=segment,
        parser_version=PARSER_VERSION,
        records=records.height,
        unparsed=int((records["parse_status"] == "unparsed").sum()),
        first_time=_instant(times.min()),
        last_time=_instant(times.max()),
        files=[file.described for file in files],
    )


def index_keys(segment: SegmentCommitted, records: pl.DataFrame) -> list[str]:
    """Return the keys under which the index has a segment: one for each hour of a record, as long as these are few."""
    hours = records["event_time"].drop_nulls().dt.truncate("1h").unique().sort().to_list()
    if len(hours) > _MOST_HOURS:
        return [index_key(SCATTERED, segment)]
    return [index_key(hour, segment) for hour in hours or [UNDATED]]


def _by_day(records: pl.DataFrame) -> Iterator[tuple[date | None, pl.DataFrame]]:
    day = pl.col("event_time").dt.date()
    first = records.select(day.drop_nulls().first()).item()
    days = records.select(day.fill_null(pl.lit(first, pl.Date())).alias("day")).to_series()
    if records.height and days.min() == days.max():  # parting them would copy them all
        yield first, records
        return
    parts = _of_few_days(records.with_columns(days)).partition_by(
        "day", as_dict=True, maintain_order=True, include_key=False
    )
    for (date_of_part,), rows in parts.items():
        yield date_of_part, rows


def _of_few_days(records: pl.DataFrame) -> pl.DataFrame:
    """Return records whose `day` is null, for a reason, beyond the days with most records, the first of as many."""
    days = records.group_by("day", maintain_order=True).len().sort("len", descending=True, maintain_order=True)
    if days.height <= _MOST_DAYS:
        return records
    is_kept = pl.col("day").is_in(days["day"].head(_MOST_DAYS).to_list())
    return records.with_columns(
        pl.when(is_kept).then("day"),
        pl.when(is_kept).then("parse_reason").otherwise(pl.coalesce("parse_reason", pl.lit("too_many_days"))),
    )


def _files_of_day(segment: SegmentCommitted, day: date | None, rows: pl.DataFrame) -> Iterator[LakeFile]:
    name, log_type = segment_name(segment), segment.file.log_type
    yield _file("records", records_key(log_type, day, name), day, rows)
    if log_type in _DIALECTS:
        statements = rows if log_type is LogType.MYSQL_SLOW else postgres_statements(rows)
        counted = part(statements, _DIALECTS[log_type])
        if counted.height:
            yield _file("part", part_key(day, name), day, counted)


def _file(kind: Literal["records", "part"], key: str, day: date | None, rows: pl.DataFrame) -> LakeFile:
    buffer = io.BytesIO()
    encoded = _encoded(rows)
    encoded.rechunk().write_parquet(
        buffer,
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        statistics=True,
        row_group_size=_ROW_GROUP_ROWS,
        # As views: otherwise all text is copied into one buffer first, a tenth of the time that writing takes.
        arrow_schema=encoded.schema,
        metadata={_ARROW_SCHEMA: _arrow_schema(rows.schema)},
    )
    body = buffer.getvalue()
    digest = hashlib.sha256(body).hexdigest()
    return LakeFile(ParsedFile(kind=kind, key=key, day=day, rows=rows.height, bytes=len(body), sha256=digest), body)


def _encoded(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with codes in columns of text with one value or none: polars writes those in a fifth of the time."""
    alone = {}
    for column in rows.get_columns():
        if column.dtype == pl.String and _is_alone(column):
            value = column.first()
            alone[column.name] = pl.lit(value, pl.Enum([] if value is None else [str(value)]))
    return rows.with_columns(**alone)


def _is_alone(column: pl.Series) -> bool:
    if column.null_count():
        return column.null_count() == len(column)
    # Most columns with several values begin and end with different ones.
    return column.first() == column.last() and (column == column.first()).all()


def _arrow_schema(schema: pl.Schema) -> str:
    """Return the Arrow schema that says that text is text, for readers that would take codes for dictionaries."""
    buffer = io.BytesIO()
    schema.to_frame().write_parquet(buffer)
    return pl.read_parquet_metadata(io.BytesIO(buffer.getvalue()))[_ARROW_SCHEMA]


def _instant(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None
