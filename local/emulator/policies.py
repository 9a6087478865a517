"""What policies are about, where MiniStack says something else than IAM."""

import json
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
    """Name actions, resources and callers as IAM does, and take every request for one over TLS."""
    request = "service method path headers body query_params"
    seams.replace(iam_actions, "extract_iam_action", request, _naming)
    seams.replace(iam_actions, "extract_resource_arn", f"{request} region account_id", _finding)
    seams.replace(iam_evaluator, "_resolve_condition_key", "key ctx", _resolving)


def _naming(original: Callable[..., Any]) -> Callable[..., Any]:
    def name(*request: Any) -> Any:
        action = original(*request)
        return _BATCHES.get(action, action)

    return name


def _finding(original: Callable[..., Any]) -> Callable[..., Any]:
    def find(*request: Any) -> Any:
        found, (service, *_, region, account) = original(*request), request
        if found != "*" or service not in {"dynamodb", "kms"}:
            return found
        return _unseen(service, request[4], f"{region}:{account}") or found

    return find


def _unseen(service: str, body: bytes, place: str) -> str:
    """Return the resource of the calls in which MiniStack sees none; empty of any other.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/pointintimerecovery_beforeyoubegin.html
    https://docs.aws.amazon.com/kms/latest/developerguide/alias-access.html
    """
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        return ""
    match asked:
        case {"ResourceArn": str(arn)} if service == "dynamodb":
            return arn
        case {"SourceTableName": str(table)} if service == "dynamodb":
            return f"arn:aws:dynamodb:{place}:table/{table}"
        case {"AliasName": str(alias)} if service == "kms":
            # AWS asks for the key as well.
            return f"arn:aws:kms:{place}:{alias}"
        case _:
            return ""


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
