"""The queue of drifts that may be fixed at once."""

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from data_protection.changes import digest
from data_protection.drift.drifts import Drift
from data_protection.resources import Kind

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class FixQueue:
    """A FIFO queue, so that the fixes of one resource come one after the other.

    Checks of the account are about its trails, alarms and plans, which have nothing to wait for from each other.
    """

    # The key's actions are for a queue that is encrypted with it.
    IAM: ClassVar = frozenset({"sqs:SendMessage", "kms:GenerateDataKey", "kms:Decrypt"})

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def ask(self, drift: Drift) -> None:
        """Ask to fix a drift; asked again within five minutes it is the same message."""
        self._sqs.send_message(
            QueueUrl=self._queue_url,
            MessageBody=drift.model_dump_json(),
            # An ARN may be longer than a group's name.
            MessageGroupId=digest([drift.resource.arn, drift.check if drift.kind is Kind.ACCOUNT else ""]),
            MessageDeduplicationId=drift.id,
        )


class UnendedFixes:
    """Fixes of the queue that were received and not brought to their end.

    The queue itself keeps a message from others for six times the function's timeout, as Lambda asks for.
    """

    IAM: ClassVar = frozenset({"sqs:ChangeMessageVisibility"})

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def put_off(self, receipt: str, pause: timedelta) -> None:
        """Let a message come again after a pause."""
        seconds = int(pause.total_seconds())
        self._sqs.change_message_visibility(QueueUrl=self._queue_url, ReceiptHandle=receipt, VisibilityTimeout=seconds)
