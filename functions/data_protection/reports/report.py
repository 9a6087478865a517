"""An assessment of all places of a run, as reports tell it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Final

from data_protection.assessments import Score, score
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Check, Severity
from data_protection.contracts import ConflictRow, FindingRow
from data_protection.verdicts import Status

# Of an exception that somebody should renew or make superfluous.
EXPIRES_SOON: Final = timedelta(days=30)
BROKEN: Final = frozenset({Status.FAIL, Status.WARN})

_SEVERITIES: Final = tuple(severity.value for severity in Severity)
_GRAVITY: Final = (Status.FAIL, Status.WARN, Status.UNKNOWN, Status.EXCEPTED, Status.PASS, Status.NOT_APPLICABLE)

Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class PastScore:
    """The score of a place in a run.

    Attributes:
        run: Name of it.
        time: When the run began.
        counts: Findings by status.
    """

    run: str
    time: datetime
    counts: Mapping[Status, int]


@dataclass(frozen=True)
class Look:
    """What a run saw of a place.

    Attributes:
        account, region: Of the place.
        rows: Its findings.
        conflicts: Of requirements there.
        past: Its scores in earlier runs, the latest first.
        former: Its findings in the latest of them; None where there was none, or they are kept no more.
    """

    account: str
    region: str
    rows: Sequence[FindingRow]
    conflicts: Sequence[ConflictRow] = ()
    past: Sequence[PastScore] = ()
    former: Sequence[FindingRow] | None = None

    @property
    def name(self) -> str:
        """The place, for people."""
        return f"{self.account} in {self.region}"

    @property
    def score(self) -> Score:
        """The score of the place alone."""
        return score(row.status for row in self.rows)


@dataclass(frozen=True)
class Point:
    """The score of all places at a time."""

    run: str
    time: datetime
    score: Score


@dataclass(frozen=True)
class Step:
    """What to do for one check.

    Attributes:
        check: Which.
        rows: That failed or warn, failures first, then by how long it is so.
    """

    check: Check[Any]
    rows: Sequence[FindingRow]


@dataclass(frozen=True)
class Changes:
    """What is different from the last look at each place; a place that was never looked at before tells nothing.

    Attributes:
        broken: That fail or warn now, and did neither before.
        fixed: That pass now, and failed or warned before.
        unknown: That could not be read now, and could before.
        gone: Of the last look, what is in scope no more.
    """

    broken: Sequence[FindingRow]
    fixed: Sequence[FindingRow]
    unknown: Sequence[FindingRow]
    gone: Sequence[FindingRow]


@dataclass(frozen=True)
class Report:
    """A run over all places.

    Attributes:
        run: Name of it.
        time: When it began.
        looks: What was seen, a place each.
        failures: A sentence for each place that could not be assessed.
    """

    run: str
    time: datetime
    looks: Sequence[Look]
    failures: Sequence[str] = ()

    @property
    def day(self) -> date:
        """The day, in UTC."""
        return self.time.date()

    @cached_property
    def rows(self) -> Sequence[FindingRow]:
        """All findings, the worst first."""
        return sorted((row for look in self.looks for row in look.rows), key=_badness)

    @property
    def conflicts(self) -> Sequence[ConflictRow]:
        """All conflicts, by kind."""
        found = (row for look in self.looks for row in look.conflicts)
        return sorted(found, key=lambda row: (row.conflict, row.account, row.region, row.arn, row.sentence))

    @cached_property
    def score(self) -> Score:
        """The score over all places as of one."""
        return score(row.status for row in self.rows)

    @property
    def compliant(self) -> bool:
        """Whether all places were assessed, and all of each is known and passes."""
        return self.score.compliant and not self.failures

    @property
    def trend(self) -> Sequence[Point]:
        """The scores of earlier runs over the same places, and of this one, in order of time.

        A run that saw only some of the places would show a jump where nothing changed, so it is left out.
        """
        runs: defaultdict[tuple[datetime, str], list[PastScore]] = defaultdict(list)
        for look in self.looks:
            for past in look.past:
                runs[past.time, past.run].append(past)
        earlier = [
            Point(run, time, _together(scores))
            for (time, run), scores in sorted(runs.items())
            if len(scores) == len(self.looks)
        ]
        return [*earlier, Point(self.run, self.time, self.score)]

    @cached_property
    def steps(self) -> Sequence[Step]:
        """What to do next, by check: the gravest first, and of equals what mends most."""
        broken: defaultdict[str, list[FindingRow]] = defaultdict(list)
        for row in self.rows:
            if row.status in BROKEN:
                broken[row.check].append(row)
        steps = [Step(catalogue()[check], sorted(rows, key=_age)) for check, rows in broken.items()]
        return sorted(
            steps,
            key=lambda step: (
                _SEVERITIES.index(step.check.severity.value),
                all(row.status is Status.WARN for row in step.rows),
                -len(step.rows),
                step.check.id,
            ),
        )

    @cached_property
    def changes(self) -> Changes:
        """What is different from the last look."""
        known = [look for look in self.looks if look.former is not None]
        before = {key(row): row for look in known for row in look.former or ()}
        now = sorted((row for look in known for row in look.rows), key=_badness)
        left = before.keys() - {key(row) for row in now}

        def was(row: FindingRow) -> Status | None:
            former = before.get(key(row))
            return former.status if former else None

        return Changes(
            broken=[row for row in now if row.status in BROKEN and was(row) not in BROKEN],
            fixed=[row for row in now if row.status is Status.PASS and was(row) in BROKEN],
            unknown=[row for row in now if row.status is Status.UNKNOWN and was(row) is not Status.UNKNOWN],
            gone=[before[one] for one in sorted(left)],
        )

    @property
    def has_former(self) -> bool:
        """Whether there is anything to compare with."""
        return any(look.former is not None for look in self.looks)

    @property
    def exceptions(self) -> Sequence[FindingRow]:
        """What somebody answers for, by the day on which that ends."""
        found = (row for row in self.rows if row.status is Status.EXCEPTED)
        return sorted(found, key=lambda row: (row.expires, key(row)))

    def expires_soon(self, row: FindingRow) -> bool:
        """Whether an exception ends within 30 days."""
        return date.fromisoformat(row.expires) <= self.day + EXPIRES_SOON

    @property
    def unknowns(self) -> Sequence[FindingRow]:
        """What could not be read."""
        return [row for row in self.rows if row.status is Status.UNKNOWN]


def key(row: FindingRow) -> Key:
    """Return what makes a finding the same one in all runs."""
    return row.account, row.region, *row.pair


def _badness(row: FindingRow) -> tuple[Any, ...]:
    return _GRAVITY.index(row.status), _SEVERITIES.index(row.severity), row.name, key(row)


def _age(row: FindingRow) -> tuple[Any, ...]:
    return _GRAVITY.index(row.status), row.since, key(row)


def _together(scores: Iterable[PastScore]) -> Score:
    counts: Counter[Status] = Counter()
    for past in scores:
        counts.update(past.counts)
    return score(counts.elements())
