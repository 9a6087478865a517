"""Touches: what an event of CloudTrail says was changed, and which verdicts that may change. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from data_protection.checks.catalogue import catalogue
from data_protection.drift.calls import Watched
from data_protection.estate import Account
from data_protection.resources import GLOBAL, Kind, Place, Resource, named


@dataclass(frozen=True)
class Cause:
    """Who did something, as evidence and events tell it.

    Attributes:
        by: As AWS names the caller; empty where nobody knows.
        call: CloudTrail's name of the call, or empty.
        event: Id of CloudTrail's event, or empty.
        at: When.
        plan: Hash of the plan whose call it was, or empty.
    """

    by: str
    call: str
    event: str
    at: datetime
    plan: str = ""


@dataclass(frozen=True)
class Touch:
    """A call that may have changed a resource.

    Attributes:
        watched: The call.
        account: In which.
        region: In which it was made.
        name: Of the resource, or its ARN; None for any of the kind.
        cause: Who made it, and when.
    """

    watched: Watched
    account: str
    region: str
    name: str | None
    cause: Cause

    def places(self, account: Account, partition: str) -> Sequence[Place]:
        """Return where verdicts may change by it.

        A trail may record every region. What is global, and S3's block for the account, is judged at home.
        """
        places = [
            Place(account.account, region, partition, is_home=region == account.regions[0])
            for region in account.regions
        ]
        if self.watched.kind is Kind.TRAIL:
            return places
        if self.watched.kind in GLOBAL or self.watched.source == "s3.amazonaws.com":
            return places[:1]
        return [place for place in places if place.region == self.region]

    def concerns(self, check_id: str, resource: Resource) -> bool:
        """Return whether the verdict of a check on a resource may be another one now."""
        check, watched = catalogue()[check_id], self.watched
        # What a check reads of other resources is not known before they are read.
        if not watched.reads.isdisjoint({*check.further, *check.others}):
            return True
        return not watched.reads.isdisjoint(check.reads) and (
            resource.kind is not watched.kind or self.name is None or self._is(resource)
        )

    def _is(self, resource: Resource) -> bool:
        return self.name is not None and named(resource.kind, resource.place, self.name).arn == resource.arn


class Touches:
    """Several touches: a container of the pairs of check and resource whose verdict may have changed."""

    def __init__(self, touches: Iterable[Touch]) -> None:
        self._latest_first = sorted(touches, key=lambda touch: touch.cause.at, reverse=True)

    def __contains__(self, pair: object) -> bool:
        return isinstance(pair, tuple) and self.cause(*pair) is not None

    def cause(self, check: str, resource: Resource) -> Cause | None:
        """Return who touched a resource last, as far as a check sees it; None where nobody did."""
        for touch in self._latest_first:
            if touch.concerns(check, resource):
                return touch.cause
        return None
