"""Drift: what stood better before, as far as anybody knows, and stands worse now. Pure."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from data_protection.assessments import Finding
from data_protection.changes import digest
from data_protection.contracts import PlaceRef
from data_protection.drift.touches import Cause
from data_protection.findings import Standing, plan_of
from data_protection.resources import Kind, Place, Resource, named
from data_protection.verdicts import Status
from kernel.contracts import Contract

OURS: Final = "gatehouse"  # who changed something, where plans and fixes did
_RANK: Final = {Status.PASS: 0, Status.NOT_APPLICABLE: 0, Status.WARN: 1, Status.FAIL: 2}

Pair = tuple[str, str]  # id of a check, ARN of a resource as its name tells it


class Drift(Contract):
    """A check that a resource has met better than now. It is open until the resource is as good again.

    Attributes:
        id: Of this drift; when it comes again after it was fixed, it is another one.
        place: Where.
        check: Its id.
        kind, name, arn: Of the resource; the ARN is AWS' own, as far as it was read.
        before: The best status that was known.
        status: When it was found.
        reason: What the check saw.
        since: When the resource was changed, by the event; when it was looked at, where no event told.
        found: When.
        by: Who changed it, as AWS names the caller; empty where no event told.
        call: By which call, as CloudTrail names it; or empty.
        event: Id of CloudTrail's event; or empty.
    """

    id: str
    place: PlaceRef
    check: str
    kind: Kind
    name: str
    arn: str
    before: Status
    status: Status
    reason: str
    since: datetime
    found: datetime
    by: str = ""
    call: str = ""
    event: str = ""

    @property
    def pair(self) -> Pair:
        """What it is about, as the keys of findings have it."""
        return self.check, self.resource.arn

    @property
    def resource(self) -> Resource:
        """The resource."""
        return named(self.kind, self.place.place, self.name)


class Ending(StrEnum):
    """How a drift ends."""

    FIXED = "fixed"  # the resource is as good as before
    EXCEPTED = "excepted"  # somebody answers for it
    OUT_OF_SCOPE = "out_of_scope"  # nobody asks about it any more
    UNDONE = "undone"  # a plan undoes what the check rests on


class DriftEnd(Contract):
    """A drift that is no more.

    Attributes:
        drift: As it was found.
        how: It ended.
        ended: When that was seen.
        by: Who changed it, `gatehouse` or as AWS names the caller; empty where no event told.
        plan: Hash of the plan by which `gatehouse` did; or empty.
        look: Name of the look that saw it, as findings have it.
    """

    drift: Drift
    how: Ending
    ended: datetime
    by: str = ""
    plan: str = ""
    look: str

    @property
    def seconds(self) -> float:
        """From the change of the resource to the end."""
        return (self.ended - self.drift.since).total_seconds()


@dataclass(frozen=True)
class Comparison:
    """What a look came to.

    Attributes:
        found: Drifts that were not open, or come again after they were fixed.
        open: Drifts that were open and are.
        fixed: Drifts that are no more, now or as another look has seen since they were found.
        closed: Drifts that nobody asks about any more: an exception holds, or the resource is out of scope.
    """

    found: Sequence[Drift]
    open: Sequence[Drift]
    fixed: Sequence[DriftEnd]
    closed: Sequence[DriftEnd]


def compare(
    place: Place,
    findings: Iterable[Finding],
    *,
    standings: Mapping[Pair, Standing],
    opened: Mapping[Pair, Drift],
    cause: Callable[[str, Resource], Cause | None],
    whole: bool,
    unseen: Container[Kind] = frozenset(),
    look: str,
    now: datetime,
) -> Comparison:
    """Compare findings with what was known.

    What only warns is drift where somebody touched it; else it may be time, as with logs that nobody caused.

    Args:
        place: Where.
        findings: Of a look.
        standings: What was known.
        opened: Drifts that are open.
        cause: Who touched a resource, as far as a check sees it.
        whole: Whether the look was at everything in scope.
        unseen: Kinds of which resources in scope may have been left out all the same.
        look: Its name.
        now: When it began.
    """
    found: list[Drift] = []
    still: list[Drift] = []
    fixed: list[DriftEnd] = []
    closed: list[DriftEnd] = []
    seen: set[Pair] = set()
    for finding in findings:
        pair = finding.check.id, finding.resource.arn
        seen.add(pair)
        drift, standing = opened.get(pair), standings.get(pair)
        if standing is not None and standing.since > now:
            standing = None  # of another look, which began later and was done sooner
        touched = cause(finding.check.id, finding.resource)
        if drift is not None:
            end = _end(drift, finding, standing, touched, look=look, now=now)
            if end is None:
                still.append(drift)
                continue
            if end.how is Ending.EXCEPTED:
                closed.append(end)
                continue
            fixed.append(end)
        is_told = finding.status is Status.FAIL or touched is not None
        if standing is not None and is_told and _worsened(finding, standing):
            found.append(_drift(place, finding, standing, touched, now))
    if whole:
        closed += [
            DriftEnd(drift=drift, how=Ending.OUT_OF_SCOPE, ended=now, look=look)
            for pair, drift in opened.items()
            if pair not in seen and drift.kind not in unseen
        ]
    return Comparison(found, still, fixed, closed)


def mended(drift: Drift, standing: Standing, touched: Cause | None = None) -> DriftEnd | None:
    """Return how any look has seen a drift mended since it was found, as those of assessments and of steps do, or None.

    Args:
        drift: Which.
        standing: What was known.
        touched: Who touched the resource last, where that is known.
    """
    is_so = drift.found < standing.since and standing.status in _RANK and _RANK[standing.status] <= _RANK[drift.before]
    if not is_so:
        return None
    plan, by = plan_of(standing.look), ""
    if plan:
        by = OURS
    elif touched is not None and drift.since < touched.at <= standing.since:
        by = touched.by  # who has touched it since may have made it worse again
    return DriftEnd(drift=drift, how=Ending.FIXED, ended=standing.since, by=by, plan=plan, look=standing.look)


def _end(
    drift: Drift, finding: Finding, standing: Standing | None, touched: Cause | None, *, look: str, now: datetime
) -> DriftEnd | None:
    """Return how a drift ended, now or before it came again; None where it did not, or a later look has found it."""
    if drift.found > now:
        return None
    if finding.status is Status.EXCEPTED:
        return DriftEnd(drift=drift, how=Ending.EXCEPTED, ended=now, look=look)
    if standing is not None and (seen := mended(drift, standing, touched)) is not None:
        return seen
    if _is_settled(finding) and _RANK[finding.status] <= _RANK[drift.before]:
        by, plan = (touched.by, touched.plan) if touched is not None else ("", "")
        return DriftEnd(drift=drift, how=Ending.FIXED, ended=now, by=by, plan=plan, look=look)
    return None


def _is_settled(finding: Finding) -> bool:
    return finding.status in _RANK and not finding.verdict.settling


def _worsened(finding: Finding, standing: Standing) -> bool:
    best = standing.known
    return best is not None and _is_settled(finding) and _RANK[finding.status] > _RANK[best]


def _drift(place: Place, finding: Finding, standing: Standing, touched: Cause | None, now: datetime) -> Drift:
    cause = touched or Cause(by="", call="", event="", at=now)
    resource, check = finding.resource, finding.check.id
    return Drift(
        id=digest([str(place), check, resource.arn, cause.at.isoformat()]),
        place=PlaceRef.of(place),
        check=check,
        kind=resource.kind,
        name=resource.name,
        arn=finding.arn,
        before=standing.best or Status.PASS,
        status=finding.status,
        reason=finding.verdict.reason,
        since=cause.at,
        found=now,
        by=cause.by,
        call=cause.call,
        event=cause.event,
    )
