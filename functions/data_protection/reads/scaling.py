"""Reads of Application Auto Scaling, once for all tables of an account: far fewer calls than one a table."""

from collections.abc import Callable, Iterable
from typing import Final

from data_protection.readings import Answer, Read
from data_protection.resources import Kind, Resource


def _read(
    name: str, operation: str, members: str, leads_to: Callable[[Resource, Answer], Iterable[Resource]] | None = None
) -> Read:
    return Read(
        name=f"application-autoscaling.{name}",
        kind=Kind.ACCOUNT,
        service="application-autoscaling",
        operation=operation,
        arguments=lambda _: {"ServiceNamespace": "dynamodb"},
        actions=frozenset({f"application-autoscaling:{name}"}),
        merge=(members,),
        leads_to=leads_to,
    )


def _account(account: Resource, answer: Answer) -> Iterable[Resource]:
    # Only targets have scheduled actions.
    return [account] if answer["ScalableTargets"] else []


TARGETS: Final = _read("DescribeScalableTargets", "describe_scalable_targets", "ScalableTargets", _account)
POLICIES: Final = _read("DescribeScalingPolicies", "describe_scaling_policies", "ScalingPolicies")
SCHEDULED: Final = _read("DescribeScheduledActions", "describe_scheduled_actions", "ScheduledActions")
