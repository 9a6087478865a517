"""The events of a slice: gathered, told apart, derived, arranged and written."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from firewall_logs.aggregate import HOUR_US, HOURLY_KEYS, HOURS, hourly
from firewall_logs.contracts import Slice
from firewall_logs.derive import path_templates, registered_domain
from firewall_logs.dictionary import Dictionary, Few, encoding, is_narrow
from firewall_logs.encodings import Encodings
from firewall_logs.files import LocalFile, path_of, write
from firewall_logs.frames import SCHEMAS
from firewall_logs.order import days

# A slab of rows that is gathered at a time, and a row group of what a unit writes.
ROW_GROUP_ROWS: Final = 262_144


class Gathered:
    """Takes batches of judged rows and keeps them compactly until all are there.

    Refused rows are kept as well: to leave them out of every column costs more than to skip them once.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._collected = Collected()
        self._rows = 0
        self._refused: list[pl.Series] = []
        self._time_forms: Counter[str] = Counter()

    @property
    def time_forms(self) -> dict[str, int]:
        """Rows by form of their time."""
        return dict(sorted((+self._time_forms).items()))

    @property
    def refused(self) -> pl.Series:
        """Positions (UInt32) of refused rows among all."""
        return pl.concat([pl.Series(dtype=pl.get_index_type()), *self._refused])

    def add(self, rows: pl.DataFrame, time_form: pl.Series, refused: pl.Series) -> None:
        """Take rows, of which those at some positions are refused."""
        self._collected.add(rows)
        self._refused.append(refused.cast(pl.get_index_type()) + self._rows)
        self._rows += rows.height
        self._time_forms.update(dict(time_form.value_counts().iter_rows()))
        self._time_forms.subtract(dict(time_form.gather(refused).value_counts().iter_rows()))

    def frame(self) -> pl.DataFrame:
        """Return all rows in order; there are none left to keep afterwards."""
        return self._collected.frame()


class Collected:
    """Takes batches of rows, not all with the same columns, and keeps them compactly until all are there."""

    def __init__(self) -> None:
        """Start empty."""
        self._encodings = Encodings()
        self._frames: list[pl.DataFrame] = []

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows."""
        self._frames.append(self._encodings.apply(rows))

    def frame(self) -> pl.DataFrame:
        """Return all rows in order; there are none left to keep afterwards."""
        frames, self._frames = [_NO_EVENTS.clone(), *self._frames], []
        heights = [frame.height for frame in frames]
        # The last is what a column was last decided to be.
        dtypes = {name: dtype for frame in frames for name, dtype in frame.schema.items()}
        return pl.DataFrame([_taken(name, dtype, frames, heights) for name, dtype in dtypes.items()])


def _taken(name: str, dtype: pl.DataType, frames: list[pl.DataFrame], heights: list[int]) -> pl.Series:
    """Take a column out of all frames: the next is put together in the memory that this leaves."""
    parts = [
        frame.drop_in_place(name).cast(dtype)
        if name in frame.columns
        else pl.repeat(None, height, dtype=dtype, eager=True).alias(name)
        for frame, height in zip(frames, heights, strict=True)
    ]
    return pl.concat(parts, rechunk=True)


_NO_EVENTS: Final = pl.DataFrame(schema={"event_time": pl.Datetime("us", "UTC"), "event_time_ns": pl.Int16})


def write_events(task: Slice, events: pl.DataFrame, positions: pl.Series, out: Path) -> Iterator[LocalFile]:
    """Write the files of a slice's events and their hourly counts, one of each a day.

    Args:
        task: Whose feed and zone they have.
        events: In the order of the object.
        positions: Of those that are written (UInt32), in the order of the lake.
        out: Below which folder.
    """
    given = {"feed": task.feed, "zone": task.zone}
    yield from write_days(derived(events), positions, out, row_group_rows=ROW_GROUP_ROWS, **given)


def write_days(
    events: pl.DataFrame, positions: pl.Series, out: Path, *, row_group_rows: int, **given: str
) -> Iterator[LocalFile]:
    """Write files of events in lake order and of their hourly counts, one of each a day.

    Args:
        events: Columns of the lake; those that are absent and not given become null.
        positions: Of those that are written (UInt32), in the order of the lake.
        out: Below which folder.
        row_group_rows: Of the files of events.
        given: Columns of text with one value in all rows.
    """
    keys = events.select(name for name in HOURLY_KEYS if name in events.columns)[positions]
    counts = hourly(keys)
    slabs = Slabs(events, given)
    for day, rows, low, high, start in days(keys).iter_rows():
        path = path_of(out, "events", day)
        write("events", path, slabs.of(positions.slice(start, rows), row_group_rows), slabs.schema, row_group_rows)
        yield LocalFile("events", path, day, rows, low, high)
    for (day,), of_day in counts.partition_by("event_date", include_key=False, as_dict=True).items():
        path = path_of(out, "hourly", day)
        write("hourly", path, [of_day], of_day.schema, ROW_GROUP_ROWS)
        yield LocalFile("hourly", path, day, of_day.height, None, None)


def derived(events: pl.DataFrame) -> pl.DataFrame:
    """Add registered_domain and path_template where the slice has what they derive from."""
    columns: list[pl.Series] = []
    if "client_request_host" in events.columns:
        hosts = Dictionary.of(events["client_request_host"])
        domains = hosts.map(registered_domain, pl.String())
        columns.append(hosts.spread(_encoded(domains)).alias("registered_domain"))
    if "client_request_path" in events.columns:
        paths = Dictionary.of(events["client_request_path"])
        columns.append(paths.spread(_encoded(path_templates(paths.values))).alias("path_template"))
    return events.with_columns(columns)


def _encoded(texts: pl.Series) -> pl.Series:
    return texts.cast(pl.String).cast(encoding(texts.n_unique()))


class Slabs:
    """The rows of a slice, as files hold them."""

    def __init__(self, events: pl.DataFrame, given: dict[str, str]) -> None:
        """Decide how each column is written."""
        self._events = events
        self._columns = _lake_columns(events, given)
        self._few = [Few.of(column) for column in events.get_columns() if is_narrow(column.dtype)]
        self.schema = self._slab(events.head(0)).schema

    def of(self, positions: pl.Series, rows: int) -> Iterator[pl.DataFrame]:
        """Yield the rows at these positions (UInt32), so many at a time."""
        for start in range(0, len(positions), rows):
            yield self._slab(self._events[positions.slice(start, rows)])

    def _slab(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(few.enum(rows) for few in self._few).select(self._columns)


def _lake_columns(events: pl.DataFrame, given: dict[str, str]) -> list[pl.Expr]:
    # dt.hour goes by calendars, which takes four times as long.
    hour = {"event_hour": (pl.col("event_time").to_physical() // HOUR_US % HOURS).cast(pl.Int8)}
    constants = {name: pl.lit(value, pl.Enum([value])) for name, value in given.items()}
    # An enum of no texts is text for the file, and written in half the time.
    absent = {
        name: pl.lit(None, pl.Enum([]) if dtype == pl.String else dtype)
        for name, dtype in SCHEMAS["events"].items()
        if name not in events.columns
    }
    made = absent | constants | hour
    return [made.get(name, pl.col(name)).alias(name) for name in SCHEMAS["events"]]
