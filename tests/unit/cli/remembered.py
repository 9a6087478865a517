"""A Step Functions client that remembers executions which have ended, and those that run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

_ARN = "arn:aws:states:eu-central-1:000000000000"


@dataclass(frozen=True)
class Past:
    """An execution.

    Attributes:
        machine: Short name of its state machine.
        answers: What its functions have answered, in order.
    """

    machine: str
    name: str
    began: datetime
    status: str = "SUCCEEDED"
    input: Any = None
    output: Any = None
    error: str = ""
    cause: str = ""
    answers: Sequence[Any] = ()

    @property
    def arn(self) -> str:
        return f"{_ARN}:execution:gatehouse-local-{self.machine}:{self.name}"


@dataclass
class Remembered:
    """Answers like boto3's client of Step Functions.

    Attributes:
        described: Names of the executions that were asked for, in order.
    """

    machines: Sequence[str]
    past: list[Past] = field(default_factory=list)
    described: list[str] = field(default_factory=list)

    def get_paginator(self, operation: str) -> "_Pages":
        return _Pages(self, operation)

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.described.append(executionArn.rpartition(":")[2])
        found = next((past for past in self.past if past.arn == executionArn), None)
        if found is None:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist", "Message": "gone"}}, "DescribeExecution")
        given = {} if found.input is None else found.input
        said = {"status": found.status, "startDate": found.began, "input": json.dumps(given)}
        if found.status == "SUCCEEDED":
            return said | {"output": json.dumps(found.output)}
        return said | {key: value for key in ("error", "cause") if (value := getattr(found, key))}

    def get_execution_history(
        self,
        *,
        executionArn: str,  # noqa: N803 - boto3's name
        reverseOrder: bool,  # noqa: N803 - boto3's name
        **_: Any,
    ) -> dict[str, Any]:
        (found,) = (past for past in self.past if past.arn == executionArn)
        events: list[dict[str, Any]] = [{"type": "ExecutionStarted"}]
        for answer in found.answers:
            output = json.dumps({"StatusCode": 200, "Payload": answer})
            events.append({"type": "TaskSucceeded", "taskSucceededEventDetails": {"output": output}})
        return {"events": events[::-1] if reverseOrder else events}


@dataclass(frozen=True)
class _Pages:
    states: Remembered
    operation: str

    def paginate(
        self,
        stateMachineArn: str = "",  # noqa: N803 - boto3's name
        PaginationConfig: dict[str, int] | None = None,  # noqa: N803 - boto3's name
    ) -> list[dict[str, Any]]:
        if self.operation == "list_state_machines":
            names = [f"gatehouse-local-{machine}" for machine in self.states.machines]
            arns = [{"name": name, "stateMachineArn": f"{_ARN}:stateMachine:{name}"} for name in names]
            return [{"stateMachines": arns}]
        of = f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:"
        found = [past for past in self.states.past if past.arn.startswith(of)]
        found.sort(key=lambda past: past.began, reverse=True)
        most = (PaginationConfig or {}).get("MaxItems")
        return [{"executions": [{"executionArn": past.arn, "startDate": past.began} for past in found[:most]]}]


def at(day: int, hour: int = 5) -> datetime:
    """Return a time of November 2026, as boto3 gives it: with an offset of this machine's own."""
    return datetime(2026, 11, day, hour, tzinfo=UTC)
