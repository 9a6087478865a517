"""CloudTrail on EventBridge: what management calls change is on the default bus, as AWS says it, at once.

Of services that can be protected, and only while a trail of the account logs there, as on AWS:
https://docs.aws.amazon.com/AmazonEventBridge/latest/userguide/eb-service-event-cloudtrail.html. A record has what
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html asks for, but
for `responseElements`. What CloudFormation and state machines do themselves passes no front door, and is not told.
"""

import contextvars
import json
import re
import threading
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, unquote

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudtrail, eventbridge, lambda_svc, sts

from local.emulator import seams

# CloudTrail's name of a service, by MiniStack's.
_SOURCES = {
    "application-autoscaling": "autoscaling",
    "backup": "backup",
    "cloudtrail": "cloudtrail",
    "dynamodb": "dynamodb",
    "iam": "iam",
    "kms": "kms",
    "monitoring": "monitoring",
    "rds": "rds",
    "s3": "s3",
    "secretsmanager": "secretsmanager",
    "sns": "sns",
}
# What reads, and what is done to content, which are data events.
_READS = re.compile(r"(?:Get|List|Describe|Head|BatchGet|Lookup|Query|Scan|Select|Generate|Encrypt|Decrypt|Verify)")
_DATA = frozenset(
    {
        *("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "TransactGetItems"),
        *("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"),
        *("Publish", "PublishBatch", "PutMetricData", "Sign", "ReEncrypt"),
    }
)
# Calls about a bucket, by the parameter of the request that says what of it, in CloudTrail's words:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
_BUCKET_CALLS = {
    "acl": "BucketAcl",
    "cors": "BucketCors",
    "encryption": "BucketEncryption",
    "intelligent-tiering": "BucketIntelligentTieringConfiguration",
    "lifecycle": "BucketLifecycle",
    "logging": "BucketLogging",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "BucketReplication",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
}
_VERBS = {"PUT": "Put", "DELETE": "Delete"}
_ACCOUNT_BLOCK = "/v20180820/configuration/publicAccessBlock"
_BACKUP_PATH = re.compile(r"/backup/plans/(?P<backupPlanId>[^/]+)(?:/selections/(?P<selectionId>[^/]+))?")
_MEMBER = re.compile(r"(?P<name>\w+)\.(?:member\.|\w+\.)?(?P<number>\d+)$")
_SECRET = re.compile(r"secret(string|binary)|password|plaintext", re.IGNORECASE)
_APPLICATION = re.compile(r"\bapp/(?P<name>[\w-]+)")
_REFUSED = 400


def install() -> None:
    """Tell of every call that comes through the front door."""
    seams.replace(app, "_dispatch_service_request", "method path headers body query_params request_id", _telling)
    seams.replace(
        app, "_handle_s3_control_request", "path method body query_params request_id headers", _telling_of_the_account
    )


def application_of(function: str) -> str:
    """Return the name by which the SDKs of a function say who they work for; they take 50 characters."""
    return function[-50:]


def _telling(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def dispatch(*request: Any) -> Any:
        method, path, headers, body, query, request_id = request
        # Most accounts have no trail, and their calls are not looked at.
        call = _call(method, path, headers, body, query) if len(cloudtrail._trails) else None  # noqa: SLF001 - MiniStack's own
        watched = call is not None and _is_watched()
        answer = await original(*request)
        # The call that stops a trail is in it, and so is the one that starts it.
        if call is not None and (watched or _is_watched()):
            _tell(*call, headers, query, request_id, answer)
        return answer

    return dispatch


def _telling_of_the_account(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def handle(path: str, method: str, body: bytes, query: Any, request_id: str, *rest: Any) -> Any:
        answer = await original(path, method, body, query, request_id, *rest)
        if path == _ACCOUNT_BLOCK and method in _VERBS and _is_watched():
            asked = {"accountId": get_account_id(), **_xml(body)}
            _tell("s3", f"{_VERBS[method]}AccountPublicAccessBlock", asked, rest[0], query, request_id, answer)
        return answer

    return handle


def _is_watched() -> bool:
    return any(trail.get("IsLogging") for trail in list(cloudtrail._trails.values()))  # noqa: SLF001 - MiniStack's own


def _call(method: str, path: str, headers: Any, body: bytes, query: Any) -> tuple[str, str, dict[str, Any]] | None:
    """Return the service, CloudTrail's name of the call and its parameters; None of what is not told."""
    parameters = app._routing_params(method, path, headers, body, query)  # noqa: SLF001 - MiniStack's own
    service = router.detect_service(method, path, headers, parameters)
    if service not in _SOURCES:
        return None
    if service == "s3":
        return _bucket_call(method, path, body, query)
    action = iam_actions.extract_iam_action(service, method, path, headers, body, parameters)
    name = (action or "").partition(":")[2]
    if not name or name in _DATA or _READS.match(name):
        return None
    return service, name, _parameters(path, headers, body)


def _bucket_call(method: str, path: str, body: bytes, query: Any) -> tuple[str, str, dict[str, Any]] | None:
    bucket, _, key = path.strip("/").partition("/")
    if not bucket or key or method not in _VERBS:
        return None
    asked = {"bucketName": bucket, **dict.fromkeys(query, ""), **_xml(body)}
    about = next((name for name in _BUCKET_CALLS if name in query), None)
    if about is not None:
        return "s3", f"{_VERBS[method]}{_BUCKET_CALLS[about]}", asked
    return None if query else ("s3", {"PUT": "CreateBucket", "DELETE": "DeleteBucket"}[method], asked)


def _parameters(path: str, headers: Any, body: bytes) -> dict[str, Any]:
    found = _BACKUP_PATH.search(unquote(path))
    asked: dict[str, Any] = {name: value for name, value in found.groupdict().items() if value} if found else {}
    text = body.decode("utf-8", "replace")
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return asked | _of_form(text)
    try:
        return asked | dict(_camel(json.loads(text or "{}")))
    except ValueError:
        return asked


def _of_form(text: str) -> dict[str, Any]:
    """Return the parameters of a query, lists as lists: `AlarmNames.member.1=a`."""
    asked: dict[str, Any] = {}
    for name, (value, *_) in parse_qs(text, keep_blank_values=True).items():
        if name in {"Action", "Version"} or _SECRET.search(name):
            continue
        if listed := _MEMBER.match(name):
            asked.setdefault(_lower(listed["name"]), []).append(value)
        else:
            asked[_lower(name)] = value
    return asked


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {_lower(name): _camel(item) for name, item in value.items() if not _SECRET.search(name)}
    return [_camel(item) for item in value] if isinstance(value, list) else value


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _xml(body: bytes) -> dict[str, Any]:
    """Return a configuration of S3 as CloudTrail has it: names as they are, what occurs more than once as a list."""
    try:
        root = ET.fromstring(body) if body.lstrip().startswith(b"<") else None  # noqa: S314 - of this machine
    except ET.ParseError:
        return {}
    return {} if root is None else {_local(root): _element(root)}


def _element(element: ET.Element) -> Any:
    if not len(element):
        return element.text or ""
    held: dict[str, Any] = {}
    for child in element:
        name, value = _local(child), _element(child)
        if name not in held:
            held[name] = value
        elif isinstance(held[name], list):
            held[name].append(value)
        else:
            held[name] = [held[name], value]
    return held


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _tell(  # noqa: PLR0917 - what a call was
    service: str, name: str, asked: dict[str, Any], headers: Any, query: Any, request_id: str, answer: Any
) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    source = _SOURCES[service]
    detail = {
        "eventVersion": "1.11",
        "userIdentity": _caller(headers, query),
        "eventTime": now,
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": get_region(),
        "sourceIPAddress": "127.0.0.1",
        "userAgent": headers.get("user-agent", ""),
        **_error(answer),
        "requestParameters": asked or None,
        "requestID": request_id,
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": get_account_id(),
        "eventCategory": "Management",
    }
    event = {
        "EventId": str(uuid.uuid4()),
        "Source": f"aws.{source}",
        "DetailType": "AWS API Call via CloudTrail",
        "Detail": json.dumps(detail),
        "EventBusName": "default",
        "Time": time.time(),
        "Resources": [],
        "Account": get_account_id(),
        "Region": get_region(),
    }
    # Not on the server's loop: a target may be a function that calls the server.
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(eventbridge._dispatch_event, event), daemon=True).start()  # noqa: SLF001 - as S3's events are sent


def _error(answer: Any) -> dict[str, str]:
    status, _, body = answer
    if status < _REFUSED:
        return {}
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else ""
    code = re.search(r"<Code>([^<]+)|\"__type\":\s*\"(?:[^\"#]*#)?([^\"]+)|\"[cC]ode\":\s*\"([^\"]+)", text)
    message = re.search(r"<Message>([^<]*)|\"[mM]essage\":\s*\"([^\"]*)", text)
    return {
        "errorCode": next(filter(None, code.groups()), "") if code else str(status),
        "errorMessage": next(filter(None, message.groups()), "") if message else "",
    }


def _caller(headers: Any, query: Any) -> dict[str, Any]:
    """Return who called.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    account = get_account_id()
    identity = sts._caller_identity(headers, query)  # noqa: SLF001 - MiniStack's own
    arn = identity["userArn"] if isinstance(identity, dict) else f"arn:aws:iam::{account}:root"
    role = _role_of_function(headers.get("user-agent", "")) if arn.endswith(":root") else ""
    if role:
        # Where permissions are not enforced, functions have the account's key and no session of their role.
        arn = f"{role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/function"
    if ":assumed-role/" in arn:
        owner, _, session = arn.partition(":assumed-role/")
        issuer = role or f"{owner.replace(':sts:', ':iam:')}:role/{session.rpartition('/')[0]}"
        return {
            "type": "AssumedRole",
            "principalId": f"AROA:{session.rpartition('/')[2]}",
            "arn": arn,
            "accountId": account,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": "AROA",
                    "arn": issuer,
                    "accountId": account,
                    "userName": issuer.rpartition("/")[2],
                },
                "attributes": {"mfaAuthenticated": "false"},
            },
        }
    kind = "IAMUser" if ":user/" in arn else "Root"
    name = {"userName": arn.rpartition("/")[2]} if kind == "IAMUser" else {}
    return {"type": kind, "principalId": account, "arn": arn, "accountId": account, **name}


def _role_of_function(user_agent: str) -> str:
    said = _APPLICATION.search(user_agent)
    if said is None:
        return ""
    functions = list(lambda_svc._functions.items())  # noqa: SLF001 - MiniStack's own
    return next((f["config"]["Role"] for name, f in functions if application_of(name) == said["name"]), "")
