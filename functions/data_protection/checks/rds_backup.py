"""RDS-BACKUP: a database can be restored to any second of the last weeks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import Field

from data_protection import databases
from data_protection.changes import CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.reads.rds import CLUSTERS, INSTANCES
from data_protection.resources import Kind
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
    if days >= wanted:
        return Verdict(Status.PASS, f"Backups are kept {days} days.", observed, expected)
    if coming >= wanted:
        return Verdict(Status.WARN, f"Backups will be kept {coming} days.", observed, expected, settling=True)
    said = f"Backups are kept {days} days, {wanted} are asked." if days else "Automated backups are off."
    return Verdict(Status.FAIL, said, observed, expected)


def _propose(case: Case[AutomatedBackups]) -> Sequence[Change]:
    keeper, days = databases.keeper(case), case.requirement.days
    name, turns_on = keeper.resource.name, not keeper.state["BackupRetentionPeriod"]
    keeper.require_available()
    if "AwsBackupRecoveryPointArn" in keeper.state:
        raise CannotChange(f"AWS Backup keeps the backups of {name}: change the rule of its plan.")
    if keeper.is_cluster:
        sharing = databases.members(case.resource.place, keeper.state)
        databases.require_spared_by_none(case, "RDS-BACKUP", name, sharing)
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


def _present(case: Case[AutomatedBackups], _: Change) -> Any:
    return databases.keeper(case).present("BackupRetentionPeriod")


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
    "brings about all that waits for the maintenance window. Turning them off deletes them.",
    controls={"AWS FSBP": ("RDS.11",)},
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"rds:modify_db_instance", "rds:modify_db_cluster"}),
        actions=frozenset({"rds:ModifyDBInstance", "rds:ModifyDBCluster"}),
        propose=_propose,
        present=_present,
    ),
)
