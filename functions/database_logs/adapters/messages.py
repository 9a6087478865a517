"""Standard queues between the steps."""

from typing import TYPE_CHECKING, ClassVar, Final

from database_logs.errors import MessagesRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sqs import SQSClient
    from pydantic import BaseModel

# SendMessageBatch takes 10, 256 KiB together (1 MiB by now); a segment is told in less than 4 KiB.
_BATCH: Final = 10


class Messages:
    """Sends to a standard queue; what is sent arrives at least once, in any order."""

    # The key's actions are for a queue that is encrypted with it.
    IAM: ClassVar = frozenset({"sqs:SendMessage", "kms:GenerateDataKey", "kms:Decrypt"})

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, message: "BaseModel") -> None:
        """Send one message: a contract as JSON."""
        self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=message.model_dump_json())

    def send_all(self, messages: "Sequence[BaseModel]") -> None:
        """Send messages, ten at a time.

        Raises:
            MessagesRefused: SQS did not take some; those before them were sent.
        """
        for start in range(0, len(messages), _BATCH):
            entries = [
                {"Id": str(number), "MessageBody": message.model_dump_json()}
                for number, message in enumerate(messages[start : start + _BATCH])
            ]
            answer = self._sqs.send_message_batch(QueueUrl=self._queue_url, Entries=entries)  # type: ignore[arg-type]
            if failed := answer.get("Failed"):
                raise MessagesRefused.of(failed, len(entries), self._queue_url)
