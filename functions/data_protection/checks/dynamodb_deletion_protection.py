"""DDB-DELPROT: nobody deletes a table by a slip."""

from collections.abc import Sequence
from typing import Any, Final

from data_protection import tables
from data_protection.changes import Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.reads.dynamodb import TABLE
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict


class DeletionProtection(Requirement):
    """That a table cannot be deleted; there is nothing to choose."""


def _validate(case: Case[DeletionProtection]) -> Verdict:
    # An answer without the member is one of a table that was never protected.
    table = case.get(TABLE)["Table"]
    protected = table.get("DeletionProtectionEnabled", False)
    status, word = (Status.PASS, "on") if protected else (Status.FAIL, "off")
    verdict = Verdict(status, f"Deletion protection is {word}.", {"protected": protected}, {"protected": True})
    return tables.settled(table, verdict)


def _propose(case: Case[DeletionProtection]) -> Sequence[Change]:
    table = case.get(TABLE)["Table"]
    tables.require_active(table)
    name = case.resource.name
    return [
        Change(
            check="DDB-DELPROT",
            title=f"Turn on deletion protection of {name}",
            call=tables.update(name, DeletionProtectionEnabled=True),
            inverse=tables.update(name, DeletionProtectionEnabled=False),
            reversibility=Reversibility.REVERSIBLE,
            before={"DeletionProtectionEnabled": False},
            after={"DeletionProtectionEnabled": True},
            wait_seconds=300,
            risk="A deployment that replaces the table fails until somebody turns protection off.",
        )
    ]


def _present(case: Case[DeletionProtection], _: Change) -> Any:
    return {"DeletionProtectionEnabled": case.get(TABLE)["Table"].get("DeletionProtectionEnabled", False)}


CHECK: Final = Check(
    id="DDB-DELPROT",
    title="Deletion protection is on",
    why="A table that is deleted by a slip takes its stream, alarms and permissions with it, whatever backup there is.",
    severity=Severity.MEDIUM,
    kind=Kind.TABLE,
    requirement=DeletionProtection,
    reads=(TABLE,),
    validate=_validate,
    cost="Free.",
    advice="Turn it on in the table's Additional settings tab.",
    controls={
        "AWS FSBP": ("DynamoDB.6",),
        "NIST 800-53 r5": ("CA-9(1)", "CM-2", "CM-2(2)", "CM-3", "SC-5(2)"),
    },
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"dynamodb:update_table"}),
        actions=frozenset({"dynamodb:UpdateTable"}),
        propose=_propose,
        present=_present,
    ),
)
