"""DDB-SCALE: a provisioned table and its indexes grow before they throttle."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from pydantic import Field, model_validator

from data_protection.changes import Call, CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Made, Mutator, Requirement, Severity
from data_protection.readings import Answer
from data_protection.reads.dynamodb import TABLE
from data_protection.reads.scaling import POLICIES, SCHEDULED, TARGETS
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict, worst

_SERVICE: Final = "application-autoscaling"
_RANGE: Final = ("MinCapacity", "MaxCapacity", "SuspendedState")


class Autoscaling(Requirement):
    """What is asked of the scaling of a table's capacity, and of each of its indexes'.

    Attributes:
        percent: Of the capacity that scaling keeps in use; AWS takes 20 to 90.
        minimum: Capacity units, for targets that are made.
        maximum: Capacity units, for targets that are made.
    """

    percent: int = Field(default=70, ge=20, le=90)
    minimum: int = Field(default=5, ge=1)
    maximum: int = Field(default=1000, ge=1)

    @model_validator(mode="after")
    def _is_range(self) -> Self:
        if self.minimum >= self.maximum:
            raise ValueError(f"capacity from {self.minimum} to {self.maximum} leaves nothing to scale")
        return self


@dataclass(frozen=True)
class _Dimension:
    """What scales by itself: reads or writes of a table or an index.

    Attributes:
        resource: As Application Auto Scaling names it, `table/orders/index/by-day`.
        scales: `table` or `index`.
        direction: `Read` or `Write`.
        capacity: Units it has now.
    """

    resource: str
    scales: str
    direction: str
    capacity: int

    @property
    def name(self) -> str:
        return f"dynamodb:{self.scales}:{self.direction}CapacityUnits"

    @property
    def metric(self) -> str:
        return f"DynamoDB{self.direction}CapacityUtilization"

    @property
    def policy(self) -> str:
        """The name of a policy that is made here."""
        return f"gatehouse-{self.resource.replace('/', '-')}-{self.direction}"

    def __str__(self) -> str:
        return f"{self.direction.lower()} capacity of {self.resource}"


def on_demand(table: Answer) -> bool:
    """Return whether a table is paid by request; one that was never switched has no summary."""
    return bool(table.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST")


def _dimensions(table: Answer) -> Iterable[_Dimension]:
    name = f"table/{table['TableName']}"
    indexes = [
        ("index", f"{name}/index/{index['IndexName']}", index["ProvisionedThroughput"])
        for index in table.get("GlobalSecondaryIndexes", [])
    ]
    return [
        _Dimension(resource, scales, direction, int(throughput[f"{direction}CapacityUnits"]))
        for scales, resource, throughput in (("table", name, table["ProvisionedThroughput"]), *indexes)
        for direction in ("Read", "Write")
    ]


def _of(listed: Iterable[Mapping[str, Any]], dimension: _Dimension) -> Sequence[Mapping[str, Any]]:
    return [
        one for one in listed if (one["ResourceId"], one["ScalableDimension"]) == (dimension.resource, dimension.name)
    ]


def _target(case: Case[Autoscaling], dimension: _Dimension) -> Mapping[str, Any] | None:
    return next(iter(_of(case.get(TARGETS)["ScalableTargets"], dimension)), None)


def _policy(case: Case[Autoscaling], dimension: _Dimension) -> Mapping[str, Any] | None:
    for policy in _of(case.get(POLICIES)["ScalingPolicies"], dimension):
        tracking = policy.get("TargetTrackingScalingPolicyConfiguration", {})
        if tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType") == dimension.metric:
            return policy
    return None


def _percent(policy: Mapping[str, Any]) -> float:
    return float(policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"])


def _validate(case: Case[Autoscaling]) -> Verdict:
    table = case.get(TABLE)["Table"]
    if on_demand(table):
        return Verdict(Status.NOT_APPLICABLE, "It is paid by request, and scales by itself.", {"billing": "on demand"})
    return worst(*(lambda one=one: _judge(case, one) for one in _dimensions(table)))


def _judge(case: Case[Autoscaling], dimension: _Dimension) -> Verdict:
    target, policy = _target(case, dimension), _policy(case, dimension)
    expected = {"percent": case.requirement.percent}
    if target is None or policy is None:
        lacks = "no scalable target" if target is None else "no policy that tracks its use"
        return Verdict(Status.FAIL, f"The {dimension} has {lacks}.", {"capacity": dimension.capacity}, expected)
    observed = {"percent": _percent(policy), "minimum": target["MinCapacity"], "maximum": target["MaxCapacity"]}
    weak = _weakness(target, _percent(policy), case.requirement.percent)
    if weak:
        return Verdict(Status.WARN, f"The {dimension} {weak}.", observed, expected)
    return Verdict(Status.PASS, f"Reads and writes scale at {case.requirement.percent} %.", observed, expected)


def _weakness(target: Mapping[str, Any], percent: float, wanted: int) -> str:
    if target["MinCapacity"] == target["MaxCapacity"]:
        return f"cannot leave {target['MinCapacity']} units"
    if target.get("SuspendedState", {}).get("DynamicScalingOutSuspended"):
        return "does not grow: its scaling is suspended"
    return "" if percent == wanted else f"scales at {percent:g} %, not at {wanted} %"


def _propose(case: Case[Autoscaling]) -> Sequence[Change]:
    table = case.get(TABLE)["Table"]
    if on_demand(table):
        raise CannotChange(f"{case.resource.name} is paid by request: there is no capacity to scale.")
    changes = [
        change for dimension in _dimensions(table) for change in (*_range(case, dimension), *_track(case, dimension))
    ]
    if not changes:
        raise CannotChange(f"Every capacity of {case.resource.name} scales as asked.")
    return changes


def _call(operation: str, dimension: _Dimension, **parameters: Any) -> Call:
    named = {"ServiceNamespace": "dynamodb", "ResourceId": dimension.resource, "ScalableDimension": dimension.name}
    return Call(service=_SERVICE, operation=operation, parameters=named | parameters)


def _range(case: Case[Autoscaling], dimension: _Dimension) -> Iterable[Change]:
    asked, target = case.requirement, _target(case, dimension)
    if target is not None and not _weakness(target, asked.percent, asked.percent):
        return
    before = {member: target[member] for member in _RANGE if member in target} if target else None
    after = _wider(asked, dimension, before or {})
    yield Change(
        check="DDB-SCALE",
        title=f"Let the {dimension} scale from {after['MinCapacity']} to {after['MaxCapacity']} units",
        call=_call("register_scalable_target", dimension, **after),
        inverse=_call("register_scalable_target", dimension, **before)
        if before
        else _call("deregister_scalable_target", dimension),
        reversibility=Reversibility.REVERSIBLE,
        before=before,
        after=after,
        cost="Capacity is paid as it is used, up to the maximum.",
    )


def _wider(asked: Autoscaling, dimension: _Dimension, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return a range that scales, and takes no capacity away that the table has now or was given before."""
    most = max(asked.maximum, dimension.capacity, before.get("MaxCapacity", 0))
    least = before.get("MinCapacity", asked.minimum)
    after: dict[str, Any] = {"MinCapacity": least if least < most else asked.minimum, "MaxCapacity": most}
    if "SuspendedState" in before:
        after["SuspendedState"] = before["SuspendedState"] | {"DynamicScalingOutSuspended": False}
    return after


def _track(case: Case[Autoscaling], dimension: _Dimension) -> Iterable[Change]:
    asked, policy = case.requirement.percent, _policy(case, dimension)
    if policy is not None and _percent(policy) == asked:
        return
    name = policy["PolicyName"] if policy else dimension.policy
    earlier = policy["TargetTrackingScalingPolicyConfiguration"] if policy else None
    # An earlier policy keeps what it says of cooldowns.
    after = (earlier or {"PredefinedMetricSpecification": {"PredefinedMetricType": dimension.metric}}) | {
        "TargetValue": float(asked)
    }

    def put(tracking: Mapping[str, Any]) -> Call:
        return _call(
            "put_scaling_policy",
            dimension,
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=tracking,
        )

    yield Change(
        check="DDB-SCALE",
        title=f"Scale the {dimension} at {asked} %",
        call=put(after),
        inverse=put(earlier) if earlier else _call("delete_scaling_policy", dimension, PolicyName=name),
        reversibility=Reversibility.REVERSIBLE,
        before=earlier,
        after=after,
        risk="Application Auto Scaling makes four alarms of its own for it.",
    )


def _present(case: Case[Autoscaling], change: Change) -> Any:
    asked = change.call.parameters
    is_range = change.call.operation == "register_scalable_target"
    listed = case.get(TARGETS)["ScalableTargets"] if is_range else case.get(POLICIES)["ScalingPolicies"]
    for one in listed:
        if (one["ResourceId"], one["ScalableDimension"]) != (asked["ResourceId"], asked["ScalableDimension"]):
            continue
        if is_range:
            return _range_of(one, change.after)
        if one["PolicyName"] == asked["PolicyName"]:
            return one["TargetTrackingScalingPolicyConfiguration"]
    return None


def _may_undo(case: Case[Autoscaling], made: Made) -> None:
    if made.change.inverse is None or made.change.inverse.operation != "deregister_scalable_target":
        return
    # All policies and scheduled actions of a target go with it, whoever made them:
    # https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html
    asked = made.change.call.parameters
    named = (asked["ResourceId"], asked["ScalableDimension"])
    dimensions = (one for one in _dimensions(case.get(TABLE)["Table"]) if (one.resource, one.name) == named)
    dimension = next(dimensions, None)
    if dimension is None or _target(case, dimension) is None:
        return  # the index or the target is gone
    policies = {one["PolicyName"] for one in _of(case.get(POLICIES)["ScalingPolicies"], dimension)}
    actions = {one["ScheduledActionName"] for one in _of(case.get(SCHEDULED)["ScheduledActions"], dimension)}
    if others := sorted((policies - {dimension.policy}) | actions):
        raise CannotChange(
            f"{', '.join(others)} of the {dimension} would be deleted with its scalable target: delete them first, or "
            "keep it."
        )


def _range_of(target: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    # AWS tells of a target that nothing is suspended, whether that was said or not.
    is_told = "SuspendedState" in after or any(target.get("SuspendedState", {}).values())
    return {member: target[member] for member in _RANGE if member in target and (member != "SuspendedState" or is_told)}


CHECK: Final = Check(
    id="DDB-SCALE",
    title="Capacity scales by itself, of the table and of every index",
    why="A table or a single index without scaling throttles at the first peak, and writes to it are lost or late.",
    severity=Severity.MEDIUM,
    kind=Kind.TABLE,
    requirement=Autoscaling,
    reads=(TABLE, TARGETS, POLICIES),
    further=(SCHEDULED,),  # which go with a target
    validate=_validate,
    cost="Free itself; capacity is paid as it is used, up to the maximum.",
    advice="Turn on autoscaling of reads and writes in the table's Additional settings tab, indexes included.",
    controls={
        "AWS FSBP": ("DynamoDB.1",),
        "NIST 800-53 r5": ("CP-10", "CP-2(2)", "CP-6(2)", "SC-36", "SC-5(2)", "SI-13(5)"),
    },
    mutator=Mutator(
        phase=3,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset(
            {
                f"{_SERVICE}:register_scalable_target",
                f"{_SERVICE}:deregister_scalable_target",
                f"{_SERVICE}:put_scaling_policy",
                f"{_SERVICE}:delete_scaling_policy",
            }
        ),
        actions=frozenset(
            {
                f"{_SERVICE}:RegisterScalableTarget",
                f"{_SERVICE}:DeregisterScalableTarget",
                f"{_SERVICE}:PutScalingPolicy",
                f"{_SERVICE}:DeleteScalingPolicy",
                # It asks in the caller's name what it will ask in its own, alarms and tables:
                # https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html
                "dynamodb:DescribeTable",
                "dynamodb:UpdateTable",
                "cloudwatch:PutMetricAlarm",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:DeleteAlarms",
                # Made at the first target.
                "iam:CreateServiceLinkedRole",
            }
        ),
        propose=_propose,
        present=_present,
        may_undo=_may_undo,
        after=frozenset({"DDB-EXISTS"}),  # each index that it makes needs scaling of its own
    ),
)
