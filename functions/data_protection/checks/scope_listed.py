"""SCOPE-LISTED: what a profile selects by pattern or tag could be listed, and is something.

Nobody asks for it: it is asked of each account whose profile selects like that.
"""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from data_protection.checks.check import Case, Check, Requirement, Severity
from data_protection.inventory import LISTINGS, Inventory
from data_protection.reads.iam import AUTHORIZATION
from data_protection.reads.tagging import TAGS
from data_protection.resources import Kind, Resource, account_of
from data_protection.selectors import Selector
from data_protection.snapshot import NotRead, Snapshot
from data_protection.verdicts import Status, Verdict

SCOPE_LISTED: Final = "SCOPE-LISTED"


class Selected(BaseModel):
    """Resources of a kind that a profile selects by a pattern or a tag."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    by: Selector

    def __str__(self) -> str:
        return f"{self.kind} by {self.by}"


class Listed(Requirement):
    """What must be listed.

    Attributes:
        selected: By the profile, as far as it does not name it.
    """

    selected: tuple[Selected, ...] = ()

    @property
    def kinds(self) -> list[Kind]:
        """Of what is selected, in order."""
        return sorted({one.kind for one in self.selected})

    def require_seen(self, snapshot: Snapshot, kind: Kind) -> None:
        """Let only pass where no resource of a kind may have been left out of the scope.

        Raises:
            NotRead: What the profile selects by pattern or tag could not be listed.
        """
        ways = [one.by for one in self.selected if one.kind is kind]
        if ways:
            snapshot.get(LISTINGS[kind].read, account_of(snapshot.place))
        # Roles are listed with their tags; AWS tells those of others for one region at a time.
        if kind is not Kind.ROLE and any(one.tag is not None for one in ways):
            snapshot.get(TAGS, account_of(snapshot.place))
            for one in snapshot.inventory.listed({kind}):
                snapshot.get(TAGS, account_of(snapshot.where(one)))

    def unseen(self, snapshot: Snapshot) -> frozenset[Kind]:
        """Return the kinds of which resources may have been left out of a snapshot."""
        return frozenset(kind for kind in self.kinds if not self._is_seen(snapshot, kind))

    def _is_seen(self, snapshot: Snapshot, kind: Kind) -> bool:
        try:
            self.require_seen(snapshot, kind)
        except NotRead:
            return False
        return True


def require_seen(case: Case[Any], *kinds: Kind) -> None:
    """Let only pass where no resource of these kinds may have been left out of the scope.

    For a verdict that is about all that is in scope: less of it would look better.

    Raises:
        NotRead: What the profile selects by pattern or tag could not be listed.
    """
    asked = case.scope.needs.get(account_of(case.snapshot.place), {}).get(SCOPE_LISTED)
    if isinstance(asked, Listed):
        for kind in kinds:
            asked.require_seen(case.snapshot, kind)


def require_tags(snapshot: Snapshot, resource: Resource) -> None:
    """Let only pass where the tags of a resource, if it has any, were read.

    Raises:
        NotRead: They were not.
    """
    if resource.kind is Kind.ROLE:
        snapshot.get(AUTHORIZATION, account_of(resource.place))
    else:
        snapshot.get(TAGS, account_of(snapshot.where(resource)))


def _validate(case: Case[Listed]) -> Verdict:
    selected, inventory = case.requirement.selected, case.snapshot.inventory
    require_seen(case, *case.requirement.kinds)
    expected = [str(one) for one in selected]
    if nothing := [str(one) for one in selected if not _is_something(one, inventory)]:
        said = f"Nothing here is {', or '.join(nothing)}: correct the profile, or take that out of it."
        return Verdict(Status.WARN, said, {"selects_nothing": nothing}, expected)
    return Verdict(Status.PASS, "All that is selected by pattern or tag was listed.", expected, expected)


def _is_something(selected: Selected, inventory: Inventory) -> bool:
    return any(
        selected.by.matches(one, inventory.tags_of(one), inventory.aliases_of(one))
        for one in inventory.listed({selected.kind})
    )


CHECK: Final = Check(
    id=SCOPE_LISTED,
    title="The resources in scope can be listed, and there are some",
    why="A resource that nobody saw, or that a slip of the pen does not select, is only missing from the report.",
    severity=Severity.HIGH,
    kind=Kind.ACCOUNT,
    requirement=Listed,
    reads=(),  # the inventory's
    validate=_validate,
    cost="None.",
    advice=(
        "Allow the role that assesses the account what the reason names; until then, what was found there before is "
        "unknown and stays in the reports. Correct what selects nothing."
    ),
)
