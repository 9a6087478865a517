"""Approvals and the task tokens that wait for them, in the table of remediations, which KMS encrypts."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import ClientError

from data_protection.errors import PlanMissing
from data_protection.remediation.approvals import Approval
from kernel.errors import EffectConflict

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ENTRY: Final = "approval"


@dataclass(frozen=True)
class KeptApproval:
    """An approval as it is kept.

    Attributes:
        approval: It.
        token: By which the machine that waits for it is answered; empty where none waits any more. A secret.
    """

    approval: Approval
    token: str = field(repr=False)


class ApprovalReader:
    """Finds what people are asked and have said about plans."""

    IAM: ClassVar = frozenset({"dynamodb:GetItem"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def find(self, plan: str) -> KeptApproval:
        """Return what is asked about a plan.

        Raises:
            PlanMissing: Nothing is asked about it.
        """
        item = self._dynamodb.get_item(TableName=self._table, Key=_key(plan), ConsistentRead=True).get("Item")
        if item is None:
            raise PlanMissing(f"Nobody asks for an approval of the plan {plan}. Was it a dry run?")
        return _kept(item)


class ApprovalStore(ApprovalReader):
    """Keeps it."""

    IAM: ClassVar = frozenset({"dynamodb:GetItem", "dynamodb:UpdateItem"})

    def open(self, approval: Approval) -> Approval:
        """Ask for an approval, and return it, or the one that was asked for before as it stands now."""
        answer = self._dynamodb.update_item(
            TableName=self._table,
            Key=_key(approval.plan),
            UpdateExpression="SET approval = if_not_exists(approval, :approval)",
            ExpressionAttributeValues={":approval": {"S": approval.model_dump_json()}},
            ReturnValues="ALL_NEW",
        )
        return _kept(answer["Attributes"]).approval

    def wait(self, seen: Approval, approval: Approval, token: str) -> None:
        """Keep by which token the machine waits from now on, and for whom.

        Raises:
            EffectConflict: Somebody has decided in the meantime; ask again.
        """
        self._update(
            approval.plan,
            "SET #token = :token, approval = :approval",
            "approval = :seen",
            {":token": token, ":approval": approval.model_dump_json(), ":seen": seen.model_dump_json()},
            f"Somebody has decided about the plan {approval.plan} at the same time; it is asked for again.",
        )

    def keep(self, seen: Approval, approval: Approval) -> str:
        """Keep a decision, and return the token of the machine that waits by then; empty where none does.

        Raises:
            EffectConflict: Somebody else has decided in the meantime.
        """
        return self._update(
            approval.plan,
            "SET approval = :approval",
            "approval = :seen",
            {":approval": approval.model_dump_json(), ":seen": seen.model_dump_json()},
            f"Somebody else has decided about the plan {approval.plan} at the same time. Say it again.",
        ).token

    def forget_token(self, plan: str, token: str) -> None:
        """Forget the token that was answered; another one that waits by now is left alone."""
        try:
            self._update(plan, "REMOVE #token", "#token = :token", {":token": token}, "")
        except EffectConflict:
            return

    def _update(self, plan: str, update: str, condition: str, values: dict[str, str], otherwise: str) -> KeptApproval:
        names: dict[str, Any] = {"ExpressionAttributeNames": {"#token": "token"}} if "#token" in update else {}
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key=_key(plan),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues={name: {"S": value} for name, value in values.items()},
                ReturnValues="ALL_NEW",
                **names,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise EffectConflict(otherwise) from None
        return _kept(answer["Attributes"])


def _key(plan: str) -> dict[str, Any]:
    return {"plan": {"S": plan}, "entry": {"S": _ENTRY}}


def _kept(item: Any) -> KeptApproval:
    return KeptApproval(
        Approval.model_validate_json(item["approval"]["S"]),
        item["token"]["S"] if "token" in item else "",
    )
