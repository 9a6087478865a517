"""Reads of Application Auto Scaling, once for all tables of an account: far fewer calls than one a table."""

from typing import Final

from data_protection.readings import Read
from data_protection.resources import Kind


def _read(name: str, operation: str, members: str) -> Read:
    return Read(
        name=f"application-autoscaling.{name}",
        kind=Kind.ACCOUNT,
        service="application-autoscaling",
        operation=operation,
        arguments=lambda _: {"ServiceNamespace": "dynamodb"},
        actions=frozenset({f"application-autoscaling:{name}"}),
        merge=(members,),
    )


TARGETS: Final = _read("DescribeScalableTargets", "describe_scalable_targets", "ScalableTargets")
POLICIES: Final = _read("DescribeScalingPolicies", "describe_scaling_policies", "ScalingPolicies")
