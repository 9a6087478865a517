"""How a resource is now: one check on it, over a snapshot of nothing else."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from data_protection.assessments import cases
from data_protection.checks.check import Case
from data_protection.collection import Questions
from data_protection.errors import ReadDenied, ResourceUnreadable
from data_protection.profiles import Profile
from data_protection.readings import Unreadable
from data_protection.reads.tagging import TAGS
from data_protection.remediation.plans import Step
from data_protection.resources import Place, Resource, account_of, named
from data_protection.snapshot import NotRead

if TYPE_CHECKING:
    from data_protection.adapters.snapshots import Snapshots


def unreadable(told: str, unread: NotRead | None, reader: str) -> ResourceUnreadable:
    """Return the error that says that something cannot be read: now, or for want of a right.

    Args:
        told: What cannot be done or known.
        unread: The call that was not answered; None where it is not known.
        reader: Who made it, as an ARN.
    """
    if unread is None or not unread.reading.is_denied:
        return ResourceUnreadable(told)
    rights = " and ".join(sorted(unread.read.actions))
    return ReadDenied(
        f"{told} {reader or 'Who reads'} needs {rights} on {unread.resource.arn}: look at its policy and boundary, at "
        f"policies of the organization and at that of the resource or its key, then go on with the plan by its hash."
    )


class Look:
    """Looks at the resource of a step.

    Args:
        step: Of a plan.
        place: Of the plan.
        profile: That asks the step's check of the resource.
        snapshots: Takes the snapshot, with the clients that assess the account.
        now: The time.
        beside: Other resources of which the step's check is judged over the same snapshot.
        undoing: Whether the step undoes one of another plan.
    """

    def __init__(
        self,
        step: Step,
        place: Place,
        profile: Profile,
        snapshots: "Snapshots",
        now: Callable[[], datetime],
        *,
        beside: Collection[Resource] = (),
        undoing: bool = False,
    ) -> None:
        self._check = step.change.check
        self._target = step.change.target
        self._resource = named(step.kind, place, step.name)
        self._asked = [(self._check, one) for one in {self._resource, *beside}]
        self._profile, self._snapshots, self._now = profile, snapshots, now
        self._undoing = undoing

    def anyhow(self) -> Case[Any] | None:
        """Return the case as it is; None where the profile asks nothing of the resource any more."""
        now = self._now()
        questions = Questions(self._resource.place, self._profile, self._asked, undoing=self._undoing)
        snapshot = self._snapshots.take(questions, now)
        for check, case in cases(snapshot, self._profile, now):
            if (check.id, case.resource) == (self._check, self._resource):
                return case
        return None

    def if_open(self) -> Case[Any] | None:
        """Return the case as it is; None, too, where since the plan somebody answers for it or a tag protects it.

        Raises:
            ResourceUnreadable: Tags cannot be read, of the resource or of another one that the step changes.
            ReadDenied: Nor may they.
        """
        case = self.if_unprotected()
        if case is None or self._profile.exception(self._check, case.resource, case.now.date()):
            return None
        return case

    def if_unprotected(self) -> Case[Any] | None:
        """Return the case as it is; None, too, where a tag protects it by now. Exceptions keep nobody from undoing.

        Raises:
            ResourceUnreadable: Tags cannot be read, of the resource or of another one that the step changes.
            ReadDenied: Nor may they.
        """
        case = self.anyhow()
        if case is None:
            return None
        snapshot, limits = case.snapshot, self._profile.remediation.limits
        of_all = {str(case.resource): snapshot.tags_of(case.resource)}
        if self._target:
            of_all[self._target] = snapshot.inventory.tags_by_arn(self._target)
        for what, tags in of_all.items():
            if tags is None:
                told = f"{what} may be protected by now: its tags cannot be read."
                tagged = account_of(self._resource.place)
                reading = snapshot.reading(TAGS, tagged)
                unread = NotRead(TAGS, tagged, reading) if isinstance(reading, Unreadable) else None
                raise unreadable(told, unread, snapshot.reader)
            if limits.protect(tags):
                return None
        return case
