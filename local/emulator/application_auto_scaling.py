"""Application Auto Scaling, which MiniStack does not have: all that is made is kept, and nothing scales.

Requests and answers are those of https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html. As on
AWS, a policy that tracks a table's capacity makes four alarms of its own, which go when it goes.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core import iam_actions
from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region, json_response, new_uuid
from ministack.services import cloudwatch

from local.emulator import seams

SERVICE = "application-autoscaling"
_TARGET_PREFIX = "AnyScaleFrontendService."
_ROLES = {
    "dynamodb": "dynamodb.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"
}
_PAGE = 50
_CONTENT_TYPE = "application/x-amz-json-1.1"
# Metric and direction of the alarms of https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html
_ALARMS = (
    ("AlarmHigh", "Consumed{}CapacityUnits", "GreaterThanThreshold"),
    ("AlarmLow", "Consumed{}CapacityUnits", "LessThanThreshold"),
    ("ProvisionedCapacityHigh", "Provisioned{}CapacityUnits", "GreaterThanThreshold"),
    ("ProvisionedCapacityLow", "Provisioned{}CapacityUnits", "LessThanThreshold"),
)

_targets = AccountRegionScopedDict()
_policies = AccountRegionScopedDict()
_actions = AccountRegionScopedDict()


class _Refused(Exception):
    """AWS would answer with an error.

    Attributes:
        code: Of the error.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def install() -> None:
    """Answer for the service, and forget what is kept when the server is reset."""
    app.SERVICE_HANDLERS[SERVICE] = _handle
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    seams.replace(app, "_reset_all_state", "", _forgetting)


def _forgetting(original: Callable[[], None]) -> Callable[[], None]:
    def reset() -> None:
        original()
        _targets.clear()
        _policies.clear()
        _actions.clear()

    return reset


async def _handle(_method: str, _path: str, headers: dict[str, str], body: bytes, _query: dict[str, Any]) -> Any:
    operation = headers.get("x-amz-target", "").removeprefix(_TARGET_PREFIX)
    if operation not in _OPERATIONS:
        return _error("UnknownOperationException", f"{operation} is not emulated.")
    try:
        answer = _OPERATIONS[operation](json.loads(body))
    except _Refused as refused:
        return _error(refused.code, str(refused))
    return json_response(answer, content_type=_CONTENT_TYPE)


def _error(code: str, message: str) -> Any:
    return json_response({"__type": code, "message": message}, 400, content_type=_CONTENT_TYPE)


def _key(asked: dict[str, Any]) -> str:
    return "|".join(asked[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension"))


def _arn(kind: str) -> str:
    return f"arn:aws:{kind}:{get_region()}:{get_account_id()}"


def _register(asked: dict[str, Any]) -> dict[str, Any]:
    key, known = _key(asked), _targets.get(_key(asked), {})
    if not known and not {"MinCapacity", "MaxCapacity"} <= asked.keys():
        raise _Refused("ValidationException", "MinCapacity and MaxCapacity are needed to register a scalable target.")
    lent = {
        "RoleARN": f"arn:aws:iam::{get_account_id()}:role/aws-service-role/{_ROLES.get(asked['ServiceNamespace'], '')}",
        "CreationTime": time.time(),
        "SuspendedState": dict.fromkeys(
            ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"), False
        ),
        "ScalableTargetARN": f"{_arn(SERVICE)}:scalable-target/{new_uuid().replace('-', '')}",
    }
    given = {name: value for name, value in asked.items() if name != "Tags"}
    target = lent | known | given
    if target["MinCapacity"] > target["MaxCapacity"]:
        raise _Refused("ValidationException", "The minimum capacity is greater than the maximum capacity.")
    _targets[key] = target
    return {"ScalableTargetARN": target["ScalableTargetARN"]}


def _deregister(asked: dict[str, Any]) -> dict[str, Any]:
    if _targets.pop(_key(asked), None) is None:
        raise _Refused("ObjectNotFoundException", f"No scalable target registered for {_key(asked)}.")
    for key, policy in list(_policies.items()):
        if _key(policy) == _key(asked):
            _drop(key)
    for key, action in list(_actions.items()):
        if _key(action) == _key(asked):
            del _actions[key]
    return {}


def _describe_targets(asked: dict[str, Any]) -> dict[str, Any]:
    ids = asked.get("ResourceIds")
    return _page("ScalableTargets", _targets, asked, lambda target: not ids or target["ResourceId"] in ids)


def _put_policy(asked: dict[str, Any]) -> dict[str, Any]:
    if _key(asked) not in _targets:
        raise _Refused("ObjectNotFoundException", f"No scalable target registered for {_key(asked)}.")
    key = f"{_key(asked)}|{asked['PolicyName']}"
    known = _policies.get(key)
    if known is not None:
        _drop(key)
    service = asked["ServiceNamespace"]
    lent = {
        "PolicyType": "StepScaling",
        "PolicyARN": f"{_arn('autoscaling')}:scalingPolicy:{new_uuid()}:resource/{service}/{asked['ResourceId']}"
        f":policyName/{asked['PolicyName']}",
        "CreationTime": time.time(),
    }
    kept = {name: known[name] for name in lent} if known is not None else {}
    policy = lent | kept | asked
    policy["Alarms"] = _put_alarms(policy)
    _policies[key] = policy
    return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}


def _delete_policy(asked: dict[str, Any]) -> dict[str, Any]:
    key = f"{_key(asked)}|{asked['PolicyName']}"
    if key not in _policies:
        raise _Refused("ObjectNotFoundException", f"No scaling policy found for {key}.")
    _drop(key)
    return {}


def _describe_policies(asked: dict[str, Any]) -> dict[str, Any]:
    return _named("ScalingPolicies", _policies, asked, "PolicyName")


def _put_action(asked: dict[str, Any]) -> dict[str, Any]:
    if _key(asked) not in _targets:
        raise _Refused("ObjectNotFoundException", f"No scalable target registered for {_key(asked)}.")
    key = f"{_key(asked)}|{asked['ScheduledActionName']}"
    lent = {
        "ScheduledActionARN": f"{_arn('autoscaling')}:scheduledAction:{new_uuid()}:resource/"
        f"{asked['ServiceNamespace']}/{asked['ResourceId']}:scheduledActionName/{asked['ScheduledActionName']}",
        "CreationTime": time.time(),
    }
    _actions[key] = lent | _actions.get(key, {}) | asked
    return {}


def _delete_action(asked: dict[str, Any]) -> dict[str, Any]:
    if _actions.pop(key := f"{_key(asked)}|{asked['ScheduledActionName']}", None) is None:
        raise _Refused("ObjectNotFoundException", f"No scheduled action found for {key}.")
    return {}


def _describe_actions(asked: dict[str, Any]) -> dict[str, Any]:
    return _named("ScheduledActions", _actions, asked, "ScheduledActionName")


def _named(member: str, store: AccountRegionScopedDict, asked: dict[str, Any], name: str) -> dict[str, Any]:
    names, resource = asked.get(f"{name}s"), asked.get("ResourceId")
    return _page(
        member, store, asked, lambda one: (not names or one[name] in names) and resource in {None, one["ResourceId"]}
    )


def _page(
    member: str, store: AccountRegionScopedDict, asked: dict[str, Any], wanted: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    found = [
        one
        for _, one in sorted(store.items())
        if one["ServiceNamespace"] == asked["ServiceNamespace"]
        and asked.get("ScalableDimension") in {None, one["ScalableDimension"]}
        and wanted(one)
    ]
    start = int(asked.get("NextToken") or 0)
    end = start + min(asked.get("MaxResults") or _PAGE, _PAGE)
    return {member: found[start:end], **({"NextToken": str(end)} if end < len(found) else {})}


def _put_alarms(policy: dict[str, Any]) -> list[dict[str, str]]:
    if policy["PolicyType"] != "TargetTrackingScaling" or policy["ServiceNamespace"] != "dynamodb":
        return []
    _, table, *index = policy["ResourceId"].split("/")
    direction = "Read" if "Read" in policy["ScalableDimension"] else "Write"
    dimensions = [{"Name": "TableName", "Value": table}]
    if index:
        dimensions.append({"Name": "GlobalSecondaryIndexName", "Value": index[-1]})
    made = []
    for kind, metric, operator in _ALARMS:
        name = f"TargetTracking-{policy['ResourceId']}-{kind}-{new_uuid()}"
        arn = f"{_arn('cloudwatch')}:alarm:{name}"
        cloudwatch.cloudformation_put_metric_alarm(
            {
                "AlarmName": name,
                "AlarmArn": arn,
                "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy['PolicyARN']}.",
                "ActionsEnabled": True,
                "OKActions": [],
                "AlarmActions": [policy["PolicyARN"]],
                "InsufficientDataActions": [],
                "StateValue": "INSUFFICIENT_DATA",
                "StateReason": "Unchecked: Initial alarm creation",
                "StateUpdatedTimestamp": int(time.time()),
                "AlarmConfigurationUpdatedTimestamp": int(time.time()),
                "Namespace": "AWS/DynamoDB",
                "MetricName": metric.format(direction),
                "Dimensions": dimensions,
                "Statistic": "Sum" if kind.startswith("Alarm") else "Average",
                "Period": 60,
                "EvaluationPeriods": 2,
                "Threshold": float(policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]),
                "ComparisonOperator": operator,
            }
        )
        made.append({"AlarmName": name, "AlarmARN": arn})
    return made


def _drop(key: str) -> None:
    for alarm in _policies.pop(key)["Alarms"]:
        cloudwatch.cloudformation_delete_metric_alarm(alarm["AlarmName"])


_OPERATIONS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "RegisterScalableTarget": _register,
    "DeregisterScalableTarget": _deregister,
    "DescribeScalableTargets": _describe_targets,
    "PutScalingPolicy": _put_policy,
    "DeleteScalingPolicy": _delete_policy,
    "DescribeScalingPolicies": _describe_policies,
    "PutScheduledAction": _put_action,
    "DeleteScheduledAction": _delete_action,
    "DescribeScheduledActions": _describe_actions,
}
