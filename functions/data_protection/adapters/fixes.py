"""The queue of drifts that may be fixed at once."""

from typing import TYPE_CHECKING, ClassVar

from data_protection.changes import digest
from data_protection.drift.drifts import Drift

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class FixQueue:
    """A FIFO queue, so that the fixes of one resource come one after the other."""

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
            MessageGroupId=digest(drift.arn),
            MessageDeduplicationId=drift.id,
        )
