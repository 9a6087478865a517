"""Merges our rules into a lifecycle that others write too: AWS replaces it whole with each call.

What is ours is known by its id, which begins by `gatehouse-` and its family; everything else is kept as it is.
"""

from collections.abc import Sequence
from enum import StrEnum

from data_protection.changes import CannotChange
from data_protection.lifecycle.limits import configuration_faults, faults
from data_protection.lifecycle.rules import RawRule


class Family(StrEnum):
    """Rules of one purpose, by how their ids begin; merging one family leaves the others alone."""

    TIER = "gatehouse-tier-"
    NONCURRENT = "gatehouse-noncurrent-"

    def owns(self, rule: RawRule) -> bool:
        """Return whether a rule is of this family."""
        return str(rule.get("ID", "")).startswith(self)


def unmerge(rules: Sequence[RawRule], family: Family) -> list[RawRule]:
    """Return the rules that are not of a family, in their order."""
    return [rule for rule in rules if not family.owns(rule)]


def merge(rules: Sequence[RawRule], ours: Sequence[RawRule], family: Family) -> list[RawRule]:
    """Return the rules with ours in place of what the family had; all others are kept as they are, in their order.

    Raises:
        ValueError: A rule of ours is not called as its family.
        CannotChange: AWS would refuse the whole; the sentence says why.
    """
    if strangers := [rule.get("ID") for rule in ours if not family.owns(rule)]:
        raise ValueError(f"{strangers} do not begin by {family}")
    foreign = unmerge(rules, family)
    is_legacy = any("Filter" not in rule for rule in foreign)
    merged = [*foreign, *(_as_legacy(rule) if is_legacy else rule for rule in ours)]
    refused = [fault for rule in ours for fault in faults(rule)] + configuration_faults(merged)
    if refused:
        raise CannotChange(f"AWS would refuse the merged lifecycle. {' '.join(refused)}")
    return merged


def _as_legacy(rule: RawRule) -> RawRule:
    """Return a rule with its prefix outside of a filter: AWS takes no filter beside rules of that form."""
    one = rule["Filter"]
    if one.keys() - {"Prefix"}:
        raise CannotChange(
            f"The bucket has lifecycle rules with a Prefix outside of a Filter, and AWS takes no Filter beside them, "
            f"which {rule['ID']} needs. Write the present rules with a Filter, which changes nothing else."
        )
    return {name: value for name, value in rule.items() if name != "Filter"} | {"Prefix": one.get("Prefix", "")}
