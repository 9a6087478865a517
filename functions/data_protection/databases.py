"""RDS instances: all of an account come in one answer, of which each check takes its own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from data_protection.changes import Call, CannotChange
from data_protection.checks.check import Case
from data_protection.reads.rds import INSTANCES
from data_protection.snapshot import ResourceMissing
from data_protection.verdicts import Verdict

_CHANGING: Final = frozenset({"backing-up", "creating", "modifying", "rebooting"})


def instance(case: Case[Any]) -> Mapping[str, Any]:
    """Return what AWS says of the instance.

    Raises:
        ResourceMissing: There is none of that name.
    """
    found: list[Mapping[str, Any]] = case.get(INSTANCES)["DBInstances"]
    for one in found:
        if one["DBInstanceIdentifier"] == case.resource.name:
            return one
    raise ResourceMissing(case.resource)


def modification(name: str, **setting: Any) -> Call:
    """Return the call that changes one setting of an instance now, not in the next maintenance window."""
    parameters = {"DBInstanceIdentifier": name, "ApplyImmediately": True, **setting}
    return Call(service="rds", operation="modify_db_instance", parameters=parameters)


def settled(instance: Mapping[str, Any], verdict: Verdict) -> Verdict:
    """Return a verdict as one that will change while the instance does: RDS takes no other change meanwhile."""
    return replace(verdict, settling=True) if instance["DBInstanceStatus"] in _CHANGING else verdict


def require_available(instance: Mapping[str, Any]) -> None:
    """Refuse an instance that AWS would refuse to change.

    Raises:
        CannotChange: Something else is changing it.
    """
    if (status := instance["DBInstanceStatus"]) != "available":
        raise CannotChange(f"{instance['DBInstanceIdentifier']} is {status}: plan again when it is available.")
