"""The events of a slice: gathered, told apart, derived, arranged and written."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import polars as pl

from firewall_logs.aggregate import hourly
from firewall_logs.contracts import Slice
from firewall_logs.derive import path_templates, registered_domain
from firewall_logs.dictionary import Dictionary, as_dictionary, encoding
from firewall_logs.duplicates import without
from firewall_logs.encodings import Encodings
from firewall_logs.files import LocalFile, path_of, write
from firewall_logs.frames import SCHEMAS
from firewall_logs.order import arranged

# A slab of rows that is gathered at a time, and a row group.
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
        return dict(sorted(self._time_forms.items()))

    @property
    def refused(self) -> pl.Series:
        """Positions (UInt32) of refused rows among all."""
        return pl.concat([pl.Series(dtype=pl.get_index_type()), *self._refused])

    def add(self, rows: pl.DataFrame, time_form: pl.Series, refused: pl.Series) -> None:
        """Take rows, of which those at some positions are refused."""
        self._collected.add(rows)
        self._refused.append(refused.cast(pl.get_index_type()) + self._rows)
        self._rows += rows.height
        passed = time_form.gather(without(rows.height, refused)) if len(refused) else time_form
        self._time_forms.update(dict(passed.value_counts().iter_rows()))

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
        frames, self._frames = self._frames, []
        return pl.concat([_NO_EVENTS, *frames], how="diagonal", rechunk=True)


_NO_EVENTS: Final = pl.DataFrame(schema={"event_time": pl.Datetime("us", "UTC"), "event_time_ns": pl.Int16})


def write_events(task: Slice, events: pl.DataFrame, kept: pl.Series, out: Path) -> Iterator[LocalFile]:
    """Write the files of a slice's events and their hourly counts, one of each a day.

    Args:
        task: Whose feed and zone they have.
        events: In the order of the object.
        kept: Positions (UInt32) of those that are written, ascending.
        out: Below which folder.
    """
    yield from write_days(derived(events), kept, out, feed=task.feed, zone=task.zone)


def write_days(events: pl.DataFrame, kept: pl.Series, out: Path, **given: str) -> Iterator[LocalFile]:
    """Write files of events in lake order and of their hourly counts, one of each a day.

    Args:
        events: Columns of the lake; those that are absent and not given become null. Of rows that agree in host and
            instant the first comes first.
        kept: Positions (UInt32) of those that are written, ascending.
        out: Below which folder.
        given: Columns of text with one value in all rows.
    """
    positions, days = arranged(events, kept)
    counts = hourly(events, kept)
    columns = _lake_columns(events, given)
    slab_schema = events.head(0).select(columns).schema
    for day, rows, low, high, start in days.iter_rows():
        path = path_of(out, "events", day)
        write("events", path, _slabs(events, positions.slice(start, rows), columns), slab_schema, ROW_GROUP_ROWS)
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
        columns.append(hosts.spread(as_dictionary(domains, "registered_domain")))
    if "client_request_path" in events.columns:
        paths = Dictionary.of(events["client_request_path"])
        columns.append(paths.spread(as_dictionary(path_templates(paths.values), "path_template")))
    return events.with_columns(columns)


def _slabs(events: pl.DataFrame, positions: pl.Series, columns: Iterable[pl.Expr]) -> Iterator[pl.DataFrame]:
    for start in range(0, len(positions), ROW_GROUP_ROWS):
        yield events[positions.slice(start, ROW_GROUP_ROWS)].select(columns)


def _lake_columns(events: pl.DataFrame, given: dict[str, str]) -> list[pl.Expr]:
    hour = {"event_hour": pl.col("event_time").dt.hour()}
    constants = {name: pl.lit(value, encoding(name)) for name, value in given.items()}
    absent = {name: pl.lit(None, dtype) for name, dtype in SCHEMAS["events"].items() if name not in events.columns}
    made = absent | constants | hour
    return [made.get(name, pl.col(name)).alias(name) for name in SCHEMAS["events"]]
