"""Reads of AWS Backup.

Recovery points are not listed vault by vault, which are thousands: of each protected resource AWS says when it was last
backed up, in one list.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from data_protection.readings import Answer, Read
from data_protection.reads.listings import listing
from data_protection.resources import Kind, Resource

_MISSING: Final = frozenset({"ResourceNotFoundException"})


def _plans(resource: Resource, answer: Answer) -> Iterable[Resource]:
    return [Resource(Kind.BACKUP_PLAN, resource.place, plan["BackupPlanId"]) for plan in answer["BackupPlansList"]]


def selections_of(plan: Resource, answer: Answer) -> Iterable[Resource]:
    """Return the selections that an answer of SELECTIONS names."""
    return [
        Resource(Kind.BACKUP_SELECTION, plan.place, f"{plan.name}/{selection['SelectionId']}")
        for selection in answer["BackupSelectionsList"]
    ]


def _selection(resource: Resource) -> Mapping[str, Any]:
    plan, _, selection = resource.name.partition("/")
    return {"BackupPlanId": plan, "SelectionId": selection}


PLANS: Final = listing(
    "backup.ListBackupPlans",
    "backup",
    "list_backup_plans",
    "BackupPlansList",
    "backup:ListBackupPlans",
    leads_to=_plans,
)

PLAN: Final = Read(
    name="backup.GetBackupPlan",
    kind=Kind.BACKUP_PLAN,
    service="backup",
    operation="get_backup_plan",
    arguments=lambda resource: {"BackupPlanId": resource.name},
    actions=frozenset({"backup:GetBackupPlan"}),
    missing=_MISSING,
)

SELECTIONS: Final = Read(
    name="backup.ListBackupSelections",
    kind=Kind.BACKUP_PLAN,
    service="backup",
    operation="list_backup_selections",
    arguments=lambda resource: {"BackupPlanId": resource.name},
    actions=frozenset({"backup:ListBackupSelections"}),
    missing=_MISSING,
    merge=("BackupSelectionsList",),
    leads_to=selections_of,
)

SELECTION: Final = Read(
    name="backup.GetBackupSelection",
    kind=Kind.BACKUP_SELECTION,
    service="backup",
    operation="get_backup_selection",
    arguments=_selection,
    actions=frozenset({"backup:GetBackupSelection"}),
    missing=_MISSING,
)

OPT_IN: Final = Read(
    name="backup.DescribeRegionSettings",
    kind=Kind.ACCOUNT,
    service="backup",
    operation="describe_region_settings",
    arguments=lambda _: {},
    actions=frozenset({"backup:DescribeRegionSettings"}),
)

PROTECTED: Final = listing(
    "backup.ListProtectedResources", "backup", "list_protected_resources", "Results", "backup:ListProtectedResources"
)
VAULTS: Final = listing(
    "backup.ListBackupVaults", "backup", "list_backup_vaults", "BackupVaultList", "backup:ListBackupVaults"
)
