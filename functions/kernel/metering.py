"""What one call of a function takes: seconds, memory and requests to AWS.

A process handles one event at a time, so what it sends between two looks belongs to one call.
"""

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from botocore.hooks import BaseEventHooks

_sent: Final[Counter[str]] = Counter()
_lock: Final = threading.Lock()

# These are charged by their items; each of a transaction is written twice, once to prepare it.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
_BATCHES: Final = frozenset({"BatchGetItem", "BatchWriteItem", "TransactWriteItems"})
_WRITES_OF_TRANSACTION: Final = 2


class Taken(BaseModel):
    """What a call took up to a moment.

    Attributes:
        memory_mb: Memory the function was given, which sets its price.
        requests: Sent to AWS, repeated attempts included, by service and operation (`s3.PutObject`); of DynamoDB's
            batches the items, of its transactions the writes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    memory_mb: int = Field(ge=0)
    seconds: float = Field(ge=0)
    requests: dict[str, int] = {}


class Meter:
    """Measures from its making on."""

    def __init__(self, memory_mb: int) -> None:
        self._memory_mb = memory_mb
        self._began = time.perf_counter()
        self._before = _snapshot()

    def read(self) -> Taken:
        """Return what was taken until now."""
        requests = _snapshot() - self._before
        return Taken(
            memory_mb=self._memory_mb,
            seconds=round(time.perf_counter() - self._began, 4),
            requests=dict(sorted(requests.items())),
        )


def count_requests_of(events: "BaseEventHooks") -> None:
    """Count what a client sends from now on, by its event hooks."""
    # First, since a handler that answers in AWS's place, as a test's may, is the last one that is asked.
    events.register_first("before-send", _count)
    events.register_first("before-parameter-build.dynamodb", _count_items)


def _count(event_name: str, **_context: object) -> None:
    _, service, operation = event_name.split(".")
    if operation not in _BATCHES:
        with _lock:
            _sent[f"{service}.{operation}"] += 1


def _count_items(event_name: str, params: dict[str, Any], **_context: object) -> None:
    operation = event_name.rpartition(".")[2]
    if operation in _BATCHES:
        tables = params.get("RequestItems", {}).values()
        items = sum(len(table["Keys"] if operation == "BatchGetItem" else table) for table in tables)
        items += _WRITES_OF_TRANSACTION * len(params.get("TransactItems", []))
        with _lock:
            _sent[f"dynamodb.{operation}"] += items


def _snapshot() -> Counter[str]:
    with _lock:
        return Counter(_sent)
