"""Parquet objects: the same events as columns, in the physical forms that converters leave behind."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

import polars as pl

from demo.plant import PlantedObject, count_events, count_late, drawn, woven

_NS = 10**9
_SPOILED_CHANCE: Final = 0.4
_REPEATED_SHARE: Final = 0.01
_NEAR: Final = 2
_UNSEEN: Final = (0.0008, 0.5)
_UNKNOWN_COLUMN_SHARE: Final = 0.5
_UNSEEN_VALUES: Final = (("Action", "tarpit"), ("Source", "llmguard"))


@dataclass(frozen=True)
class Shape:
    """How a converter wrote a file.

    Attributes:
        form: Of `Datetime`: RFC 3339 text, int64 ns, int64 s, or a timestamp (µs, UTC).
        numbers_as_text: Whether `ClientASN` and `EdgeResponseStatus` are text.
        groups: Row groups.
        new_columns: Whether there are columns that the documentation does not know.
        spoiled: Share of the rows that each reason refuses.
    """

    form: str
    numbers_as_text: bool
    groups: int
    new_columns: bool
    spoiled: float = 0.00015


def plant(
    record: PlantedObject, frame: pl.DataFrame, times: pl.Series, *, shape: Shape, day: date, random: Random
) -> tuple[pl.DataFrame, int]:
    """Return the file's rows with everything planted, and the number of rows of a row group; fill the record.

    Args:
        record: Of the object.
        frame: Sound events under Cloudflare's names, without `Datetime`.
        times: Theirs, in ns since the epoch.
        shape: How the file is to be written.
        day: The object's own.
        random: Decides everything.
    """
    source, copies, near, group_rows = _arranged(frame, shape.groups, random)
    frame, times = frame[source], times.gather(source)
    frame = frame.with_columns(_stamps(times, shape.form))
    if shape.numbers_as_text:
        frame = frame.with_columns(pl.col("ClientASN", "EdgeResponseStatus").cast(pl.String))
    addresses = pl.Series([f"198.51.100.{random.randrange(1, 255)}" for _ in near], dtype=pl.String)
    frame = frame.with_columns(frame["ClientIP"].scatter(near, addresses))

    repeated = {source[row] for row in (*copies, *near)}
    calm = [row for row, origin in enumerate(source) if origin not in repeated]
    random.shuffle(calm)
    frame, bad = _spoiled(frame, shape, calm, random)
    frame = _drifted(frame, record, shape, calm, random)

    gone = {*copies, *bad}
    stays = pl.Series([row for row in range(frame.height) if row not in gone], dtype=pl.Int64)
    record.rows_in, record.rows_out = frame.height, stays.len()
    record.duplicates, record.near_duplicates = len(copies), len(near)
    record.bad_rows = sorted(bad.items())
    record.quarantined = dict(sorted(Counter(bad.values()).items()))
    record.row_groups = -(-frame.height // group_rows)
    record.events = count_events(times.gather(stays), frame["Action"].gather(stays))
    record.late = count_late(times.gather(stays), day)
    return frame, group_rows


def write(frame: pl.DataFrame, path: Path, group_rows: int) -> None:
    """Write the rows as the converters do: snappy."""
    frame.rechunk().write_parquet(path, compression="snappy", row_group_size=group_rows)


def _arranged(frame: pl.DataFrame, groups: int, random: Random) -> tuple[list[int], list[int], list[int], int]:
    """Return for each row of the file the event it shows, which rows are copies, which near ones, and a group's rows.

    A copy stays in the row group of its original: the pipeline may cut the file between row groups, and it looks for
    duplicates in one slice at a time. For that, every group but the last takes the same number of events and copies.
    """
    size = -(-frame.height // groups)
    repeats = max(1, round(size * _REPEATED_SHARE))
    group_rows = size + repeats + _NEAR
    source: list[int] = []
    copies: list[int] = []
    near: list[int] = []
    for start in range(0, frame.height, size):
        count = min(size, frame.height - start)
        chosen = random.sample(range(count), min(repeats + _NEAR, count))
        extras: dict[int, list[tuple[int, str]]] = {}
        for number, at in enumerate(chosen):
            later = random.randrange(at, count)
            extras.setdefault(later, []).append((at, "near" if number < _NEAR else "copy"))
        for at, kind in woven(((at, "event") for at in range(count)), extras):
            if kind == "copy":
                copies.append(len(source))
            elif kind == "near":
                near.append(len(source))
            source.append(start + at)
    return source, copies, near, group_rows


def _stamps(times: pl.Series, form: str) -> pl.Series:
    if form == "text":
        text = pl.from_epoch(times, "ns").dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ")
    elif form == "unixnano":
        text = times
    elif form == "unix":
        text = times // _NS
    else:
        text = pl.from_epoch(times // 1000, "us").dt.replace_time_zone("UTC")
    return text.alias("Datetime")


def _spoils(shape: Shape) -> dict[str, list[tuple[str, Any]]]:
    """Return the ways in which a row of such a file can be refused: by reason, a column and its value."""
    old, far = datetime(2009, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2098, 1, 1, tzinfo=UTC)
    ways: dict[str, list[tuple[str, Any]]] = {
        "time_missing": [("Datetime", None)],
        "ip_invalid": [("ClientIP", "198.51.100.256"), ("ClientIP", "2001:db8::1::2"), ("ClientIP", "-")],
        "out_of_range": [("MatchIndex", -1), ("OriginResponseStatus", 1000), ("OriginResponseStatus", -200)],
    }
    if shape.form == "text":
        ways["time_missing"].append(("Datetime", ""))
        ways["time_format"] = [("Datetime", "2026-02-29T10:00:00Z"), ("Datetime", "Mon Jun  1 10:00:00 2026")]
        ways["time_naive"] = [("Datetime", "2026-06-01T10:00:00"), ("Datetime", "2026-06-02 10:00:00.125")]
        ways["time_unit"] = [("Datetime", "12345")]
        ways["time_implausible"] = [("Datetime", "2098-01-01T00:00:00Z"), ("Datetime", "2009-12-31T23:59:59Z")]
    elif shape.form == "native":
        ways["time_implausible"] = [("Datetime", old), ("Datetime", far)]
    else:
        unit = _NS if shape.form == "unixnano" else 1
        ways["time_unit"] = [("Datetime", 0), ("Datetime", -1), ("Datetime", 946_684_799)]
        ways["time_implausible"] = [("Datetime", int(moment.timestamp()) * unit) for moment in (old, far)]
    if shape.numbers_as_text:
        ways["type_conflict"] = [("ClientASN", "AS13335"), ("EdgeResponseStatus", "4e2"), ("ClientASN", "1 ")]
        ways["out_of_range"] += [("EdgeResponseStatus", "1000"), ("ClientASN", "4294967296")]
    else:
        ways["out_of_range"] += [("EdgeResponseStatus", 1000), ("ClientASN", 4_294_967_296)]
    return ways


def _spoiled(frame: pl.DataFrame, shape: Shape, calm: list[int], random: Random) -> tuple[pl.DataFrame, dict[int, str]]:
    bad: dict[int, str] = {}
    changes: dict[str, list[tuple[int, Any]]] = {}
    for reason, ways in _spoils(shape).items():
        for _ in range(min(drawn(frame.height, shape.spoiled, _SPOILED_CHANCE, random), len(calm))):
            row = calm.pop()
            column, value = random.choice(ways)
            changes.setdefault(column, []).append((row, value))
            bad[row] = reason
    for column, cells in changes.items():
        values = pl.Series([value for _, value in cells], dtype=frame.schema[column])
        frame = frame.with_columns(frame[column].scatter([row for row, _ in cells], values))
    return frame, bad


def _drifted(frame: pl.DataFrame, record: PlantedObject, shape: Shape, calm: list[int], random: Random) -> pl.DataFrame:
    for column, value in _UNSEEN_VALUES:
        rows = [calm.pop() for _ in range(min(drawn(frame.height, *_UNSEEN, random), len(calm)))]
        if rows:
            frame = frame.with_columns(frame[column].scatter(rows, value))
            record.unknown_values[column] = {value: len(rows)}
    if not shape.new_columns:
        return frame
    rows = [calm.pop() for _ in range(min(int(frame.height * _UNKNOWN_COLUMN_SHARE), len(calm)))]
    empty = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    words = pl.Series([random.choice(("Machine Learning", "Heuristics")) for _ in rows], dtype=pl.String)
    record.unknown_columns = {"BotScoreSrc": len(rows)}
    # a column of nulls is a column that was not there
    return frame.with_columns(empty.clone().scatter(rows, words).alias("BotScoreSrc"), BotTags=empty)
