"""The state machine of this domain."""

from typing import TYPE_CHECKING, ClassVar

from firewall_logs.contracts import RunInput

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class ProcessObjects:
    """Starts `process_objects`."""

    IAM: ClassVar = frozenset({"states:StartExecution"})

    def __init__(self, states: "SFNClient", arn: str) -> None:
        self._states = states
        self._arn = arn

    def start(self, name: str, run: RunInput) -> bool:
        """Start a run under a name that its input determines.

        Returns:
            False where a run of that name was started before: the batch came twice.
        """
        try:
            self._states.start_execution(
                stateMachineArn=self._arn, name=name, input=run.model_dump_json(exclude_none=True)
            )
        except self._states.exceptions.ExecutionAlreadyExists:
            return False
        return True
