"""Bytes to the columns that every record has, whatever its grammar."""

import hashlib
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import polars as pl

from database_logs.segments import Origin, Segment

_OFFSET_DIGITS: Final = 16
_POWERS: Final = pl.Series([10**digits for digits in range(1, _OFFSET_DIGITS)])
# No column ends in a log.
_UNSEEN: Final = "\1"
# What begins like this (gzip, zlib, zstd) the reader of CSV would decompress, whatever it is.
_COMPRESSED: Final = (b"\x1f\x8b", b"\x78\x01", b"\x78\x9c", b"\x78\xda", b"\x28\xb5\x2f\xfd")


class Text:
    """Bytes of a log that are cut into pieces, all at once as far as they are UTF-8.

    Cutting them one by one in Python takes several times as long.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        try:
            self._whole: pl.Series | None = pl.Series("raw", [data], pl.Binary).cast(pl.String).cast(pl.Binary)
        except pl.exceptions.ComputeError:
            self._whole = None

    def ends(self, starts: pl.Series) -> pl.Series:
        """Return where the pieces end that begin at `starts`."""
        return starts.shift(-1, fill_value=len(self.data)).alias("end")

    def pieces(self, starts: pl.Series) -> pl.DataFrame:
        """Return `raw` (String) and `raw_bytes` (Binary) of the pieces between starts, the last to the end of the data.

        Of pieces that are no UTF-8, `raw` has U+FFFD for what is not and `raw_bytes` the bytes, null for all others.

        Args:
            starts: Int64, ascending, the first at 0.
        """
        ends = self.ends(starts)
        if self._whole is None:
            return _decoded([self.data[start:end] for start, end in zip(starts, ends, strict=True)])
        places = pl.DataFrame([self._whole.new_from_index(0, len(starts)), starts.alias("start"), ends])
        view = pl.col("raw").bin.slice("start", pl.col("end") - pl.col("start"))
        return places.select(view.cast(pl.String)).with_columns(pl.lit(None, pl.Binary).alias("raw_bytes"))


def _decoded(pieces: Sequence[bytes]) -> pl.DataFrame:
    read = [piece.decode(errors="replace") for piece in pieces]
    lossy = [
        piece if "\ufffd" in text and text.encode() != piece else None for piece, text in zip(pieces, read, strict=True)
    ]
    return pl.DataFrame({"raw": read, "raw_bytes": lossy}, schema={"raw": pl.String, "raw_bytes": pl.Binary})


def line_starts(data: bytes, indent: str = "") -> pl.Series:
    """Return where lines begin (Int64), the first at 0; none without data.

    Args:
        data: The lines.
        indent: A character that begins the further lines of a record, which are left out.
    """
    found = _line_lengths(data, indent)
    if found is None:
        begins = re.compile(rb"\n(?=[^%b])" % indent.encode() if indent else rb"\n(?=[\s\S])")
        return pl.Series([0, *(match.end() for match in begins.finditer(data))][: len(data)], dtype=pl.Int64)
    begin = found["length"].cum_sum().shift(1, fill_value=0)
    if not indent:
        return begin
    return begin.filter(~found["indented"] | (begin == 0))


def _line_lengths(data: bytes, indent: str) -> pl.DataFrame | None:
    """Return `length`, bytes of a line with a newline, and whether it is `indented`; None if that cannot be had fast.

    The reader of CSV splits lines in a third of the time and with no memory to speak of. It is not made for logs: it
    leaves out blank lines and carriage returns, for instance. All that it may do leaves bytes out, so that their sum
    tells.
    """
    if not data or data.startswith(_COMPRESSED):
        return None
    lines = pl.scan_csv(
        data,
        has_header=False,
        schema={"line": pl.String},
        separator=_UNSEEN,
        quote_char=None,
        truncate_ragged_lines=True,
        extra_columns="ignore",
    )
    try:
        found = lines.select(
            length=pl.col("line").str.len_bytes().cast(pl.Int64) + 1, indented=pl.col("line").str.starts_with(indent)
        ).collect()
    except pl.exceptions.PolarsError:  # no UTF-8, or nothing but blank lines
        return None
    return found if found["length"].sum() == len(data) + (not data.endswith(b"\n")) else None


def records(segment: Segment, data: bytes, starts: Sequence[int]) -> pl.DataFrame:
    """Return one row a record: where it comes from, where it lies, its bytes, whether its end is sure.

    Args:
        segment: The segment.
        data: Its bytes.
        starts: Where records begin in data, ascending, the first at 0; none without data.
    """
    return placed(segment, Text(data), pl.Series(starts, dtype=pl.Int64))


def line_records(segment: Segment, data: bytes, begins: str, starts: Callable[[bytes], list[int]]) -> pl.DataFrame:
    """Return `records` of a log in which nearly every line is a record; as fast as lines can be split if all are.

    Args:
        segment: The segment.
        data: Its bytes.
        begins: Regex of polars for the start of a line that begins a record.
        starts: Returns where the records begin in data, which is where lines do that `begins` matches, and at 0.
    """
    found = placed(segment, Text(data), line_starts(data))
    return found if found["raw"][1:].str.contains(begins).all() else records(segment, data, starts(data))


def placed(segment: Segment, text: Text, starts: pl.Series) -> pl.DataFrame:
    """Return `records` of a text that begin at `starts` (Int64)."""
    origin = segment.origin
    last = pl.int_range(pl.len()) == pl.len() - 1
    found = text.pieces(starts)
    start = starts + segment.start
    return found.with_columns(
        start.alias("offset_start"),
        (text.ends(starts) + segment.start).alias("offset_end"),
        pl.lit(origin.dbi_resource_id, pl.String).alias("dbi_resource_id"),
        pl.lit(origin.instance_id, pl.String).alias("instance_id"),
        pl.lit(origin.cluster_id, pl.String).alias("cluster_id"),
        pl.lit(origin.engine, pl.String).alias("engine"),
        pl.lit(origin.log_type.value, pl.String).alias("log_type"),
        pl.lit(origin.file, pl.String).alias("file"),
        pl.lit(origin.generation, pl.String).alias("generation"),
        event_ids(origin, start),
        (last & segment.truncated).alias("truncated"),
        (last & segment.open_tail).alias("open_tail"),
    )


def event_ids(origin: Origin, offsets: pl.Series) -> pl.Series:
    """Return identities of records by the offsets (ascending) at which they begin.

    They are 16 hex digits of instance and generation, whatever the file is called by now, and 16 decimal digits of the
    offset.
    """
    name = f"{origin.dbi_resource_id}\0{origin.generation}"
    file = hashlib.sha256(name.encode()).hexdigest()[:16]
    # Offsets of as many digits all lack as many zeros.
    longer = [*offsets.search_sorted(_POWERS), len(offsets)]
    parts = [
        f"{file}{'0' * (_OFFSET_DIGITS - digits)}" + offsets[begin:end].cast(pl.String)
        for digits, (begin, end) in enumerate(pairwise([0, *longer]), 1)
    ]
    return pl.concat(parts, rechunk=True).alias("event_id")
