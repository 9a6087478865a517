"""The queue of tasks to collect."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from database_logs.errors import MessagesRefused

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from database_logs.contracts import CollectTask

_BATCH: Final = 10  # SendMessageBatch's limit


class CollectQueue:
    """The FIFO queue of tasks: one group for each instance and log, so that a slow one blocks itself only."""

    # The key's actions are for a queue that is encrypted with it.
    IAM: ClassVar = frozenset({"sqs:SendMessage", "kms:GenerateDataKey", "kms:Decrypt"})

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, tasks: Sequence[tuple["CollectTask", str, str]]) -> None:
        """Queue tasks in this order, each with the base name of its file and the occasion.

        The same state of a file is queued once within five minutes on one occasion, as its message has the same
        identity: by a pass that died and by the one that makes up for it, but not by the next one.

        Raises:
            MessagesRefused: SQS did not take some; those before them were sent.
        """
        for start in range(0, len(tasks), _BATCH):
            entries = [
                {
                    "Id": str(number),
                    "MessageBody": task.model_dump_json(),
                    "MessageGroupId": _hash(task.file.dbi_resource_id, base),
                    "MessageDeduplicationId": _hash(
                        task.file.dbi_resource_id,
                        task.file.file,
                        str(task.size),
                        task.last_written.isoformat(),
                        str(task.closed),
                        str(task.reopen),
                        occasion,
                    ),
                }
                for number, (task, base, occasion) in enumerate(tasks[start : start + _BATCH])
            ]
            answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)  # type: ignore[arg-type]
            if failed := answer.get("Failed"):
                raise MessagesRefused.of(failed, len(entries), self._url)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
