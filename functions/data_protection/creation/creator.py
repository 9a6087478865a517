"""The work of create_secure_resources: plan, make one resource, judge what was made.

A worker may die between any two calls. The next one looks again and goes on with what is left: nothing but the
resource and its tags tells what was done.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from data_protection.assessments import Finding, assess
from data_protection.changes import Call, digest
from data_protection.creation.contracts import (
    CreateResource,
    CreationPlanned,
    CreationValidated,
    PlanCreation,
    PlannedResource,
    ResourceCreated,
    ValidateCreation,
)
from data_protection.creation.enquiry import Enquiry
from data_protection.creation.outlines import Outline, Standing, compared, difference, outline, outlines
from data_protection.creation.requests import Wish, parse_request, profile_of, wishes
from data_protection.errors import CreationDelayed, CreationMissing, CreationStalled
from data_protection.resources import Place
from data_protection.verdicts import Status

if TYPE_CHECKING:
    from data_protection.adapters.creation import CreationCalls, CreationEvidence, CreationSnapshots, CreationStore

_LOOKS: Final = 6  # before the machine is asked to come again
PATIENCE: Final = timedelta(minutes=100)
"""How long one resource is waited for; time to live takes up to an hour to turn on. The machine must have more."""
_FIRST_WAIT: Final = timedelta(seconds=20)
_LONGEST_WAIT: Final = timedelta(minutes=5)
_TOLD: Final = 10  # problems in an answer; the report has them all


class Planner:
    """Plans a request.

    Args:
        place: Where its resources shall be.
        snapshots: Takes snapshots of the place.
        store: Keeps requests and plans.
        boundary: ARN of the policy that bounds every role; empty where roles are not to be made.
    """

    def __init__(self, place: Place, snapshots: "CreationSnapshots", store: "CreationStore", boundary: str) -> None:
        self._place, self._snapshots, self._store = place, snapshots, store
        self._boundary = boundary

    def plan(self, asked: PlanCreation, now: datetime) -> CreationPlanned:
        """Return what a request comes to, and keep it: what is made later is what was planned.

        Raises:
            CreationMissing: There is no request of that name.
            CreationInvalid: It cannot be used.
            CreationRefused: One of its resources cannot be made.
            ResourceUnreadable: One of them cannot be read now.
        """
        request = parse_request(self._store.find(asked.request), self._place, self._boundary)
        some = wishes(request, self._place)
        found = outlines(some, self._snapshots.take(Enquiry(self._place, some), now), now)
        key = self._store.keep_plan(asked.run, asked.time.date(), request, [_told(one) for one in found])
        return CreationPlanned(
            request=request.name,
            apply=asked.apply,
            resources=tuple(
                PlannedResource(kind=one.wish.resource.kind, name=one.wish.resource.name, stage=one.wish.stage)
                for one in found
                if one.standing.is_to_make
            ),
            stages=len(request.stages),
            counts=_counts(one.standing for one in found),
            calls=sum(len(one.calls) for one in found),
            key=key,
        )


def _counts(standings: Iterable[Standing]) -> dict[Standing, int]:
    counter = Counter(standings)
    return {standing: counter[standing] for standing in Standing}


def _told(one: Outline) -> dict[str, Any]:
    """Return an outline for plans and reports."""
    return {
        "kind": one.wish.resource.kind,
        "name": one.wish.resource.name,
        "standing": one.standing,
        "differences": list(one.differences),
        "settling": one.settling,
        "calls": [call.model_dump() for call in one.calls],
    }


def _told_finding(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check.id,
        "kind": finding.resource.kind,
        "name": finding.resource.name,
        "status": finding.status,
        "reason": finding.verdict.reason,
    }


class Creator:
    """Makes one resource of a planned request.

    Args:
        place: Where it shall be.
        snapshots: Takes snapshots of the place.
        calls: Makes calls.
        store: Keeps requests, and a record of each call.
        now: The time.
    """

    def __init__(
        self,
        place: Place,
        snapshots: "CreationSnapshots",
        calls: "CreationCalls",
        store: "CreationStore",
        now: Callable[[], datetime],
    ) -> None:
        self._place, self._now = place, now
        self._snapshots, self._calls, self._store = snapshots, calls, store

    def create(self, asked: CreateResource) -> ResourceCreated:
        """Do what can be done to the resource now; what others made is left alone.

        Raises:
            CreationMissing: The run planned no such resource.
            CreationRefused: It cannot be made.
            CreationStalled: It does not become what it shall be.
            ResourceUnreadable: It cannot be read now.
        """
        wish = self._wish(asked)
        made, calls, first, since = asked.made, 0, None, asked.since or self._now()
        waits = "Much was done at once; there may be more."
        for _ in range(_LOOKS):
            found = self._outline(wish, is_ours=bool(made))
            first = first or found.standing
            if not found.calls and not found.settling:
                return ResourceCreated(resource=asked.resource, done=True, standing=first, since=since, calls=calls)
            batch = found.calls[: found.at_once]
            if found.settling or digest([call.model_dump() for call in batch]) == made:
                waits = found.settling or "AWS does not show yet what was done."
                break
            try:
                for call in batch:
                    request_id = self._calls.make(wish.resource.kind, call, self._place.region)
                    calls += 1
                    self._record(asked, wish, call, request_id)
            except CreationDelayed as delayed:
                waits = str(delayed)
                break
            made = digest([call.model_dump() for call in batch])
            if found.finishes:
                return ResourceCreated(resource=asked.resource, done=True, standing=first, since=since, calls=calls)
        waited = self._now() - since
        if waited > PATIENCE:
            raise CreationStalled(f"{wish.resource} is not done after {PATIENCE}: {waits}")
        return ResourceCreated(
            resource=asked.resource,
            done=False,
            standing=first or Standing.MISSING,
            waits=waits,
            made=made,
            since=since,
            wait_seconds=int(wait_after(waited).total_seconds()),
            calls=calls,
        )

    def _wish(self, asked: CreateResource) -> Wish:
        request = self._store.planned(asked.run, asked.time.date())
        for wish in wishes(request, self._place):
            if wish.resource == asked.resource.at(self._place):
                return wish
        raise CreationMissing(f"The run {asked.run} planned no {asked.resource.kind} {asked.resource.name}.")

    def _record(self, asked: CreateResource, wish: Wish, call: Call, request_id: str) -> None:
        day = asked.time.date()
        self._store.record(asked.run, day, wish.resource, call, request_id=request_id, at=self._now())

    def _outline(self, wish: Wish, *, is_ours: bool) -> Outline:
        now = self._now()
        return outline(wish, self._snapshots.take(Enquiry(self._place, [wish]), now), now, made=is_ours)


def wait_after(waited: timedelta) -> timedelta:
    """Return how long to wait until the next look at a resource, the longer the more it was waited for already.

    Every look takes room in the history of the machine, which holds 25,000 events for all resources of a request (Step
    Functions developer guide, "Service quotas").
    """
    return min(max(_FIRST_WAIT, waited / 4), _LONGEST_WAIT)


class Judge:
    """Judges what a run has made, by the checks of assessments.

    Args:
        place: Where it is.
        snapshots: Takes snapshots of the place.
        store: Keeps requests, records and reports.
        evidence: Keeps reports for good.
    """

    def __init__(
        self, place: Place, snapshots: "CreationSnapshots", store: "CreationStore", evidence: "CreationEvidence"
    ) -> None:
        self._place, self._snapshots, self._store, self._evidence = place, snapshots, store, evidence

    def judge(self, asked: ValidateCreation, now: datetime) -> CreationValidated:
        """Judge all resources of the request, and keep the report; what was there before the run cannot fail it.

        Raises:
            CreationMissing: The run planned nothing.
        """
        day = asked.time.date()
        request = self._store.planned(asked.run, day)
        some = wishes(request, self._place)
        snapshot = self._snapshots.take(Enquiry(self._place, some), now)
        findings = assess(snapshot, profile_of(request.name, some), now).findings
        found = [compared(wish, snapshot, now) for wish in some]
        to_make = self._store.to_make(asked.run, day, self._place)
        mine = [one for one in found if one.wish.resource in to_make]
        problems = [*asked.failures, *(problem for one in mine for problem in _problems(one, findings))]
        validated = CreationValidated(
            request=request.name,
            passed=not problems,
            created=sum(one.standing is Standing.SAME for one in mine),
            standings=_counts(one.standing for one in found),
            statuses={status: sum(one.status is status for one in findings) for status in Status},
            problems=tuple(problems[:_TOLD]),
            key=self._store.report_key(asked.run, day),
        )
        resources = [{**_told(one), "made": one.wish.resource in to_make} for one in found]
        report = {
            **validated.model_dump(mode="json"),
            "problems": problems,
            "resources": resources,
            "findings": [_told_finding(one) for one in findings],
            "calls": self._store.records(asked.run, day),
        }
        self._store.keep_report(asked.run, day, report)
        self._evidence.keep(asked.run, day, report)
        return validated


def _problems(one: Outline, findings: Iterable[Finding]) -> list[str]:
    """Return why a resource is not as it was to be made, a sentence each."""
    resource = one.wish.resource
    if one.standing.is_to_make:
        return [f"{resource} is {one.standing}. {' '.join(one.differences) or 'It was not made as a whole.'}"]
    own = [finding for finding in findings if (finding.resource.kind, finding.resource.name) in one.wish.asked]
    seen = {difference(finding.check, finding.resource, resource, finding.verdict) for finding in own}
    return [
        *(f"{resource}: {said}" for said in one.differences if said not in seen),
        *(
            f"{finding.resource} fails {finding.check.id}: {finding.verdict.reason}"
            for finding in own
            if finding.status in {Status.FAIL, Status.UNKNOWN}
        ),
    ]
