"""What a quality rule can measure of a feed's day. A measure is a function here and a line in `MEASURES`.

The names follow those of other tools where they mean the same: completeness, column values, row count, distinct values
(Deequ; AWS Glue's DQDL).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal, NamedTuple

from firewall_logs import schema
from firewall_logs.days.contracts import ColumnProfile, FeedArrivals, FeedProfile

# A single odd day must not become the norm, and a week holds each weekday once.
TRAILING_DAYS: Final = 7
FEWEST_DAYS: Final = 3
_TOLD: Final = 5

Unit = Literal["share", "count", "ratio", "value"]
ColumnKind = Literal["any", "int64", "enumerated"]

KNOWN_VALUES: Final = {field.lake: field.known.values for field in schema.FIELDS if field.known}


@dataclass(frozen=True)
class Subject:
    """What a measure looks at.

    Attributes:
        profile: The feed's rows of the day.
        arrivals: What its objects brought.
        earlier: Its rows on earlier sealed days, the newest first.
        column: Of a measure that is about one, else "".
        values: Of a measure that is about some, in lower case.
    """

    profile: FeedProfile
    arrivals: FeedArrivals
    earlier: Sequence[int]
    column: str = ""
    values: frozenset[str] = frozenset()

    @property
    def of_column(self) -> ColumnProfile:
        """The profile of the column; of one that has none, that of a column without values."""
        return self.profile.columns.get(self.column, ColumnProfile())


class Measurement(NamedTuple):
    """A figure, None where there is nothing to measure, and what it is made of in words."""

    figure: float | None
    detail: str


@dataclass(frozen=True)
class Measure:
    """A kind of figure.

    Attributes:
        take: Measures it.
        unit: Of the figure: a share is from 0 to 1, a ratio 0 or more.
        about: What it measures, for the documentation.
        column: What kind of column a rule must name; None for a measure that is about no column.
        values: Whether a rule may name values (`optional`: default the documented ones), must, or must not.
    """

    take: Callable[[Subject], Measurement]
    unit: Unit
    about: str
    column: ColumnKind | None = None
    values: Literal["none", "optional", "required"] = "none"

    def fits(self, column: str) -> bool:
        """Return whether the measure can be taken of a column of the events table."""
        if self.column == "int64":
            return schema.EVENTS.get(column) == "int64"
        return column in (KNOWN_VALUES if self.column == "enumerated" else schema.EVENTS)


# ---------------------------------------------------------------- of columns


def presence(subject: Subject) -> Measurement:
    """Measure the share of rows with a value."""
    present = subject.of_column.present
    return _share(present, subject.profile.rows, "rows", f"have a value in {subject.column}")


def presence_if_sent(subject: Subject) -> Measurement:
    """Measure the same, but only where a row has a value: a job's field list may leave the field out."""
    if subject.profile.rows and not subject.of_column.present:
        return Measurement(None, f"no row has a value in {subject.column}: the source does not send it")
    return presence(subject)


def low(subject: Subject) -> Measurement:
    """Measure the smallest value of an integer column."""
    return _extreme(subject, subject.of_column.low, "smallest")


def high(subject: Subject) -> Measurement:
    """Measure the largest value of an integer column."""
    return _extreme(subject, subject.of_column.high, "largest")


def membership(subject: Subject) -> Measurement:
    """Measure the share of values that are on the list: what is beyond the profile's names counts as not listed."""
    column = subject.of_column
    odd = {value: rows for value, rows in column.values.items() if value not in subject.values}
    listed = column.present - sum(odd.values()) - column.values_omitted.rows
    found = _share(listed, column.present, f"rows with a value in {subject.column}", "have a known one")
    told = _most(odd, column.values_omitted.names)
    return Measurement(found.figure, f"{found.detail}; unknown: {told}" if told else found.detail)


def value_share(subject: Subject) -> Measurement:
    """Measure the share of values that are one of those named."""
    column = subject.of_column
    named = {value: rows for value, rows in column.values.items() if value in subject.values}
    wanted = " or ".join(repr(value) for value in sorted(subject.values))
    return _share(sum(named.values()), column.present, f"rows with a value in {subject.column}", f"have {wanted}")


def distinct_values(subject: Subject) -> Measurement:
    """Measure how many values an enumerated column has."""
    if not subject.profile.rows:
        return _nothing("rows")
    column = subject.of_column
    count = len(column.values) + column.values_omitted.names
    return Measurement(count, f"{count:,} different values in {subject.column}: {_most(column.values) or 'none'}")


# ---------------------------------------------------------------- of rows


def rows(subject: Subject) -> Measurement:
    """Measure the rows of the day."""
    return Measurement(subject.profile.rows, f"{subject.profile.rows:,} rows")


def rows_against_median(subject: Subject) -> Measurement:
    """Measure the rows over the median of the sealed days before it, from the feed's first day on."""
    newest = list(subject.earlier[:TRAILING_DAYS])
    while newest and not newest[-1]:
        newest.pop()
    if len(newest) < FEWEST_DAYS:
        return Measurement(None, f"{len(newest)} earlier sealed days with rows to compare with, of {FEWEST_DAYS}")
    usual = median(newest)
    told = f"{subject.profile.rows:,} rows, and a median of {usual:,.0f} on {len(newest)} sealed days before"
    return Measurement(subject.profile.rows / usual if usual else None, told)


def cross_object_duplicate_rate(subject: Subject) -> Measurement:
    """Measure the share of rows that repeat one of another object."""
    profile = subject.profile
    return _share(profile.duplicates, profile.rows + profile.duplicates, "rows", "repeat one of another object")


# ---------------------------------------------------------------- of objects


def quarantine_rate(subject: Subject) -> Measurement:
    """Measure the share of the objects' rows that were quarantined."""
    account = subject.arrivals.account
    return _share(account.quarantined, account.rows_in, "rows of its objects", "were quarantined")


def duplicate_rate(subject: Subject) -> Measurement:
    """Measure the share of the objects' rows that repeat one of the same object."""
    account = subject.arrivals.account
    return _share(account.duplicates, account.rows_in, "rows of its objects", "repeat one of the same object")


def objects(subject: Subject) -> Measurement:
    """Measure how many objects brought rows, or are quarantined whole."""
    return Measurement(subject.arrivals.objects, f"{subject.arrivals.objects:,} objects")


def defect_objects(subject: Subject) -> Measurement:
    """Measure how many objects are quarantined whole."""
    arrivals = subject.arrivals
    return Measurement(arrivals.defects, f"{arrivals.defects:,} of {arrivals.objects:,} objects are quarantined whole")


def defect_rate(subject: Subject) -> Measurement:
    """Measure the share of objects that are quarantined whole."""
    return _share(subject.arrivals.defects, subject.arrivals.objects, "objects", "are quarantined whole")


def day_spread(subject: Subject) -> Measurement:
    """Measure the most event dates that one object has."""
    if not subject.arrivals.objects:
        return _nothing("objects")
    return Measurement(subject.arrivals.spread_days, f"one object has rows of {subject.arrivals.spread_days:,} days")


def far_rows(subject: Subject) -> Measurement:
    """Measure the share of the objects' rows whose date is more than a day from the arrival of their object."""
    found = subject.arrivals
    return _share(found.far_rows, found.account.rows_out, "rows of its objects", "are over a day from its arrival")


MEASURES: Final[dict[str, Measure]] = {
    "presence": Measure(presence, "share", "rows with a value in the column", "any"),
    "presence_if_sent": Measure(
        presence_if_sent,
        "share",
        "the same; nothing to measure where no row has one, as the job may not send it",
        "any",
    ),
    "low": Measure(low, "value", "smallest value of the column", "int64"),
    "high": Measure(high, "value", "largest value of the column", "int64"),
    "membership": Measure(
        membership,
        "share",
        "values of the column that are among `values`; default: those its documentation knows",
        "enumerated",
        "optional",
    ),
    "value_share": Measure(
        value_share, "share", "values of the column that are among `values`", "enumerated", "required"
    ),
    "distinct_values": Measure(distinct_values, "count", "different values of the column", "enumerated"),
    "rows": Measure(rows, "count", "rows of the day"),
    "rows_against_median": Measure(
        rows_against_median,
        "ratio",
        f"rows over the median of the {TRAILING_DAYS} sealed days before, {FEWEST_DAYS} of them at least",
    ),
    "cross_object_duplicate_rate": Measure(
        cross_object_duplicate_rate, "share", "rows that repeat one of another object, and were removed"
    ),
    "quarantine_rate": Measure(quarantine_rate, "share", "quarantined rows of the objects' rows"),
    "duplicate_rate": Measure(duplicate_rate, "share", "rows of the objects that repeat one of the same object"),
    "objects": Measure(objects, "count", "objects with rows of the day, or quarantined whole on it"),
    "defect_objects": Measure(defect_objects, "count", "objects quarantined whole"),
    "defect_rate": Measure(defect_rate, "share", "the same, of all objects"),
    "day_spread": Measure(day_spread, "count", "most event dates that one object has"),
    "far_rows": Measure(
        far_rows, "share", "rows of the objects whose event date is over a day from the day the object arrived on"
    ),
}


def _share(part: int, whole: int, of: str, what: str) -> Measurement:
    if not whole:
        return _nothing(of)
    return Measurement(part / whole, f"{part:,} of {whole:,} {of} {what}")


def _nothing(of: str) -> Measurement:
    return Measurement(None, f"there are no {of}: nothing to measure")


def _extreme(subject: Subject, value: int | None, which: str) -> Measurement:
    if value is None:
        return _nothing(f"values in {subject.column}")
    return Measurement(value, f"{value:,} is the {which} value in {subject.column}, of {subject.of_column.present:,}")


def _most(counts: dict[str, int], omitted: int = 0) -> str:
    """Return the most frequent values with their rows, and how many more there are."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    told = [f"{value!r} {number:,}" for value, number in ordered[:_TOLD]]
    more = len(ordered[_TOLD:]) + omitted
    return ", ".join([*told, f"{more:,} more"] if more else told)
