"""How a resource is now: one check on it, over a snapshot of nothing else."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from data_protection.assessments import cases
from data_protection.checks.check import Case
from data_protection.collection import Questions
from data_protection.errors import ResourceUnreadable
from data_protection.profiles import Profile
from data_protection.remediation.plans import Step
from data_protection.resources import Place, named

if TYPE_CHECKING:
    from data_protection.adapters.snapshots import Snapshots


class Look:
    """Looks at the resource of a step.

    Args:
        step: Of a plan.
        place: Of the plan.
        profile: That asks the step's check of the resource.
        snapshots: Takes the snapshot, with the clients that assess the account.
        now: The time.
    """

    def __init__(
        self, step: Step, place: Place, profile: Profile, snapshots: "Snapshots", now: Callable[[], datetime]
    ) -> None:
        self._check = step.change.check
        self._target = step.change.target
        self._resource = named(step.kind, place, step.name)
        self._profile, self._snapshots, self._now = profile, snapshots, now

    def anyhow(self) -> Case[Any] | None:
        """Return the case as it is; None where the profile asks nothing of the resource any more."""
        now = self._now()
        questions = Questions(self._resource.place, self._profile, [(self._check, self._resource)])
        snapshot = self._snapshots.take(questions, now)
        for check, case in cases(snapshot, self._profile, now):
            if (check.id, case.resource) == (self._check, self._resource):
                return case
        return None

    def if_open(self) -> Case[Any] | None:
        """Return the case as it is; None, too, where since the plan somebody answers for it or a tag protects it.

        Raises:
            ResourceUnreadable: Tags cannot be read, of the resource or of another one that the step changes.
        """
        case = self.anyhow()
        if case is None or self._profile.exception(self._check, case.resource, case.now.date()):
            return None
        snapshot, limits = case.snapshot, self._profile.remediation.limits
        of_all = {str(case.resource): snapshot.tags_of(case.resource)}
        if self._target:
            of_all[self._target] = snapshot.inventory.tags_by_arn(self._target)
        for what, tags in of_all.items():
            if tags is None:
                raise ResourceUnreadable(f"{what} may be protected by now: its tags cannot be read.")
            if limits.protect(tags):
                return None
        return case
