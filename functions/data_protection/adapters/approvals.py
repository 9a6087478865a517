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

    def request(self, approval: Approval, token: str) -> KeptApproval:
        """Ask for an approval, or go on with the one that was asked for: the machine waits with another token now."""
        answer = self._dynamodb.update_item(
            TableName=self._table,
            Key=_key(approval.plan),
            UpdateExpression="SET #token = :token, approval = if_not_exists(approval, :approval)",
            ExpressionAttributeNames={"#token": "token"},
            ExpressionAttributeValues={
                ":token": {"S": token},
                ":approval": {"S": approval.model_dump_json()},
            },
            ReturnValues="ALL_NEW",
        )
        return _kept(answer["Attributes"])

    def keep(self, seen: Approval, approval: Approval) -> None:
        """Keep a decision.

        Raises:
            EffectConflict: Somebody else has decided in the meantime.
        """
        self._update(
            approval.plan,
            "SET approval = :approval",
            "approval = :seen",
            {":approval": approval.model_dump_json(), ":seen": seen.model_dump_json()},
            f"Somebody else has decided about the plan {approval.plan} at the same time. Say it again.",
        )

    def forget_token(self, plan: str, token: str) -> None:
        """Forget the token that was answered; another one that waits by now is left alone."""
        try:
            self._update(plan, "REMOVE #token", "#token = :token", {":token": token}, "")
        except EffectConflict:
            return

    def _update(self, plan: str, update: str, condition: str, values: dict[str, str], otherwise: str) -> None:
        names: dict[str, Any] = {"ExpressionAttributeNames": {"#token": "token"}} if "#token" in update else {}
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=_key(plan),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues={name: {"S": value} for name, value in values.items()},
                **names,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise EffectConflict(otherwise) from None


def _key(plan: str) -> dict[str, Any]:
    return {"plan": {"S": plan}, "entry": {"S": _ENTRY}}


def _kept(item: Any) -> KeptApproval:
    return KeptApproval(
        Approval.model_validate_json(item["approval"]["S"]),
        item["token"]["S"] if "token" in item else "",
    )
