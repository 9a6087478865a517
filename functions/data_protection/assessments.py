"""Assessments: all checks that a profile asks for, judged over one snapshot. Pure: no call, no clock."""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Case, Check, Requirement, Scope
from data_protection.checks.scope_listed import require_tags
from data_protection.profiles import Exception_, Profile
from data_protection.readings import Unreadable
from data_protection.reads.tagging import TAGS
from data_protection.resources import Kind, Resource, account_of
from data_protection.snapshot import NotRead, Snapshot
from data_protection.verdicts import Status, Verdict, judged

# Of several findings about the same: somebody answers for it under one of its names, or it is as bad as the worst says.
_COUNTS_MOST: Final = (Status.EXCEPTED, Status.FAIL, Status.WARN, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE)


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

    @property
    def arn(self) -> str:
        """The ARN that AWS gives the resource, as far as it was read."""
        return self.case.snapshot.arn_of(self.case.resource)


@dataclass(frozen=True)
class Score:
    """How compliant a place is.

    Attributes:
        percent: Passed of what passed, failed or warned, 0 to 100; None where nothing is known.
        coverage: Known of all that should be, 0 to 100. Both are rounded down, so that 100 is the whole.
        counts: Findings by status.
    """

    percent: float | None
    coverage: float
    counts: dict[Status, int]

    @property
    def compliant(self) -> bool:
        """Whether something is known, and nothing fails, warns or could not be read."""
        broken = (Status.FAIL, Status.WARN, Status.UNKNOWN)
        return self.counts[Status.PASS] > 0 and not any(self.counts[status] for status in broken)


@dataclass(frozen=True)
class Assessment:
    """All findings about a place.

    Attributes:
        snapshot: What was judged.
        findings: By resource, then check; one of each check on what has one ARN, whatever it is called.
        unseen: Kinds of which resources in scope may have been left out, as they or their tags could not be listed.
    """

    snapshot: Snapshot
    findings: Sequence[Finding]
    unseen: frozenset[Kind] = frozenset()

    @property
    def score(self) -> Score:
        """The score."""
        return score(finding.status for finding in self.findings)


def cases(snapshot: Snapshot, profile: Profile, now: datetime) -> Iterable[tuple[Check[Any], Case[Requirement]]]:
    """Yield each check with each resource that the profile asks it of, expected resources that are missing included."""
    asked = profile.scope(snapshot.inventory)
    scope = Scope(
        resources=list(asked),
        needs=asked,
        spared=lambda check, resource: _spared(check, resource, snapshot, profile, now),
        standard_checks=profile.standard_checks,
        protected=lambda resource: _protected(resource, snapshot, profile),
    )
    for resource, requirements in asked.items():
        for check_id, requirement in sorted(requirements.items()):
            yield catalogue()[check_id], Case(resource, requirement, snapshot, now, scope)


def _spared(check: str, resource: Resource, snapshot: Snapshot, profile: Profile, now: datetime) -> str:
    if exception := profile.exception(check, resource, now.date()):
        return f"{exception.owner} answers for {check} there until {exception.expires}"
    return _protected(resource, snapshot, profile)


def _protected(resource: Resource, snapshot: Snapshot, profile: Profile) -> str:
    if (tags := snapshot.tags_of(resource)) is None:
        hidden = Unreadable("TagsUnknown", f"What tags {resource} carries is not known.")
        raise NotRead(TAGS, account_of(snapshot.place), hidden)
    tag = profile.remediation.limits.protect(tags)
    return f"it carries the tag {tag}, which keeps remediation away" if tag else ""


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
    found = (
        _find(check, case, profile)
        for check, case in cases(snapshot, profile, now)
        if only is None or (check.id, case.resource) in only
    )
    return Assessment(
        snapshot,
        _once(found),
        # A look at some is not one at what may have been left out.
        profile.listing(snapshot.place).unseen(snapshot) if only is None else frozenset(),
    )


def score(statuses: Iterable[Status]) -> Score:
    """Return the score of findings: what is excepted or cannot apply counts for nothing, unknown only for coverage."""
    counts = Counter(statuses)
    judged_ = counts[Status.PASS] + counts[Status.FAIL] + counts[Status.WARN]
    whole = judged_ + counts[Status.UNKNOWN]
    return Score(
        percent=_share(counts[Status.PASS], judged_) if judged_ else None,
        coverage=_share(judged_, whole) if whole else 100.0,
        counts={status: counts[status] for status in Status},
    )


def _share(part: int, whole: int) -> float:
    """Return a share in percent, rounded down to a tenth: of many a single failure must not vanish."""
    return 1000 * part // whole / 10


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """Return one finding of each check on each resource, of several the one that counts most.

    A key may be in scope by more than one name: by two of its aliases, or by its id where aliases could not be listed.
    """
    by_arn: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        # Where the first of several stands, so that the order stays.
        former = by_arn.setdefault((finding.check.id, finding.arn), finding)
        by_arn[finding.check.id, finding.arn] = min(former, finding, key=lambda one: _COUNTS_MOST.index(one.status))
    return list(by_arn.values())


def _find(check: Check[Any], case: Case[Requirement], profile: Profile) -> Finding:
    verdict = judge(check, case)
    if profile.asks_by_tag(check.id):
        try:
            require_tags(case.snapshot, case.resource)
        except NotRead:
            verdict = Verdict(Status.UNKNOWN, "What is asked depends on tags, which could not be read.")
    exception = profile.exception(check.id, case.resource, case.now.date())
    # Somebody may answer for a failure; nobody can answer for what was not seen.
    if verdict.status not in {Status.FAIL, Status.WARN}:
        return Finding(check, case, verdict.status, verdict)
    if exception is None:
        if former := profile.lapsed(check.id, case.resource, case.now.date()):
            said = f"{verdict.reason} {former.owner} answered for it until {former.expires}."
            verdict = replace(verdict, reason=said)
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
