"""Small tables beside a cut's events, in orders that these do not have: for questions that name no host. Pure."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from firewall_logs.aggregate import HOUR_US, HOURS
from firewall_logs.dictionary import as_dictionary
from firewall_logs.files import LocalFile, path_of, write
from firewall_logs.frames import SCHEMAS
from firewall_logs.keys import Part, Ranking, pack, unpack

if TYPE_CHECKING:
    from firewall_logs.contracts import FileKind

# Who looks up one key reads a row group and the footer, which grows with their number: 240 KB and 35 KB of a cut of 4 M
# rows. Half as large reads less and takes longer.
_ROW_GROUP_ROWS: Final = 32_768
_HOST: Final = "client_request_host"
_RAY: Final = "ray_id"
_COUNTED: Final = ("rule_id", "action", "source", "client_ip")


def write_lookups(events: pl.DataFrame, positions: pl.Series, day: date, out: Path) -> Iterator[LocalFile]:
    """Write a file of each lookup table.

    Args:
        events: Rows of one day: event_time and the columns of the lake that they have.
        positions: Of those that count (UInt32).
        day: Which.
        out: Below which folder.
    """
    tables: dict[FileKind, pl.DataFrame] = {
        "rays": _rays(events, positions),
        "addresses": _addresses(events, positions),
    }
    for kind, rows in tables.items():
        path = path_of(out, kind, day)
        write(kind, path, [rows], rows.schema, _ROW_GROUP_ROWS)
        yield LocalFile(kind, path, day, rows.height, None, None)


def _rays(events: pl.DataFrame, positions: pl.Series) -> pl.DataFrame:
    """Return where the events of each Ray ID are: once each ray_id, host (nulls first) and hour, in that order."""
    if _RAY not in events.columns:
        return SCHEMAS["rays"].to_frame()
    events = events.select(name for name in (_RAY, _HOST, "event_time") if name in events.columns)[positions]
    hosts = Ranking.of(events, _HOST)
    # One word: hosts are no more than rows are.
    places = (
        pack([hosts.part, Part(events["event_time"].to_physical() // HOUR_US % HOURS, HOURS)])[0]
        .to_series()
        .alias("place")
    )
    rays = events[_RAY].cast(pl.String)
    found = pl.DataFrame([rays, places]).filter(rays.is_not_null()).sort(_RAY, "place")
    first = pl.any_horizontal(pl.all().ne_missing(pl.all().shift()))
    found = found.filter(first)
    places = found["place"]
    hours = (places % HOURS).cast(pl.Int8).alias("event_hour")
    return pl.DataFrame([found[_RAY], hosts.texts.gather(places // HOURS), hours])


def _addresses(events: pl.DataFrame, positions: pl.Series) -> pl.DataFrame:
    """Count the events of each address by rule, action and source, in the order of the columns with nulls first."""
    events = events.select(name for name in ("event_time", *_COUNTED) if name in events.columns)[positions]
    # Texts come here where most of a sample are distinct; to rank each address once is still half of ranking each row.
    texts = [column for column in events.get_columns() if column.dtype == pl.String]
    events = events.with_columns(as_dictionary(column) for column in texts)
    rankings = [Ranking.of(events, name) for name in _COUNTED]
    words, sizes = pack(ranking.part for ranking in rankings)
    counted = words.group_by(words.columns).agg(events=pl.len().cast(pl.Int64)).sort(words.columns)
    ranks = unpack(counted.select(words.columns), sizes)
    return pl.DataFrame(
        [*(ranking.texts.gather(found) for ranking, found in zip(rankings, ranks, strict=True)), counted["events"]]
    )
