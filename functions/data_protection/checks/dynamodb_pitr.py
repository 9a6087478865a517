"""DDB-PITR: a table can be restored to any second of the last days."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from pydantic import Field

from data_protection.changes import Call, CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.readings import Answer
from data_protection.reads.dynamodb import CONTINUOUS_BACKUPS
from data_protection.resources import Kind
from data_protection.times import moment
from data_protection.verdicts import Status, Verdict

# Of PITR, and how far before now it restores to: typically five minutes.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html
_MOST_DAYS: Final = 35
LAG_MINUTES: Final = 5


class PointInTimeRecovery(Requirement):
    """What is asked of point-in-time recovery.

    Attributes:
        days: How far back a table can be restored.
        rpo_minutes: What may be lost; None where no RPO is stated, and then it is PITR's usual lag of five minutes.
        tolerance_minutes: How much later than that is still no finding.
    """

    days: int = Field(default=_MOST_DAYS, ge=1, le=_MOST_DAYS)
    rpo_minutes: int | None = Field(default=None, ge=1)
    tolerance_minutes: int = Field(default=10, ge=0)


def _validate(case: Case[PointInTimeRecovery]) -> Verdict:
    wanted = case.requirement
    backups = case.get(CONTINUOUS_BACKUPS)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    expected = {"status": "ENABLED", "days": wanted.days}
    status, days = recovery.get("PointInTimeRecoveryStatus"), recovery.get("RecoveryPeriodInDays", _MOST_DAYS)
    if status == "DISABLED":
        return Verdict(Status.FAIL, "Point-in-time recovery is off.", {"status": status}, expected)
    if status != "ENABLED":
        return Verdict(Status.WARN, f"Its status is {status}.", {"status": status}, expected, settling=True)
    latest = recovery.get("LatestRestorableDateTime")
    observed = {"status": status, "days": days, "latest_restorable": latest}
    if days < wanted.days:
        return Verdict(Status.WARN, f"It goes back {days} days, {wanted.days} are asked.", observed, expected)
    allowed = timedelta(minutes=(wanted.rpo_minutes or LAG_MINUTES) + wanted.tolerance_minutes)
    if latest is not None and case.now - moment(latest) > allowed:
        behind = round((case.now - moment(latest)).total_seconds() / 60)
        return Verdict(Status.WARN, f"The latest moment to restore to is {behind} minutes ago.", observed, expected)
    return Verdict(Status.PASS, f"It is on and goes back {days} days.", observed, expected)


def _propose(case: Case[PointInTimeRecovery]) -> Sequence[Change]:
    table = case.resource.name
    backups = case.get(CONTINUOUS_BACKUPS)["ContinuousBackupsDescription"]
    earlier = _specification(backups)

    def call(specification: dict[str, Any]) -> Call:
        return Call(
            service="dynamodb",
            operation="update_continuous_backups",
            parameters={"TableName": table, "PointInTimeRecoverySpecification": specification},
        )

    days = case.requirement.days
    title = f"Turn on point-in-time recovery of {table}"
    if earlier["PointInTimeRecoveryEnabled"]:
        if (kept := earlier["RecoveryPeriodInDays"]) >= days:
            raise CannotChange(f"Recovery of {table} goes back {kept} days; that it lags behind is AWS' to mend.")
        title = f"Keep {days} days for point-in-time recovery of {table}"
    after = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": days}
    return [
        Change(
            check="DDB-PITR",
            title=title,
            call=call(after),
            inverse=call(earlier),
            reversibility=Reversibility.REVERSIBLE,
            before=earlier,
            after=after,
            cost="Continuous backups are paid by the table's size.",
            wait_seconds=300,
        )
    ]


def _present(case: Case[PointInTimeRecovery], _: Change) -> Any:
    return _specification(case.get(CONTINUOUS_BACKUPS)["ContinuousBackupsDescription"])


def _specification(backups: Answer) -> dict[str, Any]:
    """Return what is set, in the form in which it is set."""
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        return {"PointInTimeRecoveryEnabled": False}
    return {
        "PointInTimeRecoveryEnabled": True,
        "RecoveryPeriodInDays": recovery.get("RecoveryPeriodInDays", _MOST_DAYS),
    }


CHECK: Final = Check(
    id="DDB-PITR",
    title="Point-in-time recovery is on",
    why="A faulty deployment or a deleted item is undone by restoring the table to the second before.",
    severity=Severity.HIGH,
    kind=Kind.TABLE,
    requirement=PointInTimeRecovery,
    reads=(CONTINUOUS_BACKUPS,),
    validate=_validate,
    cost="About 0.20 USD a GB-month of table size.",
    advice="Turn it on in the table's Backups tab.",
    controls={
        "AWS FSBP": ("DynamoDB.2",),
        "NIST 800-53 r5": ("CP-10", "CP-6(2)", "CP-9", "SC-5(2)", "SI-12", "SI-13(5)"),
    },
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"dynamodb:update_continuous_backups"}),
        actions=frozenset({"dynamodb:UpdateContinuousBackups"}),
        propose=_propose,
        present=_present,
        undoing_loses=lambda _: "The table cannot be restored to any moment before it is turned on again.",
    ),
)
