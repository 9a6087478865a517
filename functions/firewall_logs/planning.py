"""Cuts objects into slices and packs slices into units. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from firewall_logs.contracts import ReplayOf, Slice, SourceObject, Unit
from firewall_logs.feeds import Feed

# Where an object is cut decides what the lake's files hold, so these belong to the transform version and are no
# setting: change one, raise TRANSFORM_VERSION. A slice of 2.4 M rows peaks at 1.8 GB (docs/firewall_logs.md).
SLICE_ROWS: Final = 2_400_000
SLICE_BYTES: Final = 1 << 30

# What ProcessUnit can hold at all, with its 4 GB. A bigger machine holds more in proportion.
FUNCTION_MB: Final = 4096
MOST_GZIP_BYTES: Final = 512 << 20
MOST_ROW_GROUP_BYTES: Final = 4 << 30

# Decoded bytes for one task on Fargate: some minutes of work, since it takes about one to start.
TASK_BYTES: Final = 32 << 30
# An object's day becomes one file, written by one PUT, which S3 limits to 5 GiB; parquet needs about half of the gzip.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
_MOST_GZIP_BYTES_ANYWHERE: Final = 8 << 30

# What a compressed byte of text or of parquet decodes to, about, for packing only.
DECODED_RATIO: Final = 10
_MAX_SLICES: Final = 100  # a line of the plan is the input of a child execution: at most 256 KiB


@dataclass(frozen=True)
class RowGroup:
    """One row group as the footer describes it.

    Attributes:
        rows: Its rows.
        bytes: Its encoded bytes before compression (`total_byte_size`).
        start: Offset of its first byte in the object.
        end: Offset after its last byte.
    """

    rows: int
    bytes: int
    start: int
    end: int


@dataclass(frozen=True)
class Footer:
    """What the planner needs of a parquet footer.

    Attributes:
        row_groups: In file order.
        start: Offset of the footer in the object; from there to the end it is read as well.
    """

    row_groups: tuple[RowGroup, ...]
    start: int

    @property
    def rows(self) -> int:
        """Rows of the object."""
        return sum(group.rows for group in self.row_groups)


def cut(
    feed: Feed,
    source: SourceObject,
    object_id: str,
    epoch: int,
    *,
    footer: Footer | None = None,
    defect: str | None = None,
    replay_of: ReplayOf | None = None,
) -> list[Slice]:
    """Return an object's slices: by row groups where a footer is known, else the one of the whole object.

    Greedy in file order, so that the same object is always cut alike. A single row group above the limits is a slice
    of its own: parquet cannot be cut finer without decoding it.
    """
    base = {
        "object_id": object_id,
        "epoch": epoch,
        "feed": feed.name,
        "zone": feed.zone,
        "format": feed.format,
        "naive_times": feed.naive_times,
        "source": source,
        "defect": defect,
        "replay_of": replay_of,
    }
    ranges = _ranges(footer.row_groups) if footer else []
    if footer is None or len(ranges) <= 1:
        whole = {"row_group_bytes": _largest(footer.row_groups)} if footer else {}
        return [Slice(index=0, slices=1, rows=_rows(footer, replay_of), **whole, **base)]
    slices = []
    first_row = 0
    for index, (first, after) in enumerate(ranges):
        groups = footer.row_groups[first:after]
        rows = sum(group.rows for group in groups)
        slices.append(
            Slice(
                index=index,
                slices=len(ranges),
                row_groups=(first, after),
                first_row=first_row,
                rows=rows,
                byte_ranges=_merge([(g.start, g.end) for g in groups] + [(0, 4), (footer.start, source.size)]),
                row_group_bytes=_largest(groups),
                **base,
            )
        )
        first_row += rows
    return slices


def pack(run_id: str, slices: Sequence[Slice], unit_bytes: int, *, first: int = 0) -> list[Unit]:
    """Pack slices into units of about `unit_bytes` decoded bytes each, in order; no slice is divided.

    Args:
        run_id: Whose units.
        slices: What is to be packed.
        unit_bytes: How much into each.
        first: Number of the first unit.
    """
    packs: list[list[Slice]] = []
    filled = unit_bytes
    for piece in slices:
        weight = decoded_bytes(piece)
        if not packs or filled + weight > unit_bytes or len(packs[-1]) == _MAX_SLICES:
            packs.append([])
            filled = 0
        packs[-1].append(piece)
        filled += weight
    return [Unit(run_id=run_id, unit=number, slices=members) for number, members in enumerate(packs, first)]


def decoded_bytes(piece: Slice) -> int:
    """Estimate what a slice's bytes decode to."""
    if piece.byte_ranges is None:
        return piece.source.size * DECODED_RATIO
    return sum(after - first for first, after in piece.byte_ranges) * DECODED_RATIO


def _rows(footer: Footer | None, replay_of: ReplayOf | None) -> int | None:
    """Return an object's rows where somebody has counted them before it is read."""
    if footer is not None:
        return footer.rows
    return None if replay_of is None else replay_of.rows


def fits(piece: Slice, memory_mb: int) -> bool:
    """Return whether a machine of so much memory can hold a slice."""
    share = memory_mb / FUNCTION_MB
    if piece.defect is not None:
        return True
    if piece.format == "parquet":
        return (piece.row_group_bytes or 0) <= MOST_ROW_GROUP_BYTES * share
    return piece.source.size <= min(MOST_GZIP_BYTES * share, _MOST_GZIP_BYTES_ANYWHERE)


def _largest(groups: Sequence[RowGroup]) -> int:
    return max((group.bytes for group in groups), default=0)


def _ranges(groups: Sequence[RowGroup]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    first, rows, size = 0, 0, 0
    for position, group in enumerate(groups):
        if position > first and (rows + group.rows > SLICE_ROWS or size + group.bytes > SLICE_BYTES):
            ranges.append((first, position))
            first, rows, size = position, 0, 0
        rows += group.rows
        size += group.bytes
    if groups:
        ranges.append((first, len(groups)))
    return ranges


def _merge(ranges: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for first, after in sorted(ranges):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], after))
        else:
            merged.append((first, after))
    return tuple(merged)
