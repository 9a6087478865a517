"""Approvals and the task tokens that wait for them, in the table of remediations, which KMS encrypts."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import ClientError

from data_protection.errors import PlanMissing
from data_protection.remediation.approvals import Approval
from kernel.errors import EffectConflict

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_ENTRY: Final = "approval"


@dataclass(frozen=True)
class KeptApproval:
    """An approval as it is kept.

    Attributes:
        approval: It.
        tokens: By which the machines that wait for it are answered; none where none waits any more. Secrets.
    """

    approval: Approval
    tokens: tuple[str, ...] = field(repr=False)


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

    def wait(self, seen: Approval, approval: Approval, token: str) -> tuple[str, ...]:
        """Keep for whom a machine waits from now on, and by which token; return it with those that waited before.

        Raises:
            EffectConflict: Somebody has decided in the meantime; ask again.
        """
        return self._update(
            approval.plan,
            "ADD tokens :tokens SET approval = :approval",
            "approval = :seen",
            {
                ":tokens": {"SS": [token]},
                ":approval": {"S": approval.model_dump_json()},
                ":seen": {"S": seen.model_dump_json()},
            },
            f"Somebody has decided about the plan {approval.plan} at the same time; it is asked for again.",
        ).tokens

    def keep(self, seen: Approval, approval: Approval) -> tuple[str, ...]:
        """Keep a decision, and return the tokens of the machines that wait by then.

        Raises:
            EffectConflict: Somebody else has decided in the meantime.
        """
        return self._update(
            approval.plan,
            "SET approval = :approval",
            "approval = :seen",
            {":approval": {"S": approval.model_dump_json()}, ":seen": {"S": seen.model_dump_json()}},
            f"Somebody else has decided about the plan {approval.plan} at the same time. Say it again.",
        ).tokens

    def forget_token(self, plan: str, token: str) -> None:
        """Forget a token that was answered; others that wait by now are left alone."""
        self._dynamodb.update_item(
            TableName=self._table,
            Key=_key(plan),
            UpdateExpression="DELETE tokens :tokens",
            ExpressionAttributeValues={":tokens": {"SS": [token]}},
        )

    def _update(
        self, plan: str, update: str, condition: str, values: "dict[str, AttributeValueTypeDef]", otherwise: str
    ) -> KeptApproval:
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key=_key(plan),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
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
        tuple(sorted(item["tokens"]["SS"])) if "tokens" in item else (),
    )
