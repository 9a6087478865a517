"""What may be done about drift without asking."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from data_protection.changes import Reversibility
from data_protection.checks.catalogue import catalogue
from data_protection.remediation.policy import MAY_BE_PREAPPROVED
from kernel.sentences import nearest


class DriftPolicy(BaseModel):
    """Of a profile.

    Attributes:
        fix: Ids of checks whose drift is fixed at once; only those of phases that may be approved beforehand, whose
            usual change can be undone as if it had never been. A single change that is graver, an exception and a
            protected resource are still left to people.
        fixes_an_hour: Of one resource. More is a fight with somebody who wants it otherwise, mostly a template.
        freeze_hours: How long nothing is fixed on a resource after such a fight.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fix: frozenset[str] = frozenset()
    fixes_an_hour: Annotated[int, Field(ge=1, le=20)] = 3
    freeze_hours: Annotated[float, Field(gt=0, le=720)] = 24

    @field_validator("fix")
    @classmethod
    def _come_back(cls, checks: frozenset[str]) -> frozenset[str]:
        for check in sorted(checks):
            if check not in catalogue():
                raise ValueError(f"there is no check {check}; {nearest(check, catalogue())}")
            mutator = catalogue()[check].mutator
            if mutator is None:
                raise ValueError(f"{check} has no change that would fix it")
            if mutator.reversibility is not Reversibility.REVERSIBLE:
                raise ValueError(
                    f"changes of {check} are of class {mutator.reversibility}; only what comes back as if it had never "
                    "been (A) is fixed without asking"
                )
            if mutator.phase not in MAY_BE_PREAPPROVED:
                raise ValueError(f"{check} belongs to phase {mutator.phase}, which always needs an approval")
        return checks
