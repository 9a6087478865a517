"""A cut of a day to its files: rows of many files, each sorted, to one that is. Pure but for reading and writing."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from firewall_logs.days.contracts import Cut, FeedProfile, Place
from firewall_logs.days.cutting import second_of_day
from firewall_logs.days.lookups import write_lookups
from firewall_logs.days.profiling import profile
from firewall_logs.duplicates import duplicates
from firewall_logs.encodings import SAMPLE_ROWS
from firewall_logs.errors import InputUnsorted
from firewall_logs.events import ROW_GROUP_ROWS, Collected, write_days
from firewall_logs.files import LocalFile
from firewall_logs.order import Order

_HOST: Final = "client_request_host"
_HOUR: Final = "event_hour"
_SECOND_US: Final = 1_000_000
_DAY_US: Final = 86_400 * _SECOND_US
# Half of a loose file's: what is written once and read for years has finer statistics. It costs 4 % of its bytes, and
# questions of one host read half. With half again Polars, which fetches small gaps between ranges with them, reads the
# columns between as well (bench/README.md).
SEALED_ROW_GROUP_ROWS: Final = 131_072


@dataclass(frozen=True)
class Input:
    """A file of events of the lake, here.

    Attributes:
        key: Its name in the lake.
        first_row: Position of the first row that may be in the cut; rows outside the range are not read.
        rows: How many rows from there.
    """

    key: str
    path: Path
    first_row: int
    rows: int


@dataclass(frozen=True)
class Compacted:
    """What a cut became.

    Attributes:
        rows_in: Rows of the inputs in the cut.
        duplicates: Of them, those that repeat another one.
        files: One of events, of hourly counts and of each lookup table; none of a cut without rows.
    """

    rows_in: int
    duplicates: int
    files: list[LocalFile]
    profiles: dict[str, FeedProfile]


def compact(inputs: Iterable[Input], cut: Cut, out: Path) -> Compacted:
    """Gather the rows of a cut, remove those that repeat another one, and write the others in the order of the lake.

    Args:
        inputs: In the order that decides which of two equal rows is the first, and which of two rows that agree in
            host and instant. Each is read before the next one is asked for, and not needed afterwards.
        cut: Which rows.
        out: An empty folder.

    Raises:
        InputUnsorted: A file does not have the order of the lake.
    """
    collected = Collected()
    for batch in _batches(_rows(given, cut) for given in inputs):
        collected.add(batch)
    events = collected.frame()
    order = Order.of(events, pl.int_range(events.height, dtype=pl.get_index_type(), eager=True))
    repeated = duplicates(events, order.suspects)
    return Compacted(
        rows_in=events.height,
        duplicates=len(repeated),
        profiles=profile(events, repeated) if events.height else {},
        files=_written(events, order.without(repeated), out),
    )


def _written(events: pl.DataFrame, positions: pl.Series, out: Path) -> list[LocalFile]:
    files = list(write_days(events, positions, out, row_group_rows=SEALED_ROW_GROUP_ROWS))
    # One day, or none where the cut has no rows.
    for day in {file.event_date for file in files if file.event_date}:
        files += write_lookups(events, positions, day, out)
    return files


def _batches(frames: Iterable[Iterator[pl.DataFrame]]) -> Iterator[pl.DataFrame]:
    """Put small frames together: a batch is to show which text is repetitive, and thousands of frames would cost."""
    waiting: list[pl.DataFrame] = []
    height = 0
    for frame in itertools.chain.from_iterable(frames):
        waiting.append(frame)
        height += frame.height
        if height >= SAMPLE_ROWS:
            yield _with_values(pl.concat(waiting))
            waiting, height = [], 0
    if waiting:
        yield _with_values(pl.concat(waiting))


def _with_values(batch: pl.DataFrame) -> pl.DataFrame:
    """Leave out the columns without a value, which most feeds have dozens of."""
    return batch.select(column for column in batch.get_columns() if column.null_count() < batch.height)


def _rows(given: Input, cut: Cut) -> Iterator[pl.DataFrame]:
    """Yield the rows of a file that are in the cut, in order and at most a row group at a time."""
    scan = pl.scan_parquet(given.path)
    wanted = scan.slice(given.first_row, given.rows).select(_within(cut)).collect().to_series()
    rows = int(wanted.sum())
    first = wanted.arg_max() or 0
    # Files have the order that cuts are ranges of.
    if not wanted.slice(first, rows).all():
        raise InputUnsorted(
            f"{given.key} is not sorted by host and hour, which every file of ours is: somebody has replaced it. "
            "Restore it from the lake bucket's versions, then seal the day again."
        )
    begin = given.first_row + first
    end = begin + rows
    # Along the row groups, so that none is decoded twice; those of sealed files are parts of these.
    for edge in range(begin - begin % ROW_GROUP_ROWS, end, ROW_GROUP_ROWS):
        start = max(edge, begin)
        yield scan.slice(start, min(edge + ROW_GROUP_ROWS, end) - start).collect()


def _within(cut: Cut) -> pl.Expr:
    inside = pl.col(_HOUR).is_not_null()
    if cut.start is not None:
        inside &= ~_before(cut.start)
    if cut.end is not None:
        inside &= _before(cut.end)
    return inside.alias("inside")


def _before(place: Place) -> pl.Expr:
    """Return whether a row comes before a place; never null."""
    earlier = pl.col(_HOUR) < place.hour
    # Few cuts divide an hour, and only these need the times.
    if place.second:
        earlier = pl.col("event_time").to_physical() % _DAY_US < second_of_day(place) * _SECOND_US
    if place.host is None:
        return pl.col(_HOST).is_null() & earlier
    return pl.col(_HOST).is_null() | (pl.col(_HOST) < place.host) | ((pl.col(_HOST) == place.host) & earlier)
