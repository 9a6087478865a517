"""What policies are about, where MiniStack says something else than IAM."""

from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator

from local.emulator import seams

# Batches of SQS are no actions: who may send a message may send ten.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html
_BATCHES = {
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}


def install() -> None:
    """Name actions and callers as IAM does, and take every request for one over TLS."""
    seams.replace(iam_actions, "extract_iam_action", "service method path headers body query_params", _naming)
    seams.replace(iam_evaluator, "_resolve_condition_key", "key ctx", _resolving)


def _naming(original: Callable[..., Any]) -> Callable[..., Any]:
    def name(*request: Any) -> Any:
        action = original(*request)
        return _BATCHES.get(action, action)

    return name


def _resolving(original: Callable[..., Any]) -> Callable[..., Any]:
    def resolve(key: str, context: Any) -> Any:
        match key.lower():
            case "aws:principalarn":
                return _role(str(original(key, context)))
            case "aws:securetransport":
                # The gateway speaks plain HTTP on the loopback alone. With this, policies that refuse it can stay as
                # they are deployed, and their other statements are held to.
                return "true"
            case _:
                return original(key, context)

    return resolve


def _role(principal: str) -> str:
    """Return the role of a session, for which MiniStack shows the session; others as they are.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    account, assumed, session = principal.partition(":assumed-role/")
    return f"{account.replace(':sts:', ':iam:')}:role/{session.partition('/')[0]}" if assumed else principal
