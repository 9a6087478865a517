"""The record of what was planted: the witness that the pipeline's counts are held against."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any, Self, TypeVar

import polars as pl

RECORD = "planted.json"
_NS = 10**9
T = TypeVar("T")


@dataclass(frozen=True)
class PlantedFeed:
    """A feed as the pipeline's configuration needs it, but for the bucket."""

    name: str
    prefix: str
    zone: str
    format: str
    naive_times: str


@dataclass(frozen=True)
class EventCount:
    """Events that must be in the lake."""

    event_date: str
    event_hour: int
    action: str
    events: int


@dataclass
class PlantedObject:
    """One raw object and what must become of it.

    Attributes:
        path: Below the output folder.
        key: In the bucket.
        ignored: Whether it is none of the feed's data at all, such as an ownership challenge.
        defect: Why it cannot be read as a whole; then no row of it counts.
        quarantined: Rows by reason.
        unknown_columns: Rows with a value, by column; all of them stay in the lake.
        unknown_values: Rows by field and value; all of them stay in the lake.
        near_duplicates: Rows that differ from the one before them in the client's address only; they stay.
        late: Rows that stay and belong to a day before the object's own.
        bad_rows: (position in the object, reason) of each quarantined row.
        events: Rows that stay, by date, hour and action.
    """

    path: str
    key: str
    feed: str
    format: str
    ignored: bool = False
    defect: str | None = None
    rows_in: int = 0
    rows_out: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    blank_lines: int = 0
    unknown_columns: dict[str, int] = field(default_factory=dict)
    unknown_values: dict[str, dict[str, int]] = field(default_factory=dict)
    near_duplicates: int = 0
    late: int = 0
    row_groups: int | None = None
    bad_rows: list[tuple[int, str]] = field(default_factory=list)
    events: list[EventCount] = field(default_factory=list)


@dataclass(frozen=True)
class Put:
    """One step of the demo: put the file `path` to `key`."""

    path: str
    key: str


@dataclass
class Planted:
    """Everything that was generated.

    Attributes:
        rows: Events asked for; duplicates, near-duplicates and rows of another dataset come on top.
        puts: In the order in which the objects are to arrive.
        totals: Sums over the objects, under the names of their attributes.
    """

    seed: int
    rows: int
    feeds: list[PlantedFeed]
    objects: list[PlantedObject]
    puts: list[Put]
    totals: dict[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write the record to `folder`."""
        (folder / RECORD).write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the record from `folder`."""
        raw = json.loads((folder / RECORD).read_text())
        return cls(
            seed=raw["seed"],
            rows=raw["rows"],
            feeds=[PlantedFeed(**feed) for feed in raw["feeds"]],
            objects=[
                PlantedObject(
                    **{
                        **each,
                        "bad_rows": [(row, reason) for row, reason in each["bad_rows"]],
                        "events": [EventCount(**count) for count in each["events"]],
                    }
                )
                for each in raw["objects"]
            ],
            puts=[Put(**put) for put in raw["puts"]],
            totals=raw["totals"],
        )


def count_events(times: pl.Series, actions: pl.Series) -> list[EventCount]:
    """Count events by UTC date, hour and action; `times` are ns since the epoch."""
    counted = (
        pl.DataFrame({"hour": times // (3600 * _NS), "action": actions})
        .group_by("hour", "action")
        .len()
        .sort("hour", "action")
    )
    return [
        EventCount(start.date().isoformat(), start.hour, action, events)
        for hour, action, events in counted.iter_rows()
        for start in [datetime.fromtimestamp(hour * 3600, UTC)]
    ]


def count_late(times: pl.Series, day: date) -> int:
    """Count the events before `day`."""
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return int((times < start * _NS).sum())


def total(objects: Iterable[PlantedObject]) -> dict[str, Any]:
    """Add the objects up."""
    listed = list(objects)
    quarantined: Counter[str] = Counter()
    columns: Counter[str] = Counter()
    events: Counter[tuple[str, int, str]] = Counter()
    values: dict[str, Counter[str]] = {}
    for each in listed:
        quarantined.update(each.quarantined)
        columns.update(each.unknown_columns)
        events.update({(count.event_date, count.event_hour, count.action): count.events for count in each.events})
        for name, seen in each.unknown_values.items():
            values.setdefault(name, Counter()).update(seen)
    return {
        "objects": len(listed),
        "ignored": sum(each.ignored for each in listed),
        "defects": {each.path: each.defect for each in listed if each.defect},
        "rows_in": sum(each.rows_in for each in listed),
        "rows_out": sum(each.rows_out for each in listed),
        "quarantined": dict(sorted(quarantined.items())),
        "duplicates": sum(each.duplicates for each in listed),
        "blank_lines": sum(each.blank_lines for each in listed),
        "unknown_columns": dict(sorted(columns.items())),
        "unknown_values": {name: dict(sorted(seen.items())) for name, seen in sorted(values.items())},
        "near_duplicates": sum(each.near_duplicates for each in listed),
        "late": sum(each.late for each in listed),
        "events": [asdict(EventCount(*key, count)) for key, count in sorted(events.items())],
    }


def drawn(rows: int, share: float, chance: float, random: Random) -> int:
    """Return how many of so many rows something is planted in: a share of them, and by chance one more."""
    return int(rows * share + random.random()) + (random.random() < chance)


def woven(items: Iterable[T], extras: dict[int, list[T]]) -> list[T]:
    """Return `items` with `extras[i]` after the i-th of them."""
    whole: list[T] = []
    for position, item in enumerate(items):
        whole.append(item)
        whole.extend(extras.get(position, ()))
    return whole
