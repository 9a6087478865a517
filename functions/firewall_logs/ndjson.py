"""Raw NDJSON to rows: whole blocks by the shapes of their lines, what is left line by line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from firewall_logs import schema
from firewall_logs.encodings import Encodings
from firewall_logs.gzip_members import blocks
from firewall_logs.json_rows import LineReader, RowRefused
from firewall_logs.judgement import FINDINGS
from firewall_logs.rows import RawRows
from firewall_logs.shapes import Shape, ShapedLines, shape_of
from firewall_logs.times import Bounds

# ASCII white space but the line feed, which ends the line.
_SPACE: Final = " \t\r\x0b\x0c"
# Those after the first line, which either end in a line feed or at the very end.
_BLANK_LINE: Final = re.compile(rb"\n[ \t\r\x0b\x0c]*(?:(?=\n)|(?<!\n)\Z)")
_BLANK_FIRST: Final = re.compile(rb"[ \t\r\x0b\x0c]*(?:\n|\Z)")
_DOUBTFUL: Final = r'[\x00-\x1f]|\\["\\]'
# Fewer lines than this are sooner read one by one than taken apart by a shape; so are those of ever new shapes.
_FEW_LINES: Final = 16
_NEW_SHAPES: Final = 32
_MOST_SHAPES: Final = 256
_NOTHING: Final = pl.DataFrame(schema={"row": pl.Int64, schema.TIME_FIELD: pl.String})


def read(raw: Path, bounds: Bounds) -> RawRows:
    """Read the rows of an object.

    Raises:
        ObjectDefect: `empty`, `not_gzip`, `gzip_truncated` or `gzip_corrupt`.
    """
    reader = _Reader(bounds)
    frames = [reader.read(block) for block in blocks(raw)]
    frame = pl.concat([_NOTHING, *frames], how="diagonal", rechunk=True)
    return RawRows(
        frame=frame.drop("row"),
        row=frame["row"],
        refused=pl.DataFrame(reader.refused, schema=FINDINGS, orient="row"),
        columns_seen=sorted(reader.keys),
        blank_lines=reader.blank_lines,
        source_rows=reader.source_rows,
        raw=lambda wanted: _raw_lines(raw, wanted),
    )


@dataclass
class _Reader:
    """Reads block after block.

    Attributes:
        bounds: What the feed and the object say about times.
        refused: Rows that are no events, by FINDINGS.
        blank_lines: Lines of white space so far.
        source_rows: Other lines so far, counted on the bytes.
        row: Position in the object of the next line.
    """

    bounds: Bounds
    refused: list[tuple[int, str, str | None]] = field(default_factory=list)
    blank_lines: int = 0
    source_rows: int = 0
    row: int = 0

    def __post_init__(self) -> None:
        self._lines = LineReader(self.bounds)
        self._shapes: list[Shape] = []
        self._shape_keys: set[str] = set()
        self._encodings = Encodings()

    @property
    def keys(self) -> set[str]:
        """Top-level keys so far."""
        return self._lines.keys | self._shape_keys

    def read(self, block: bytes) -> pl.DataFrame:
        """Return the rows of a block that are events as far as their line can tell: `row`, fields and `extra`."""
        self.source_rows += _count_filled(block)
        lines = _lines(block)
        filled = (lines.str.strip_chars(_SPACE) != "").arg_true()
        self.blank_lines += len(lines) - len(filled)
        frames, rest = self._by_shape(lines, filled)
        frames.append(self._one_by_one(block, rest))
        encoded = [self._encodings.apply(frame) for frame in frames if frame.height]
        self.row += len(lines)
        return pl.concat([_NOTHING, *encoded], how="diagonal").sort("row")

    def _by_shape(self, lines: pl.Series, filled: pl.Series) -> tuple[list[pl.DataFrame], pl.Series]:
        """Take lines apart by shapes; return the rows, and the positions of the lines that have none."""
        doubtful = lines.gather(filled).str.contains(_DOUBTFUL)
        rest = [filled.filter(doubtful)]
        open_ = filled.filter(~doubtful)
        pieces = pl.DataFrame({"at": open_, "pieces": lines.gather(open_).str.split('"')})
        pieces = pieces.with_columns(width=pl.col("pieces").list.len())
        frames: list[pl.DataFrame] = []
        for shape in self._shapes:
            pieces = self._take(shape, pieces, frames)
        for _ in range(_NEW_SHAPES):
            if pieces.height < _FEW_LINES:
                break
            at = pieces["at"][0]
            shape = shape_of(lines[at])
            if shape is None:
                rest.append(pieces["at"].head(1))
                pieces = pieces.slice(1)
            else:
                self._learn(shape)
                pieces = self._take(shape, pieces, frames)
        return frames, pl.concat([*rest, pieces["at"]]).sort()

    def _learn(self, shape: Shape) -> None:
        self._shape_keys |= shape.keys
        if len(self._shapes) < _MOST_SHAPES:
            self._shapes.append(shape)

    def _take(self, shape: Shape, pieces: pl.DataFrame, frames: list[pl.DataFrame]) -> pl.DataFrame:
        """Add the rows that have the shape to the frames, and return the lines that do not."""
        candidate = pieces["width"] == len(shape.pieces)
        candidates = pieces.filter(candidate)
        if candidates.is_empty():
            return pieces
        taken = ShapedLines(shape, candidates["pieces"])
        rows = candidates["at"].filter(taken.fitting).cast(pl.Int64) + self.row
        frames.append(taken.values.with_columns(rows.alias("row")))
        return pl.concat([pieces.filter(~candidate), candidates.filter(~taken.fitting)]).sort("at")

    def _one_by_one(self, block: bytes, positions: pl.Series) -> pl.DataFrame:
        records = []
        lines = block.split(b"\n") if len(positions) else []
        for position in positions.to_list():
            try:
                records.append(self._lines.read(lines[position]) | {"row": str(self.row + position)})
            except RowRefused as refusal:
                self.refused.append((self.row + position, refusal.reason, refusal.field))
        names = sorted({name for record in records for name in record})
        frame = pl.DataFrame(records, schema=dict.fromkeys(names, pl.String), orient="row")
        return frame.with_columns(pl.col("row").cast(pl.Int64)) if records else frame


def _lines(block: bytes) -> pl.Series:
    """Return a block's lines without their ends; one that is no UTF-8 is replaced by one that no shape has."""
    try:
        text = block.decode()
    except UnicodeDecodeError:
        text = "\n".join(map(_decoded, block.split(b"\n")))
    lines = pl.Series("line", [text.removesuffix("\n")]).str.split("\n").explode()
    return lines.str.strip_suffix("\r") if "\r" in text else lines


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return "\0"


def _count_filled(block: bytes) -> int:
    """Count the lines that are not blank, on the bytes."""
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    return lines - len(_BLANK_LINE.findall(block)) - (_BLANK_FIRST.match(block) is not None)


def _raw_lines(raw: Path, wanted: pl.Series) -> Iterator[bytes]:
    """Yield the lines at these positions, in ascending order, by reading the object again."""
    first = 0
    positions = wanted.to_list()
    taken = 0
    for block in blocks(raw):
        count = block.count(b"\n") + (not block.endswith(b"\n"))
        lines = block.split(b"\n") if taken < len(positions) and positions[taken] < first + count else []
        while lines and taken < len(positions) and positions[taken] < first + count:
            yield lines[positions[taken] - first]
            taken += 1
        first += count
