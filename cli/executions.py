"""Executions of state machines, as Step Functions remembers them: until 90 days after they have ended."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from cli.follow import Execution
from cli.target import Target

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import ExecutionListItemTypeDef

_AT_ONCE: Final = 8


def latest(target: Target, machines: Sequence[str], most: int) -> list[Execution]:
    """Return the latest executions of state machines, the latest first.

    Args:
        target: Where they ran.
        machines: By their short names.
        most: How many at most, of all of them together.

    Raises:
        NotDeployed: One of the machines is not.
    """
    arns = [target.machine_arn(machine) for machine in machines]
    # One client for all threads: boto3 must not make several at once.
    sfn = target.client("stepfunctions")
    pages = sfn.get_paginator("list_executions")

    def listed(arn: str) -> "list[ExecutionListItemTypeDef]":
        asked = pages.paginate(stateMachineArn=arn, PaginationConfig={"MaxItems": most})
        return [each for page in asked for each in page["executions"]]

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        # What is among the latest of all is among the latest of its machine.
        every = [each for of_machine in pool.map(listed, arns) for each in of_machine]
        chosen = sorted(every, key=lambda each: each["startDate"], reverse=True)[:most]
        return list(pool.map(lambda each: _described(sfn, each["executionArn"]), chosen))


def backwards(target: Target, machine: str) -> Iterator[Execution]:
    """Yield the executions of a state machine, the latest first; each is read as it is taken.

    Raises:
        NotDeployed: The machine is not.
    """
    sfn = target.client("stepfunctions")
    pages = sfn.get_paginator("list_executions").paginate(stateMachineArn=target.machine_arn(machine))
    for page in pages:
        for each in page["executions"]:
            yield _described(sfn, each["executionArn"])


def named(target: Target, machine_arn: str, name: str) -> Execution | None:
    """Return an execution of a state machine, without its history; None where it is not known, or not any more."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy

    arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
    try:
        return _described(target.client("stepfunctions"), arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
            raise
        return None


def is_running(target: Target, machine_arn: str, name: str) -> bool:
    """Return whether an execution of a state machine runs."""
    execution = named(target, machine_arn, name)
    return execution is not None and execution.status == "RUNNING"


def _described(sfn: "SFNClient", arn: str) -> Execution:
    execution = Execution(arn)
    execution.describe(sfn.describe_execution(executionArn=arn))
    return execution
