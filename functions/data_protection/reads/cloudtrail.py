"""Reads of CloudTrail. A trail is read in its home region, by ARN: elsewhere AWS does not answer for it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from data_protection.readings import Answer, Read
from data_protection.resources import Kind, Resource

_MISSING: Final = frozenset({"TrailNotFoundException"})


def trail_of(resource: Resource, described: Mapping[str, Any]) -> Resource:
    """Return the trail of a description, in its home region; `resource` is the account."""
    return Resource(Kind.TRAIL, replace(resource.place, region=described["HomeRegion"]), described["TrailARN"])


def _trails(resource: Resource, answer: Answer) -> Iterable[Resource]:
    return [trail_of(resource, described) for described in answer["trailList"]]


TRAILS: Final = Read(
    name="cloudtrail.DescribeTrails",
    kind=Kind.ACCOUNT,
    service="cloudtrail",
    operation="describe_trails",
    # Shadow trails are those of other regions and of the organization, which record this region too.
    arguments=lambda _: {"includeShadowTrails": True},
    actions=frozenset({"cloudtrail:DescribeTrails"}),
    leads_to=_trails,
)

TRAIL_STATUS: Final = Read(
    name="cloudtrail.GetTrailStatus",
    kind=Kind.TRAIL,
    service="cloudtrail",
    operation="get_trail_status",
    arguments=lambda resource: {"Name": resource.arn},
    actions=frozenset({"cloudtrail:GetTrailStatus"}),
    missing=_MISSING,
)

EVENT_SELECTORS: Final = Read(
    name="cloudtrail.GetEventSelectors",
    kind=Kind.TRAIL,
    service="cloudtrail",
    operation="get_event_selectors",
    arguments=lambda resource: {"TrailName": resource.arn},
    actions=frozenset({"cloudtrail:GetEventSelectors"}),
    missing=_MISSING,
)
