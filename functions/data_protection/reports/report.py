"""An assessment of all places of a run, as reports tell it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import groupby
from typing import Any, Final

from data_protection.assessments import Score, score
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Check, Severity
from data_protection.contracts import ConflictRow, ExceptionRow, FindingRow
from data_protection.exceptions import Misaimed, ended, misaimed
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
        profile: Name of the one by which the place was judged; empty where that was not kept.
        counts: Findings by status.
    """

    run: str
    time: datetime
    profile: str
    counts: Mapping[Status, int] = field(compare=False)


@dataclass(frozen=True)
class Look:
    """What a run saw of a place.

    Attributes:
        account, region: Of the place.
        profile: Name of the one by which it was judged.
        rows: Its findings.
        conflicts: Of requirements there.
        exceptions: Of the profile, that may be about something there.
        past: Its scores in earlier runs, by whatever profile, the latest first.
        former: Its findings in the latest of them by the same profile; None where there was none, or they are kept no
            more.
    """

    account: str
    region: str
    profile: str
    rows: Sequence[FindingRow]
    conflicts: Sequence[ConflictRow] = ()
    exceptions: Sequence[ExceptionRow] = ()
    past: Sequence[PastScore] = ()
    former: Sequence[FindingRow] | None = None

    @property
    def name(self) -> str:
        """The place, for people."""
        return f"{self.account} in {self.region}"

    @property
    def comparable(self) -> Sequence[PastScore]:
        """Its scores by the same profile, the latest first: by another one, other things were asked."""
        return comparable(self.past, self.profile)

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
class Trend:
    """Scores of runs that can be compared: of the same places, each by the same profile.

    Attributes:
        points: In order of time; the last is this run's.
        left_out: How many earlier runs are not among them, as they saw only some of the places, or by another profile.
    """

    points: Sequence[Point]
    left_out: int


@dataclass(frozen=True)
class Step:
    """What to do for one check.

    Attributes:
        check: Which.
        rows: That failed or warn, failures first, then by how long it is so.
    """

    check: Check[Any]
    rows: Sequence[FindingRow]

    @property
    def counts(self) -> Mapping[Status, int]:
        """How many of its findings fail, and how many warn."""
        return Counter(row.status for row in self.rows)

    @property
    def reasons(self) -> Sequence[str]:
        """What is wrong, each reason once: those of failures first, then by how many findings it is the reason."""
        counts = Counter((_GRAVITY.index(row.status), row.reason) for row in self.rows)
        ordered = sorted(counts, key=lambda one: (one[0], -counts[one], one[1]))
        return list(dict.fromkeys(reason for _, reason in ordered))


@dataclass(frozen=True)
class Clash:
    """A conflict with all resources that are in it.

    Attributes:
        rows: At least one, all of one kind of conflict, by place and resource.
    """

    rows: Sequence[ConflictRow]

    @property
    def kind(self) -> ConflictRow:
        """One of them, for what all have: title, requirements and ways out."""
        return self.rows[0]


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
        environment: Of the deployment, for commands.
        looks: What was seen, a place each.
        failures: A sentence for each place that could not be assessed.
        whole_profiles: Profiles of which the run was to see all places of the estate, with how many these are.
    """

    run: str
    time: datetime
    environment: str
    looks: Sequence[Look]
    failures: Sequence[str] = ()
    whole_profiles: Mapping[str, int] = field(default_factory=dict)

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

    @property
    def clashes(self) -> Sequence[Clash]:
        """The conflicts, each kind once."""
        return [Clash(list(rows)) for _, rows in groupby(self.conflicts, key=lambda row: row.conflict)]

    @cached_property
    def score(self) -> Score:
        """The score over all places as of one."""
        return score(row.status for row in self.rows)

    @property
    def compliant(self) -> bool:
        """Whether all places were assessed, and all of each is known and passes."""
        return self.score.compliant and not self.failures

    @property
    def profiles(self) -> Sequence[str]:
        """Names of the profiles by which the places were judged."""
        return sorted({look.profile for look in self.looks})

    @property
    def trend(self) -> Trend:
        """The scores of earlier runs that can be compared with this one, and of this one.

        A run that saw only some of the places, or saw one by another profile, would show a jump where nothing changed.
        """
        runs: defaultdict[tuple[datetime, str], list[PastScore]] = defaultdict(list)
        for look in self.looks:
            for past in look.comparable:
                runs[past.time, past.run].append(past)
        earlier = [
            Point(run, time, _together(scores))
            for (time, run), scores in sorted(runs.items())
            if len(scores) == len(self.looks)
        ]
        every = {(past.time, past.run) for look in self.looks for past in look.past}
        return Trend([*earlier, Point(self.run, self.time, self.score)], len(every) - len(earlier))

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
        """What is different from the last look by the same profile."""
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
    def compared(self) -> Sequence[PastScore]:
        """The runs with which `changes` compares, in order of time; none where there is nothing to compare with."""
        former = {past for look in self.looks if look.former is not None for past in look.comparable[:1]}
        return sorted(former, key=lambda past: (past.time, past.run))

    @property
    def exceptions(self) -> Sequence[FindingRow]:
        """What somebody answers for, by the day on which that ends."""
        found = (row for row in self.rows if row.status is Status.EXCEPTED)
        return sorted(found, key=lambda row: (row.expires, key(row)))

    def expires_soon(self, row: FindingRow) -> bool:
        """Whether an exception ends within 30 days."""
        return date.fromisoformat(row.expires) <= self.day + EXPIRES_SOON

    @cached_property
    def misaimed(self) -> Sequence[Misaimed]:
        """Exceptions that are about nothing in any place of the estate with their profile.

        None of a profile that judges a place which this run did not see: the exception may be about something there.
        """
        seen = Counter(look.profile for look in self.looks)
        rows = (row for look in self.looks for row in look.exceptions)
        return misaimed((row for row in rows if seen[row.profile] == self.whole_profiles.get(row.profile)), self.rows)

    @cached_property
    def ended(self) -> Sequence[ExceptionRow]:
        """Exceptions that have ended, but for those that are about nothing."""
        aimless = {(one.row.profile, one.row.check, one.row.name) for one in self.misaimed}
        rows = (row for look in self.looks for row in look.exceptions)
        return ended((row for row in rows if (row.profile, row.check, row.name) not in aimless), self.day)

    @property
    def unknowns(self) -> Sequence[FindingRow]:
        """What could not be read."""
        return [row for row in self.rows if row.status is Status.UNKNOWN]


def comparable(past: Iterable[PastScore], profile: str) -> Sequence[PastScore]:
    """Return the scores by a profile, in their order; none where it is not known."""
    return [one for one in past if profile and one.profile == profile]


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
