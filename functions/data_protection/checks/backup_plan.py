"""BK-PLAN: AWS Backup backs up every table and bucket in scope, and did so lately."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from data_protection import backup_selections, keys
from data_protection.changes import Call, CannotChange, Change, Reversibility, projected
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.checks.scope_listed import require_seen
from data_protection.readings import Found, Read
from data_protection.reads.backup import OPT_IN, PLAN, PLANS, PROTECTED, SELECTION, SELECTIONS, VAULTS, selections_of
from data_protection.reads.kms import KEY
from data_protection.reads.tagging import TAGS
from data_protection.resources import Kind, Place, Resource
from data_protection.snapshot import NotRead, ResourceMissing
from data_protection.times import moment
from data_protection.verdicts import Status, Verdict

_OPT_IN: Final = {Kind.TABLE: "DynamoDB", Kind.BUCKET: "S3"}  # what AWS Backup calls them
_COLD_DAYS: Final = 90  # a recovery point stays at least in cold storage; API reference of Lifecycle
_MOST_ARNS: Final = 500  # of one selection; API reference of BackupSelection


class Plan(BaseModel):
    """A backup plan with one rule, which is made where none covers what is in scope.

    Attributes:
        name: Of the plan, of its rule and of its selection.
        vault: Where recovery points are kept; made if there is none.
        role: ARN of the role by which AWS Backup reads.
        schedule: When, as `cron(0 5 * * ? *)`, in UTC.
        delete_after_days: How long recovery points are kept.
        cold_after_days: When they move to cold storage; None for never.
        key: Id, ARN or alias of the key that a new vault is encrypted with; None for the one that AWS manages.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-zA-Z0-9\-\_\.]{1,50}$")
    vault: str = Field(pattern=r"^[a-zA-Z0-9\-\_]{2,50}$")
    role: str = Field(pattern=r"^arn:[^:]+:iam::")
    schedule: str = Field(default="cron(0 5 * * ? *)", pattern=r"^(cron|rate)\(.+\)$")
    delete_after_days: int = Field(default=35, ge=1)
    cold_after_days: int | None = Field(default=None, ge=1)
    key: str | None = None

    @model_validator(mode="after")
    def _stays_cold(self) -> Self:
        if self.cold_after_days is not None and self.delete_after_days < self.cold_after_days + _COLD_DAYS:
            raise ValueError(
                f"AWS keeps what is in cold storage for {_COLD_DAYS} days: delete after "
                f"{self.cold_after_days + _COLD_DAYS} days or later"
            )
        return self


class Backups(Requirement):
    """What is asked of AWS Backup.

    Attributes:
        kinds: Of the resources in scope that must be backed up.
        leave_out: Names of those that need no backup here, as of access logs, or as they have one in another region.
        hours: How long ago a resource may have been backed up last.
        plan: That is made where none covers them; None where none is made.
    """

    kinds: tuple[Kind, ...] = Field(default=(Kind.TABLE, Kind.BUCKET), min_length=1)
    leave_out: tuple[str, ...] = ()
    hours: int = Field(default=36, ge=1)
    plan: Plan | None = None

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        if others := [kind for kind in self.kinds if kind not in _OPT_IN]:
            raise ValueError(f"{', '.join(others)} cannot be asked for; {', '.join(_OPT_IN)} can")
        return self


def _names(place: Place, asked: Backups) -> Iterable[tuple[Resource, Read]]:
    return keys.asked_key(place, asked.plan.key if asked.plan is not None else None)


def _wanted(case: Case[Backups]) -> Sequence[Resource]:
    """Return what plans of the place can back up: AWS Backup selects resources of its own region."""
    return [one for one in _asked(case) if case.snapshot.where(one) == one.place]


def _elsewhere(case: Case[Backups]) -> Sequence[Resource]:
    return [one for one in _asked(case) if case.snapshot.where(one) != one.place]


def _asked(case: Case[Backups]) -> Sequence[Resource]:
    asked = case.requirement
    return [one for one in case.scope.resources if one.kind in asked.kinds and one.name not in asked.leave_out]


def _plans(case: Case[Backups]) -> Sequence[Resource]:
    plans = case.get(PLANS)["BackupPlansList"]
    return [Resource(Kind.BACKUP_PLAN, case.resource.place, plan["BackupPlanId"]) for plan in plans]


class _Selections:
    """The selections of all plans with a rule, as far as they could be read."""

    def __init__(self, case: Case[Backups]) -> None:
        self.found: list[Mapping[str, Any]] = []
        self.unread: NotRead | None = None
        for plan in _plans(case):
            try:
                if case.get(PLAN, plan)["BackupPlan"].get("Rules"):
                    self._add(case, plan)
            except ResourceMissing:  # deleted since it was listed
                continue
            except NotRead as error:
                self.unread = error

    def _add(self, case: Case[Backups], plan: Resource) -> None:
        for selection in selections_of(plan, case.get(SELECTIONS, plan)):
            try:
                self.found.append(case.get(SELECTION, selection)["BackupSelection"])
            except ResourceMissing:  # deleted since it was listed, as one of its plan
                continue
            except NotRead as error:
                self.unread = error


def _tags(case: Case[Backups], selections: Sequence[Mapping[str, Any]]) -> Mapping[str, Mapping[str, str]]:
    """Return tags by ARN, which need to be read only where a selection goes by them."""
    if not any(backup_selections.reads_tags(selection) for selection in selections):
        return {}
    return {
        one["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in one["Tags"]}
        for one in case.get(TAGS)["ResourceTagMappingList"]
    }


def _uncovered(case: Case[Backups], selections: Sequence[Mapping[str, Any]]) -> Sequence[Resource]:
    tags = _tags(case, selections)
    return [
        one
        for one in _wanted(case)
        if not any(backup_selections.selects(selection, one.arn, tags.get(one.arn, {})) for selection in selections)
    ]


def _validate(case: Case[Backups]) -> Verdict:
    plans, selections = _plans(case), _Selections(case)
    expected = {"kinds": list(case.requirement.kinds), "hours": case.requirement.hours}
    if not plans:
        return Verdict(Status.FAIL, "There is no backup plan.", {"plans": 0}, expected)
    uncovered = _uncovered(case, selections.found)
    observed = {
        "plans": len(plans),
        "selections": len(selections.found),
        "not_selected": sorted(one.arn for one in uncovered),
    }
    if uncovered and selections.unread is not None:
        raise selections.unread  # what could not be read may select them
    if uncovered and _is_begun(case):
        said = "The plan that was made selects nothing yet: plan the changes again, which gives it a selection."
        return Verdict(Status.WARN, said, observed, expected)
    if uncovered:
        said = f"No plan selects {len(uncovered)} resources in scope, such as {uncovered[0]}."
        return Verdict(Status.FAIL, said, observed, expected)
    require_seen(case, *case.requirement.kinds)
    for said, seen in _weaknesses(case, selections.found):
        return Verdict(Status.WARN, said, observed | seen, expected)
    return Verdict(Status.PASS, "Everything in scope is backed up, and was lately.", observed, expected)


def _weaknesses(case: Case[Backups], selections: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, dict[str, Any]]]:
    """Yield why what is selected may have no backup all the same, as a sentence and what was seen."""
    asked, region = case.requirement, case.resource.place.region
    if out := _opted_out(case, selections):
        said = f"AWS Backup is not opted in to {', '.join(out)} in this region, so that its plans leave them out."
        yield said, {"opted_out": out}
    if late := _late(case):
        said = f"{len(late)} resources have no backup of the last {asked.hours} hours, such as {late[0]}."
        yield said, {"late": [one.arn for one in late]}
    if elsewhere := _elsewhere(case):
        said = (
            f"{len(elsewhere)} buckets are in other regions, which no plan of {region} reaches, such as "
            f"{elsewhere[0].name}: see to their backups there, and leave them out here."
        )
        yield said, {"elsewhere": [one.arn for one in elsewhere]}


def _is_begun(case: Case[Backups]) -> bool:
    """Return whether the plan of the profile is there and waits for its selection."""
    asked = case.requirement.plan
    if asked is None:
        return False
    plans = [Resource(Kind.BACKUP_PLAN, case.resource.place, one["BackupPlanId"]) for one in _named(case, asked.name)]
    readings = (case.snapshot.reading(SELECTIONS, plan) for plan in plans)
    return any(isinstance(one, Found) and not one.answer["BackupSelectionsList"] for one in readings)


def _opted_out(case: Case[Backups], selections: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    by_type = [
        one
        for one in _wanted(case)
        if not any(backup_selections.names_type(selection, one.arn) for selection in selections)
    ]
    opted_in = case.get(OPT_IN)["ResourceTypeOptInPreference"]
    return sorted({_OPT_IN[one.kind] for one in by_type if not opted_in.get(_OPT_IN[one.kind], False)})


def _late(case: Case[Backups]) -> Sequence[Resource]:
    last = {one["ResourceArn"]: one.get("LastBackupTime") for one in case.get(PROTECTED)["Results"]}
    allowed = timedelta(hours=case.requirement.hours)
    return [one for one in _wanted(case) if not (time := last.get(one.arn)) or case.now - moment(time) > allowed]


def _propose(case: Case[Backups]) -> Sequence[Change]:
    asked = case.requirement.plan
    if asked is None:
        raise CannotChange("The profile describes no backup plan to make: give one as `plan`.")
    selections = _Selections(case)
    if selections.unread is not None:
        raise selections.unread
    uncovered = _uncovered(case, selections.found)
    if not uncovered:
        raise CannotChange(
            "Plans select everything in scope of this region. Where AWS Backup is not opted in to a type, opt in; "
            "where backups are late, look at its jobs."
        )
    plan = next((one["BackupPlanId"] for one in _named(case, asked.name)), None)
    if plan is not None:
        return [_selection(asked, plan, uncovered)]
    # What AWS calls the plan is known only once it is there: the next plan selects for it.
    return [*_vault(case, asked), _plan(asked)]


def _named(case: Case[Backups], name: str) -> Sequence[Mapping[str, Any]]:
    return [one for one in case.get(PLANS)["BackupPlansList"] if one["BackupPlanName"] == name]


def _vault(case: Case[Backups], asked: Plan) -> Sequence[Change]:
    if any(vault["BackupVaultName"] == asked.vault for vault in case.get(VAULTS)["BackupVaultList"]):
        return []
    parameters = {"BackupVaultName": asked.vault}
    if asked.key is not None:
        parameters["EncryptionKeyArn"] = keys.usable_key(case, asked.key, "a vault")
    undo = {"BackupVaultName": asked.vault}
    return [
        Change(
            check="BK-PLAN",
            title=f"Create the backup vault {asked.vault}",
            call=Call(service="backup", operation="create_backup_vault", parameters=parameters),
            inverse=Call(service="backup", operation="delete_backup_vault", parameters=undo),
            reversibility=Reversibility.REVERSIBLE,
            before=None,
            after=parameters,
        )
    ]


def _plan(asked: Plan) -> Change:
    lifecycle = {"DeleteAfterDays": asked.delete_after_days}
    if asked.cold_after_days is not None:
        lifecycle["MoveToColdStorageAfterDays"] = asked.cold_after_days
    rule = {
        "RuleName": asked.name,
        "TargetBackupVaultName": asked.vault,
        "ScheduleExpression": asked.schedule,
        "Lifecycle": lifecycle,
    }
    parameters = {"BackupPlan": {"BackupPlanName": asked.name, "Rules": [rule]}}
    return Change(
        check="BK-PLAN",
        title=f"Create the backup plan {asked.name}, which the next plan of changes gives its selection",
        call=Call(service="backup", operation="create_backup_plan", parameters=parameters),
        # AWS gives the plan its id; without a selection it does nothing.
        inverse=None,
        reversibility=Reversibility.SIDE_EFFECTS,
        before=None,
        after=parameters,
    )


def _selection(asked: Plan, plan: str, uncovered: Sequence[Resource]) -> Change:
    if len(uncovered) > _MOST_ARNS:
        raise CannotChange(
            f"{len(uncovered)} resources are more than the {_MOST_ARNS} ARNs that one selection takes: select by tag."
        )
    selection = {
        "SelectionName": asked.name,
        "IamRoleArn": asked.role,
        "Resources": sorted(one.arn for one in uncovered),
    }
    parameters = {"BackupPlanId": plan, "BackupSelection": selection}
    return Change(
        check="BK-PLAN",
        title=f"Have {asked.name} back up {len(uncovered)} resources",
        call=Call(service="backup", operation="create_backup_selection", parameters=parameters),
        # AWS gives the selection its id.
        inverse=None,
        reversibility=Reversibility.SIDE_EFFECTS,
        before=None,
        after=parameters,
        risk="Backups of a bucket need its versioning.",
        cost="About 0.05 USD a GB-month for buckets and 0.10 USD for tables.",
    )


def _present(case: Case[Backups], change: Change) -> Any:
    after = change.after
    if change.call.operation == "create_backup_vault":
        vaults = case.get(VAULTS)["BackupVaultList"]
        found = next((one for one in vaults if one["BackupVaultName"] == after["BackupVaultName"]), None)
    elif change.call.operation == "create_backup_plan":
        named_so = _named(case, after["BackupPlan"]["BackupPlanName"])
        plans = [Resource(Kind.BACKUP_PLAN, case.resource.place, one["BackupPlanId"]) for one in named_so]
        found = next((case.get(PLAN, plan) for plan in plans), None)
    else:
        plan = Resource(Kind.BACKUP_PLAN, case.resource.place, after["BackupPlanId"])
        found = next((made for made in _made(case, plan) if projected(made, after) == after), None)
    return None if found is None else projected(found, after)


def _made(case: Case[Backups], plan: Resource) -> Iterable[Mapping[str, Any]]:
    """Return the selections of a plan in the form in which they are made."""
    for selection in selections_of(plan, case.get(SELECTIONS, plan)):
        found = case.get(SELECTION, selection)["BackupSelection"]
        arns = sorted(found.get("Resources", []))
        yield {"BackupPlanId": plan.name, "BackupSelection": {**found, "Resources": arns}}


CHECK: Final = Check(
    id="BK-PLAN",
    title="AWS Backup covers everything in scope, and did so lately",
    why="A plan without a selection, or whose type is not opted in, backs up nothing and looks as if it did.",
    severity=Severity.HIGH,
    kind=Kind.ACCOUNT,
    requirement=Backups,
    reads=(PLANS, OPT_IN, PROTECTED, TAGS, VAULTS),
    further=(PLAN, SELECTIONS, SELECTION, KEY),
    names=_names,
    validate=_validate,
    cost="About 0.05 USD a GB-month for buckets and 0.10 USD for tables.",
    advice="Select every table and bucket by ARN or tag in a plan, opt in to their types, and look at the first jobs.",
    controls={
        "AWS FSBP": ("DynamoDB.4",),
        "NIST 800-53 r5": ("CP-10", "CP-6", "CP-6(1)", "CP-6(2)", "CP-9", "SC-5(2)", "SI-12", "SI-13(5)"),
    },
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.SIDE_EFFECTS,
        operations=frozenset(
            {
                "backup:create_backup_vault",
                "backup:delete_backup_vault",
                "backup:create_backup_plan",
                "backup:create_backup_selection",
            }
        ),
        actions=frozenset(
            {
                "backup:CreateBackupVault",
                "backup:DeleteBackupVault",
                "backup:CreateBackupPlan",
                "backup:CreateBackupSelection",
                "backup-storage:MountCapsule",
                "iam:PassRole",
                # Of the vault's key: https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault.html
                "kms:CreateGrant",
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:GenerateDataKey",
                "kms:RetireGrant",
            }
        ),
        propose=_propose,
        present=_present,
    ),
)
