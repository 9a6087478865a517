"""Raw NDJSON to rows: blocks of lines at once, what is left line by line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import ComputeError

from firewall_logs import schema
from firewall_logs.bulk_lines import BulkReader
from firewall_logs.gzip_members import blocks
from firewall_logs.json_rows import LineReader, RowRefused
from firewall_logs.rows import REFUSED
from firewall_logs.times import Bounds

# ASCII white space but the line feed, which ends the line.
_SPACE: Final = " \t\r\x0b\x0c"
# Those after the first line, which either end in a line feed or at the very end.
_BLANK_LINE: Final = re.compile(rb"\n[ \t\r\x0b\x0c]*(?:(?=\n)|(?<!\n)\Z)")
_BLANK_FIRST: Final = re.compile(rb"[ \t\r\x0b\x0c]*(?:\n|\Z)")
_NOTHING: Final = pl.DataFrame(schema={"at": pl.UInt32, schema.TIME_FIELD: pl.String})


@dataclass(frozen=True)
class NdjsonBatch:
    """Rows of a block of lines.

    Attributes:
        block: The lines.
        frame: Those that are events as far as a line can tell, all values as text.
        row: Their positions in the object (Int64).
        refused: The other lines, but for blank ones.
        first_row: Position of the first line in the object.
    """

    block: bytes
    frame: pl.DataFrame
    row: pl.Series
    refused: pl.DataFrame
    first_row: int

    def raw(self, positions: pl.Series) -> pl.Series:
        """Return the lines of rows of the frame as they came."""
        lines = self.block.split(b"\n") if len(positions) else []
        rows = self.row.gather(positions).to_list()
        return pl.Series("raw", [lines[row - self.first_row] for row in rows], dtype=pl.Binary)


class NdjsonRows:
    """Reads an NDJSON object."""

    def __init__(self, raw: Path, bounds: Bounds) -> None:
        """Note which file, and what the feed and the object say about times."""
        self._raw = raw
        self._lines = LineReader(bounds)
        self._bulk = BulkReader()
        self.blank_lines = 0
        self.source_rows = 0

    @property
    def columns_seen(self) -> list[str]:
        """Top-level keys of all lines that are objects."""
        return sorted(self._bulk.keys | self._lines.keys)

    def batches(self) -> Iterator[NdjsonBatch]:
        """Yield the object's rows, block by block.

        Raises:
            ObjectDefect: `empty`, `not_gzip`, `gzip_truncated` or `gzip_corrupt`.
        """
        first_row = 0
        for block in blocks(self._raw):
            self.source_rows += _count_filled(block)
            lines = _lines(block)
            yield self._batch(block, lines, first_row)
            first_row += len(lines)

    def _batch(self, block: bytes, lines: pl.Series, first_row: int) -> NdjsonBatch:
        filled = (lines.str.strip_chars(_SPACE) != "").arg_true()
        self.blank_lines += len(lines) - len(filled)
        sure = self._bulk.read(lines.gather(filled) if len(filled) < len(lines) else lines)
        sure = sure.with_columns(at=filled.gather(sure["at"]))
        rest = filled.filter(~filled.is_in(sure["at"].implode()))
        records, refused = self._one_by_one(block, rest, first_row)
        frame = pl.concat([sure, records], how="diagonal").sort("at")
        return NdjsonBatch(
            block=block,
            frame=frame.drop("at"),
            row=(frame["at"].cast(pl.Int64) + first_row).alias("row"),
            refused=refused,
            first_row=first_row,
        )

    def _one_by_one(self, block: bytes, positions: pl.Series, first_row: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        records: list[dict[str, str | None]] = []
        events: list[int] = []
        refused: list[tuple[int, str, str | None, bytes]] = []
        lines = block.split(b"\n") if len(positions) else []
        for position in positions.to_list():
            try:
                records.append(self._lines.read(lines[position]))
                events.append(position)
            except RowRefused as refusal:
                refused.append((first_row + position, refusal.reason, refusal.field, lines[position]))
        names = {name for record in records for name in record}
        frame = pl.DataFrame(records, schema=dict.fromkeys(sorted(names), pl.String()), orient="row")
        at = pl.Series("at", events, dtype=pl.UInt32)
        return frame.with_columns(at) if events else _NOTHING, pl.DataFrame(refused, schema=REFUSED, orient="row")


def _lines(block: bytes) -> pl.Series:
    """Return a block's lines without their ends (LF or CRLF); one that is no UTF-8 as one that is no JSON."""
    try:
        return pl.read_lines(block)["line"]
    except ComputeError:
        return pl.read_lines(b"\n".join(map(_decodable, block.split(b"\n"))))["line"]


def _decodable(line: bytes) -> bytes:
    try:
        line.decode()
    except UnicodeDecodeError:
        return b"\0"
    return line


def _count_filled(block: bytes) -> int:
    """Count the lines that are not blank, on the bytes."""
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    return lines - len(_BLANK_LINE.findall(block)) - (_BLANK_FIRST.match(block) is not None)
