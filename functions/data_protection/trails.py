"""Trails of CloudTrail: which record a place, and what a snapshot knows of each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from data_protection.changes import CannotChange, Change
from data_protection.checks.check import Case
from data_protection.readings import Answer, Read, Unreadable
from data_protection.reads.cloudtrail import EVENT_SELECTORS, TRAIL_STATUS, TRAILS, trail_of
from data_protection.resources import Kind, Resource
from data_protection.snapshot import NotRead, ResourceMissing
from data_protection.verdicts import Status, Verdict, judged

# The best first: of several trails one that does what is asked is enough.
_BEST: Final = (Status.PASS, Status.WARN, Status.UNKNOWN, Status.FAIL)


@dataclass(frozen=True)
class Trail:
    """A trail that records the place.

    Attributes:
        resource: In its home region, by ARN.
        described: By DescribeTrails.
    """

    resource: Resource
    described: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name."""
        return str(self.described["Name"])


def trails(case: Case[Any], name: str | None) -> Sequence[Trail]:
    """Return the trails that record a place, or the one that a profile names if it does."""
    place = case.resource.place
    return [
        Trail(trail_of(case.resource, described), described)
        for described in case.get(TRAILS)["trailList"]
        if described.get("IsMultiRegionTrail") or described["HomeRegion"] == place.region
        if name in {None, described["Name"], described["TrailARN"]}
    ]


def status(case: Case[Any], trail: Trail) -> Answer:
    """Return what AWS says of a trail's work.

    Raises:
        NotRead: There is no answer. Of a trail of another account AWS says to a member of the organization that there
            is none, though DescribeTrails lists it (https://github.com/cloud-custodian/cloud-custodian/issues/6394).
        ResourceMissing: It was deleted since it was listed.
    """
    return _ask(case, TRAIL_STATUS, trail)


def selectors(case: Case[Any], trail: Trail) -> Answer:
    """Return which events a trail records; as `status`."""
    return _ask(case, EVENT_SELECTORS, trail)


def _ask(case: Case[Any], read: Read, trail: Trail) -> Answer:
    try:
        return case.get(read, trail.resource)
    except ResourceMissing:
        if _account(trail) == case.resource.place.account:
            raise
        hidden = Unreadable("TrailNotFoundException", "AWS does not answer for a trail of another account.")
        raise NotRead(read, trail.resource, hidden) from None


def best(found: Iterable[Trail], judge: Callable[[Trail], Verdict]) -> Verdict:
    """Return the verdict of the trail that does best; of none, that there is none."""
    verdicts = [judged(lambda trail=trail: judge(trail)) for trail in found]  # type: ignore[misc]
    none = Verdict(Status.FAIL, "No trail records this account and region.", observed=[])
    return min(verdicts, key=lambda verdict: _BEST.index(verdict.status), default=none)


def changed(case: Case[Any], change: Change) -> Trail:
    """Return the trail that a change is about.

    Raises:
        ResourceMissing: It records the place no more.
    """
    parameters = change.call.parameters
    arn = parameters.get("TrailName") or parameters["Name"]
    for trail in trails(case, None):
        if trail.resource.arn == arn:
            return trail
    raise ResourceMissing(Resource(Kind.TRAIL, case.resource.place, arn))


def changeable(case: Case[Any], name: str | None) -> Trail:
    """Return the trail that may be changed from here.

    Raises:
        CannotChange: There is none, or more than one and the profile names none, or its home is elsewhere.
    """
    found = trails(case, name)
    own = [trail for trail in found if trail.resource.place == case.resource.place and _is_own(trail)]
    if len(own) == 1:
        return own[0]
    if own:
        names = ", ".join(trail.name for trail in own)
        raise CannotChange(f"There are several trails, {names}: name the one that is meant as `trail` in the profile.")
    if found:
        homes = ", ".join(f"{trail.name} of {trail.resource.arn}" for trail in found)
        raise CannotChange(
            f"A trail is changed only in its own account and home region, and not one of an organization: {homes}."
        )
    raise CannotChange("There is no trail: create one from its template, with a bucket that CloudTrail may write to.")


def _is_own(trail: Trail) -> bool:
    return _account(trail) == trail.resource.place.account and not trail.described.get("IsOrganizationTrail")


def _account(trail: Trail) -> str:
    return trail.resource.arn.split(":")[4]
