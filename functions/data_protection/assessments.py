"""Assessments: all checks that a profile asks for, judged over one snapshot. Pure: no call, no clock."""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Case, Check, Requirement, Scope
from data_protection.inventory import listed
from data_protection.profiles import Exception_, Profile
from data_protection.resources import Resource
from data_protection.snapshot import Snapshot
from data_protection.verdicts import Status, Verdict, judged


@dataclass(frozen=True)
class Finding:
    """A check on a resource, judged.

    Attributes:
        check: The check.
        case: The resource and all that was known when it was judged.
        status: What counts: that of the verdict, or excepted.
        verdict: What was found, whether somebody answers for it or not.
        exception: By which it is excepted.
    """

    check: Check[Any]
    case: Case[Any]
    status: Status
    verdict: Verdict
    exception: Exception_ | None = None

    @property
    def resource(self) -> Resource:
        """The resource."""
        return self.case.resource


@dataclass(frozen=True)
class Score:
    """How compliant a place is.

    Attributes:
        percent: Passed of what passed, failed or warned, 0 to 100; None where nothing is known.
        coverage: Known of all that should be, 0 to 100.
        counts: Findings by status.
    """

    percent: float | None
    coverage: float
    counts: dict[Status, int]

    @property
    def compliant(self) -> bool:
        """Whether everything is known and passes."""
        return self.percent == 100 and self.coverage == 100  # noqa: PLR2004 - the whole


@dataclass(frozen=True)
class Assessment:
    """All findings about a place.

    Attributes:
        snapshot: What was judged.
        findings: By resource, then check.
    """

    snapshot: Snapshot
    findings: Sequence[Finding]

    @property
    def score(self) -> Score:
        """The score."""
        return score(finding.status for finding in self.findings)


def cases(snapshot: Snapshot, profile: Profile, now: datetime) -> Iterable[tuple[Check[Any], Case[Requirement]]]:
    """Yield each check with each resource that the profile asks it of, expected resources that are missing included."""
    listing = listed(snapshot.place, snapshot.readings, profile.discovered(snapshot.place))
    asked = profile.scope(snapshot.place, listing, snapshot.tags or {})
    scope = Scope(
        resources=list(asked),
        needs=asked,
    )
    for resource, requirements in asked.items():
        for check_id, requirement in sorted(requirements.items()):
            yield catalogue()[check_id], Case(resource, requirement, snapshot, now, scope)


def assess(
    snapshot: Snapshot, profile: Profile, now: datetime, only: Container[tuple[str, Resource]] | None = None
) -> Assessment:
    """Return the findings of a profile about a snapshot.

    Args:
        snapshot: What was read.
        profile: That asks.
        now: The time.
        only: Of what is in scope, just these checks on these resources, as the snapshot was restricted to them.
    """
    return Assessment(
        snapshot,
        [
            _find(check, case, profile)
            for check, case in cases(snapshot, profile, now)
            if only is None or (check.id, case.resource) in only
        ],
    )


def score(statuses: Iterable[Status]) -> Score:
    """Return the score of findings: what is excepted or cannot apply counts for nothing, unknown only for coverage."""
    counts = Counter(statuses)
    judged_ = counts[Status.PASS] + counts[Status.FAIL] + counts[Status.WARN]
    whole = judged_ + counts[Status.UNKNOWN]
    return Score(
        percent=round(100 * counts[Status.PASS] / judged_, 1) if judged_ else None,
        coverage=round(100 * judged_ / whole, 1) if whole else 100.0,
        counts={status: counts[status] for status in Status},
    )


def _find(check: Check[Any], case: Case[Requirement], profile: Profile) -> Finding:
    verdict = judge(check, case)
    exception = profile.exception(check.id, case.resource, case.now.date())
    # Somebody may answer for a failure; nobody can answer for what was not seen.
    if exception is None or verdict.status not in {Status.FAIL, Status.WARN}:
        return Finding(check, case, verdict.status, verdict)
    return Finding(check, case, Status.EXCEPTED, verdict, exception)


def judge(check: Check[Any], case: Case[Any]) -> Verdict:
    """Return what a check says, whatever AWS answered."""
    try:
        return judged(lambda: check.validate(case))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # AWS answered in a form that the check does not know: that is no verdict, and no reason to stop the others.
        seen = f"{type(error).__name__}: {error}"
        return Verdict(Status.UNKNOWN, f"The answer is not as {check.id} knows it: {seen}.", {"error": seen})
