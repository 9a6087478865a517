# ruff: noqa: SLF001 - MiniStack's private names are what is replaced here; seams.py checks them at start
"""SQS event sources: MiniStack delivers what it finds at once, ten messages at most, of a FIFO queue one batch a time.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: a batch goes out when the window has passed,
the batch is full, or its payload reaches 6 MB. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html:
groups of a FIFO queue are worked on side by side.
"""

import time
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc, sqs

from local.emulator import seams

_PAYLOAD_BYTES = 6 * 1024 * 1024


def install() -> None:
    """Let batches gather for MaximumBatchingWindowInSeconds and grow to BatchSize, and groups go side by side."""
    seams.replace(sqs, "_receive_messages_for_esm", "queue_url max_number", _gathered)
    seams.replace(lambda_svc, "_sqs_esm_concurrency", "esm func_rec config queue", _side_by_side)


def _side_by_side(original: Callable[..., int]) -> Callable[..., int]:
    def concurrency(esm: dict[str, Any], func_rec: dict[str, Any], config: dict[str, Any], _queue: object) -> int:
        # No two batches share a group: MiniStack hands out none of a group that has a message in hand. And what came
        # through a parameter of the template is text.
        scaling = {name: int(value) for name, value in (esm.get("ScalingConfig") or {}).items()}
        return original({**esm, "ScalingConfig": scaling}, func_rec, config)

    return concurrency


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
