"""RDS-BACKUP: a database can be restored to any second of the last weeks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import Field

from data_protection import databases
from data_protection.changes import CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Made, Mutator, Requirement, Severity
from data_protection.databases import Database
from data_protection.reads.rds import CLUSTERS, INSTANCES
from data_protection.resources import Kind, Resource
from data_protection.verdicts import Status, Verdict


class AutomatedBackups(Requirement):
    """What is asked of an instance's automated backups.

    Attributes:
        days: That they are kept at least; AWS takes up to 35.
    """

    days: int = Field(default=30, ge=1, le=35)


def _validate(case: Case[AutomatedBackups]) -> Verdict:
    keeper = databases.keeper(case)
    return keeper.settled(_judge(keeper.state, case.requirement.days))


def _judge(state: Mapping[str, Any], wanted: int) -> Verdict:
    days = state["BackupRetentionPeriod"]
    coming = state.get("PendingModifiedValues", {}).get("BackupRetentionPeriod", days)
    observed = {"days": days, "pending": coming, "latest_restorable": state.get("LatestRestorableTime")}
    expected = {"days": wanted}
    if min(days, coming) >= wanted:
        return Verdict(Status.PASS, f"Backups are kept {days} days.", observed, expected)
    if days >= wanted:
        # AWS tells of it until the maintenance window makes it so, and then deletes what is older:
        # https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PendingModifiedValues.html
        later = f"will be kept {coming} days" if coming else "will be turned off and deleted"
        said = f"Backups are kept {days} days and {later}, as a change that waits asks; {wanted} days are asked."
        return Verdict(Status.FAIL, said, observed, expected)
    if coming >= wanted:
        return Verdict(Status.WARN, f"Backups will be kept {coming} days.", observed, expected, settling=True)
    said = f"Backups are kept {days} days, {wanted} are asked." if days else "Automated backups are off."
    return Verdict(Status.FAIL, said, observed, expected)


def _propose(case: Case[AutomatedBackups]) -> Sequence[Change]:
    keeper = databases.keeper(case)
    name, present = keeper.resource.name, keeper.state["BackupRetentionPeriod"]
    # What is kept longer and is to be lowered stays as it is.
    days, turns_on = max(case.requirement.days, present), not present
    keeper.require_available()
    if "AwsBackupRecoveryPointArn" in keeper.state:
        raise CannotChange(f"AWS Backup keeps the backups of {name}: change the rule of its plan.")
    databases.require_spared_by_none(case, "RDS-BACKUP", name, _sharing(case, keeper))
    return [
        keeper.change(
            "RDS-BACKUP",
            f"Keep backups of {name} {days} days",
            "BackupRetentionPeriod",
            days,
            # From one number of days to another the change comes at once, of clusters, too, whose least is one day:
            # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html
            # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/modify-multi-az-db-cluster.html
            # https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html
            immediately=turns_on,
            # Undone, all automated backups are deleted, which nobody but people may want:
            # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.BackupRetention.html
            reversibility=Reversibility.SIDE_EFFECTS if turns_on else Reversibility.REVERSIBLE,
            risk="Turning backups on takes it down for a moment; turning them off again deletes them all."
            if turns_on
            else "",
            cost="Backup storage beyond the size of the databases is about 0.095 USD a GB-month.",
            wait_seconds=1800,
        )
    ]


def _sharing(case: Case[AutomatedBackups], keeper: Database) -> Iterable[Resource]:
    """Return the instances whose backups a cluster keeps, in order; none where the instance keeps its own."""
    return databases.members(case.resource.place, keeper.state) if keeper.is_cluster else []


def _may_undo(case: Case[AutomatedBackups], made: Made) -> None:
    keeper = databases.keeper(case)
    if not keeper.is_changed_by(made.change):
        raise CannotChange(
            f"{keeper.resource.name} keeps the backups of {case.resource.name} by now, and those of "
            f"{made.change.target or case.resource.name} itself were changed: bring that back by hand."
        )
    keeper.require_available()
    if made.change.inverse is not None and made.change.inverse.parameters["ApplyImmediately"]:
        keeper.require_nothing_pending("BackupRetentionPeriod")
    databases.require_protected_is_none(case, keeper.resource.name, _sharing(case, keeper))


def _present(case: Case[AutomatedBackups], change: Change) -> Any:
    keeper = databases.keeper(case)
    present = keeper.present("BackupRetentionPeriod")
    return present if keeper.is_changed_by(change) else {"keeper": keeper.resource.arn, **present}


CHECK: Final = Check(
    id="RDS-BACKUP",
    title="Backups are kept long enough",
    why="Damage is often seen weeks later; what is older than the retention cannot be restored.",
    severity=Severity.HIGH,
    kind=Kind.DATABASE,
    requirement=AutomatedBackups,
    reads=(INSTANCES, CLUSTERS),
    validate=_validate,
    cost="Backup storage beyond the size of the databases is about 0.095 USD a GB-month.",
    advice="Set the backup retention period; of a member of a cluster, on the cluster. To turn backups on at once "
    "brings about all that waits for the maintenance window. Turning them off deletes them. A shorter period that "
    "waits for that window fails by now: ask for the present one again.",
    controls={"AWS FSBP": ("RDS.11",)},
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"rds:modify_db_instance", "rds:modify_db_cluster"}),
        actions=frozenset({"rds:ModifyDBInstance", "rds:ModifyDBCluster"}),
        propose=_propose,
        present=_present,
        may_undo=_may_undo,
        undoing_loses=lambda _: "Automated backups older than what is kept then are deleted, or all of them.",
    ),
)
