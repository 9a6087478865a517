"""The queue of places to sweep."""

from typing import TYPE_CHECKING, ClassVar

from data_protection.contracts import SweepPlace

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SweepQueue:
    """A standard queue, a message a place."""

    # The key's actions are for a queue that is encrypted with it.
    IAM: ClassVar = frozenset({"sqs:SendMessage", "kms:GenerateDataKey", "kms:Decrypt"})

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def ask(self, asked: SweepPlace) -> None:
        """Ask to sweep a place."""
        self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=asked.model_dump_json())
