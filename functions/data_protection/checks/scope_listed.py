"""SCOPE-LISTED: what a profile selects by pattern or tag could be listed, so that nothing is left out unseen.

Nobody asks for it: it is asked of each account whose profile selects like that.
"""

from typing import Final

from data_protection.checks.check import Case, Check, Requirement, Severity
from data_protection.inventory import LISTINGS
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict

SCOPE_LISTED: Final = "SCOPE-LISTED"


class Listed(Requirement):
    """What must be listed.

    Attributes:
        kinds: Of resources.
    """

    kinds: tuple[Kind, ...] = ()


def _validate(case: Case[Listed]) -> Verdict:
    for kind in case.requirement.kinds:
        case.get(LISTINGS[kind].read)
    kinds = [kind.value for kind in case.requirement.kinds]
    return Verdict(Status.PASS, "All kinds that are selected by pattern or tag were listed.", kinds, kinds)


CHECK: Final = Check(
    id=SCOPE_LISTED,
    title="The resources in scope can be listed",
    why="A resource that nobody saw is neither compliant nor not; it is only missing from the report.",
    severity=Severity.HIGH,
    kind=Kind.ACCOUNT,
    requirement=Listed,
    reads=(),  # the inventory's
    validate=_validate,
    cost="None.",
    advice="Allow the role that assesses the account what the reason names.",
)
