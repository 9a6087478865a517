"""CT-DATA: who read and wrote what is in scope is on record."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field

from data_protection import event_selectors, trails
from data_protection.changes import Call, CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.checks.scope_listed import require_seen
from data_protection.event_selectors import BOTH, Direction, recorded, subject
from data_protection.readings import Answer
from data_protection.reads.cloudtrail import EVENT_SELECTORS, TRAIL_STATUS, TRAILS
from data_protection.resources import Kind, Resource
from data_protection.snapshot import NotRead, ResourceMissing
from data_protection.trails import Trail
from data_protection.verdicts import Status, Verdict

_KINDS: Final = (Kind.TABLE, Kind.BUCKET)  # whose data events are asked for


class DataEvents(Requirement):
    """What is asked of the record of data events.

    Attributes:
        directions: Which must be on record for every table and bucket in scope.
        trail: Name or ARN of the trail that is changed where several could be; any counts that records the region.
    """

    directions: frozenset[Direction] = Field(default=BOTH, min_length=1)
    trail: str | None = None


def _wanted(case: Case[DataEvents], log_buckets: frozenset[str]) -> Sequence[Resource]:
    return [
        resource for resource in case.scope.resources if resource.kind in _KINDS and resource.name not in log_buckets
    ]


def _log_buckets(case: Case[DataEvents]) -> frozenset[str]:
    return frozenset(str(trail.described["S3BucketName"]) for trail in trails.trails(case, None))


@dataclass
class _Record:
    """What the trails that log record together.

    Attributes:
        seen: Directions on record, by resource.
        proven: Those that come from trails that can deliver.
        logging: The trails that log, as far as they could be read.
        unread: Why some could not.
    """

    seen: defaultdict[Resource, frozenset[Direction]]
    proven: defaultdict[Resource, frozenset[Direction]]
    logging: list[Trail]
    unread: NotRead | None = None

    def gaps(self, wanted: Sequence[Resource], asked: frozenset[Direction]) -> Mapping[Resource, frozenset[Direction]]:
        """Return the directions that are asked and not on record."""
        return {one: asked - self.seen[one] for one in wanted if asked - self.seen[one]}


def _record(case: Case[DataEvents], found: Sequence[Trail], wanted: Sequence[Resource]) -> _Record:
    record = _Record(defaultdict(frozenset), defaultdict(frozenset), [])
    for trail in found:
        try:
            status, selectors = trails.status(case, trail), trails.selectors(case, trail)
        except ResourceMissing:  # deleted since it was listed
            continue
        except NotRead as error:
            record.unread = error
            continue
        if not status["IsLogging"]:
            continue
        record.logging.append(trail)
        for one in _reached(case, trail, wanted):
            record.seen[one] |= recorded(selectors, subject(one))
            if not status.get("LatestDeliveryError"):
                record.proven[one] |= recorded(selectors, subject(one))
    return record


def _reached(case: Case[DataEvents], trail: Trail, wanted: Iterable[Resource]) -> Sequence[Resource]:
    """Return whose events come to a trail: those of a bucket arise where it is, maybe in another region."""
    described = trail.described
    return [
        one
        for one in wanted
        if described.get("IsMultiRegionTrail") or described["HomeRegion"] == case.snapshot.where(one).region
    ]


def _validate(case: Case[DataEvents]) -> Verdict:
    found, wanted, asked = trails.trails(case, None), _wanted(case, _log_buckets(case)), case.requirement.directions
    record = _record(case, found, wanted)
    gaps = record.gaps(wanted, asked)
    if gaps and record.unread is not None:
        raise record.unread  # the trail that could not be read may record what the others do not
    expected = {"directions": sorted(asked)}
    observed = {
        "trails": [trail.name for trail in found],
        "not_recorded": {one.arn: sorted(gap) for one, gap in sorted(gaps.items())},
    }
    if gaps:
        first = ", ".join(str(one) for one in sorted(gaps)[:3])
        said = f"Data events of {len(gaps)} resources in scope are not all on record, such as {first}."
        return Verdict(Status.FAIL, said, observed, expected)
    require_seen(case, *_KINDS)
    if looping := [trail.name for trail in record.logging if _loops(case, trail)]:
        said = f"{', '.join(looping)} records its own deliveries: each makes events that it delivers again, and costs."
        return Verdict(Status.WARN, said, observed, expected)
    if any(asked - record.proven[one] for one in wanted):
        said = "They are recorded, but the trail that does so cannot deliver."
        return Verdict(Status.WARN, said, observed, expected)
    return Verdict(Status.PASS, "Data events of everything in scope are on record.", observed, expected)


def _loops(case: Case[DataEvents], trail: Trail) -> bool:
    described = trail.described
    bucket = Resource(Kind.BUCKET, case.resource.place, described["S3BucketName"])
    prefix = f"{described['S3KeyPrefix']}/" if described.get("S3KeyPrefix") else ""
    delivered = subject(bucket, f"{prefix}AWSLogs/")
    return Direction.WRITE in recorded(trails.selectors(case, trail), delivered)


def _propose(case: Case[DataEvents]) -> Sequence[Change]:
    trail = trails.changeable(case, case.requirement.trail)
    if not trails.status(case, trail)["IsLogging"]:
        raise CannotChange(f"The trail {trail.name} does not log: CT-LOGGING comes first.")
    selectors = trails.selectors(case, trail)
    wanted = [subject(one) for one in _reached(case, trail, _wanted(case, _log_buckets(case)))]
    if all(case.requirement.directions <= recorded(selectors, one) for one in wanted):
        raise CannotChange(
            f"{trail.name} records everything in scope that it reaches. If it is of one region and buckets are in "
            "others, CT-HARDEN comes first; if it records its own bucket too, exclude that with a NotStartsWith on "
            "resources.ARN; if it cannot deliver, look at its bucket's policy."
        )
    after = event_selectors.merged(selectors, wanted, case.requirement.directions)
    before = _selectors(selectors)

    def call(setting: Mapping[str, Any]) -> Call:
        parameters = {"TrailName": trail.resource.arn, **setting}
        return Call(service="cloudtrail", operation="put_event_selectors", parameters=parameters)

    # A trail without selectors records all management events, which is what a basic selector says that has no data.
    silent = {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}]}
    return [
        Change(
            check="CT-DATA",
            title=f"Record data events of {len(wanted)} tables and buckets in {trail.name}",
            call=call({"AdvancedEventSelectors": after}),
            inverse=call(before or silent),
            reversibility=Reversibility.REVERSIBLE,
            before=before,
            after={"AdvancedEventSelectors": after},
            target=trail.resource.arn,
            cost="About 0.10 USD for 100,000 data events, and their storage.",
        )
    ]


def _present(case: Case[DataEvents], change: Change) -> Any:
    return _selectors(case.get(EVENT_SELECTORS, trails.changed(case, change).resource))


def _selectors(answer: Answer) -> dict[str, Any] | None:
    """Return the selectors of a trail, of the one form that it has; None for one that has none."""
    kind = next((kind for kind in ("AdvancedEventSelectors", "EventSelectors") if answer.get(kind)), None)
    return {kind: answer[kind]} if kind else None


CHECK: Final = Check(
    id="CT-DATA",
    title="Data events of everything in scope are on record",
    why="Management events do not tell who read a recording or deleted an item; data events do.",
    severity=Severity.HIGH,
    kind=Kind.ACCOUNT,
    requirement=DataEvents,
    reads=(TRAILS,),
    further=(TRAIL_STATUS, EVENT_SELECTORS),
    validate=_validate,
    cost="About 0.10 USD for 100,000 data events, and their storage.",
    advice="Add a data event selector for the tables and buckets to a trail that logs, without its own bucket.",
    controls={
        "AWS FSBP": ("S3.22", "S3.23"),
        "CIS AWS 5.0": ("3.8", "3.9"),
        "PCI DSS 4.0.1": ("10.2.1",),
    },
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"cloudtrail:put_event_selectors"}),
        actions=frozenset({"cloudtrail:PutEventSelectors"}),
        propose=_propose,
        present=_present,
    ),
)
