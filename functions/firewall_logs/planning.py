"""Cuts objects into slices and packs slices into units. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from firewall_logs.contracts import Slice, SourceObject, Unit
from firewall_logs.feeds import Feed

# Where an object is cut decides what the lake's files hold, so these belong to the transform version and are no
# setting: change one, raise TRANSFORM_VERSION. A slice of 2.4 M rows peaks at 1.8 GB (docs/firewall_logs.md).
SLICE_ROWS: Final = 2_400_000
SLICE_BYTES: Final = 1 << 30

# What a function of 4 GB can hold at all. Such objects are for a bigger machine; they fail the run, with their reason.
MOST_GZIP_BYTES: Final = 512 << 20
MOST_ROW_GROUP_BYTES: Final = 4 << 30

# What a compressed byte of text or of parquet decodes to, about, for packing only.
_RATIO: Final = 10
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
    }
    ranges = _ranges(footer.row_groups) if footer else []
    if footer is None or len(ranges) <= 1:
        return [Slice(index=0, slices=1, rows=footer.rows if footer else None, **base)]
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
                **base,
            )
        )
        first_row += rows
    return slices


def pack(run_id: str, slices: Sequence[Slice], unit_bytes: int) -> list[Unit]:
    """Pack slices into units of about `unit_bytes` decoded bytes each, in order; no slice is divided."""
    packs: list[list[Slice]] = []
    filled = unit_bytes
    for piece in slices:
        weight = decoded_bytes(piece)
        if not packs or filled + weight > unit_bytes or len(packs[-1]) == _MAX_SLICES:
            packs.append([])
            filled = 0
        packs[-1].append(piece)
        filled += weight
    return [Unit(run_id=run_id, unit=number, slices=members) for number, members in enumerate(packs)]


def decoded_bytes(piece: Slice) -> int:
    """Estimate what a slice's bytes decode to."""
    if piece.byte_ranges is None:
        return piece.source.size * _RATIO
    return sum(after - first for first, after in piece.byte_ranges) * _RATIO


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
