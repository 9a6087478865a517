"""The state machines of this domain."""

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from pydantic import BaseModel


class Machine:
    """Starts executions of one state machine."""

    IAM: ClassVar = frozenset({"states:StartExecution"})

    def __init__(self, states: "SFNClient", arn: str) -> None:
        self._states = states
        self._arn = arn

    def start(self, name: str, document: "BaseModel") -> bool:
        """Start an execution under a name that its input determines.

        Returns:
            False where one of that name was started before: whoever asks, asks twice.
        """
        try:
            self._states.start_execution(
                stateMachineArn=self._arn, name=name, input=document.model_dump_json(exclude_defaults=True)
            )
        except self._states.exceptions.ExecutionAlreadyExists:
            return False
        return True


class RunWatch:
    """Looks at executions of `process_objects`."""

    IAM: ClassVar = frozenset({"states:DescribeExecution"})

    def __init__(self, states: "SFNClient", arn: str) -> None:
        self._states = states
        self._arn = arn

    def status(self, name: str) -> str | None:
        """Return the status of the run of this name; None where there never was one."""
        arn = f"{self._arn.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            return self._states.describe_execution(executionArn=arn)["status"]
        except self._states.exceptions.ExecutionDoesNotExist:
            return None
