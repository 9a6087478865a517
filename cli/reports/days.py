"""Sealed days: how good they are, and how their figures go over time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from firewall_logs.contracts import LakeFile, Manifest
from firewall_logs.days.contracts import Day, Level, SealedDay, Verdict
from firewall_logs.days.measures import MEASURES, Unit
from firewall_logs.days.view import DOCUMENTS, newest_versions
from firewall_logs.locations import day_key
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_READERS: Final = 16
# Two months: what fits a page, and shows a trend.
MOST_DAYS: Final = 60
_MOST_TRENDS: Final = 6
_SEVERITY: Final[Mapping[Level, int]] = {"pass": 0, "warn": 1, "fail": 2}


@dataclass(frozen=True)
class Cell:
    """A feed on a day.

    Attributes:
        level: The worst of its verdicts.
        told: What was not passed, in words.
    """

    rows: int
    level: Level
    told: str


@dataclass(frozen=True)
class DayRow:
    """A day, sealed or not.

    Attributes:
        sealed: Its newest version; None where it has none yet.
        cells: By feed.
    """

    state: Day
    sealed: SealedDay | None
    cells: dict[str, Cell]

    @property
    def waived(self) -> list[str]:
        """The rules that somebody accepted."""
        return self.sealed.waived if self.sealed else []


@dataclass(frozen=True)
class Point:
    """The figure of a rule on a feed's day."""

    day: date
    feed: str
    figure: float
    verdict: Verdict


@dataclass(frozen=True)
class Trend:
    """A rule's figures over days.

    Attributes:
        level: The worst there is.
    """

    rule: str
    measure: str
    unit: Unit
    level: Level
    points: list[Point]


def read_days(s3: "S3Client", bucket: str) -> list[SealedDay]:
    """Return the newest version of the latest days that are sealed, by date."""
    lake = Bucket(s3, bucket)
    versions = newest_versions(key for key, _ in lake.keys(DOCUMENTS))
    keys = [day_key(day, versions[day]) for day in sorted(versions)[-MOST_DAYS:]]
    with ThreadPoolExecutor(_READERS) as readers:
        return [SealedDay.model_validate_json(body) for body in readers.map(lake.get, keys) if body]


def lake_files(manifests: Iterable[Manifest], days: Iterable[SealedDay]) -> Iterator[LakeFile]:
    """Yield the files that hold the rows of these objects now.

    A seal replaces the files that manifests name by those of the whole day, whoever brought its rows.
    """
    sealed = {day.event_date: (day, set(day.objects)) for day in days}
    whole: set[date] = set()
    for manifest in manifests:
        for file in manifest.files:
            if file.event_date in sealed and manifest.object_id in sealed[file.event_date][1]:
                whole.add(file.event_date)
            else:
                yield file
    for day in sorted(whole):
        yield from sealed[day][0].files


def day_rows(days: Iterable[SealedDay], states: Iterable[Day]) -> list[DayRow]:
    """Return the sealed days and those that wait for a seal, the latest first."""
    sealed = {day.event_date: day for day in days}
    known = {state.event_date: state for state in states}
    first = min(sealed, default=date.max)
    # Older ones than are shown, and those that nothing was ever sealed of, are no news here.
    shown = sealed.keys() | {day for day, state in known.items() if day >= first or state.status == "BLOCKED"}
    return [
        DayRow(
            state=known.get(day, Day(event_date=day, status="SEALED")),
            sealed=sealed.get(day),
            cells=_cells(sealed[day]) if day in sealed else {},
        )
        for day in sorted(shown, reverse=True)
    ]


def trends(days: Iterable[SealedDay]) -> list[Trend]:
    """Return the rules most worth a look, with their figures: those that were broken first, then those that move."""
    by_rule: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for day in days:
        for verdict in day.quality:
            if verdict.figure is not None:
                point = Point(day.event_date, verdict.feed, verdict.figure, verdict)
                by_rule[verdict.rule, verdict.measure].append(point)
    found = [
        Trend(rule, measure, MEASURES[measure].unit, _worst(p.verdict for p in points), points)
        for (rule, measure), points in by_rule.items()
        if measure in MEASURES and len({p.day for p in points}) > 1
    ]
    moving = [trend for trend in found if trend.level != "pass" or len({p.figure for p in trend.points}) > 1]
    return sorted(moving, key=lambda trend: (-_SEVERITY[trend.level], trend.rule))[:_MOST_TRENDS]


def _cells(day: SealedDay) -> dict[str, Cell]:
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in day.quality:
        verdicts[verdict.feed].append(verdict)
    return {
        feed: Cell(
            rows=day.rows.get(feed, 0),
            level=_worst(verdicts[feed]),
            told="; ".join(f"{v.rule}: {v.detail}" for v in verdicts[feed] if v.level != "pass"),
        )
        for feed in sorted(verdicts.keys() | day.rows.keys())
    }


def _worst(verdicts: Iterable[Verdict]) -> Level:
    return max((verdict.level for verdict in verdicts), key=_SEVERITY.__getitem__, default="pass")
