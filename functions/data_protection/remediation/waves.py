"""Waves: a plan is applied to one resource first, then to a tenth of them, then to the rest. Pure."""

from collections.abc import Iterator, Sequence
from math import ceil

from pydantic import BaseModel, ConfigDict

from data_protection.remediation.plans import Plan, Step

_CANARIES = 1
_SECOND = 0.1  # of all groups


class Group(BaseModel):
    """Steps that are applied one after the other, as they change the same resources.

    Attributes:
        steps: Their ids, in order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: tuple[str, ...]


class Wave(BaseModel):
    """Groups that are worked on side by side.

    Attributes:
        groups: Of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    groups: tuple[Group, ...]


def waves(plan: Plan) -> tuple[Wave, ...]:
    """Return the waves of a plan; each begins once every step of the one before is good.

    Where calls for several resources change one that these share, all of them are one group. Groups of few resources
    come first: the first wave is to find out what is wrong with a plan where it does least harm.
    """
    groups = sorted(_groups(plan.steps), key=lambda steps: len({step.arn for step in steps}))
    second = _CANARIES + ceil(len(groups) * _SECOND)
    parts = (groups[:_CANARIES], groups[_CANARIES:second], groups[second:])
    return tuple(
        Wave(groups=tuple(Group(steps=tuple(step.id for step in group)) for group in part)) for part in parts if part
    )


def _groups(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Yield steps that are connected by what they judge, change or follow, in the order of the plan."""
    left = list(steps)
    while left:
        group, touched = [left.pop(0)], set[str]()
        size = 0
        while size != len(group):
            size = len(group)
            touched |= {name for step in group for name in _touched(step)}
            group += [step for step in left if _touched(step) & touched]
            left = [step for step in left if step not in group]
        yield [step for step in steps if step in group]


def _touched(step: Step) -> set[str]:
    return {step.arn, step.target, step.id, *step.follows}
