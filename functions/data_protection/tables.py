"""What all changes to DynamoDB tables share."""

from dataclasses import replace
from typing import Any

from data_protection.changes import Call, CannotChange
from data_protection.readings import Answer
from data_protection.verdicts import Verdict


def update(table: str, **setting: Any) -> Call:
    """Return the call that changes one setting of a table; AWS does not say which settings may share a call."""
    return Call(service="dynamodb", operation="update_table", parameters={"TableName": table, **setting})


def settled(table: Answer, verdict: Verdict) -> Verdict:
    """Return a verdict as one that will change while the table does: AWS takes no other change until that is done."""
    return replace(verdict, settling=True) if table["TableStatus"] in {"CREATING", "UPDATING"} else verdict


def require_active(table: Answer) -> None:
    """Refuse a table that AWS would refuse to change.

    Raises:
        CannotChange: Something else is changing it; ResourceInUseException is what AWS would say.
    """
    if (status := table["TableStatus"]) != "ACTIVE":
        raise CannotChange(f"{table['TableName']} is {status}: plan again when it is ACTIVE.")
