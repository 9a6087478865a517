# ruff: noqa: SLF001 - MiniStack's private names are what is replaced here; seams.py checks them at start
"""Batching of SQS event sources: MiniStack delivers what it finds, at most ten messages, at once.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: a batch goes out when the window has passed,
the batch is full, or its payload reaches 6 MB.
"""

import time
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc, sqs

from local.emulator import seams

_PAYLOAD_BYTES = 6 * 1024 * 1024


def install() -> None:
    """Let batches gather for MaximumBatchingWindowInSeconds and grow to BatchSize."""
    seams.replace(sqs, "_receive_messages_for_esm", "queue_url max_number", _gathered)


def _gathered(original: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def receive(queue_url: str, batch_size: int) -> list[Any]:
        if not _is_due(sqs._queues[queue_url], batch_size):
            return []
        batch: list[Any] = []
        while len(batch) < batch_size and (more := original(queue_url, batch_size - len(batch))):
            batch += more
        return batch

    return receive


def _is_due(queue: dict[str, Any], batch_size: int) -> bool:
    window = max(
        float(source.get("MaximumBatchingWindowInSeconds") or 0)
        for source in lambda_svc._esms.values()
        if source["EventSourceArn"] == queue["attributes"]["QueueArn"]
    )
    now = time.time()
    waiting = [message for message in list(queue["messages"]) if message["visible_at"] <= now]
    if not waiting:
        return False
    return (
        len(waiting) >= batch_size
        or now - min(message["visible_at"] for message in waiting) >= window
        or sum(len(message["body"]) for message in waiting) >= _PAYLOAD_BYTES
    )
