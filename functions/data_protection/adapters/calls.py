"""Makes the calls of plans: those that a mutator declares, and no other."""

from typing import TYPE_CHECKING, ClassVar, Final

from botocore.exceptions import ClientError, ParamValidationError

from data_protection.changes import Call, Reversibility
from data_protection.checks.catalogue import catalogue
from data_protection.errors import StepRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.client import BaseClient

# Said again, these would be said again.
_NEVER: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "InvalidRequest",
        "MalformedXML",
        "InvalidArgument",
        "InvalidParameterValue",
        "NoSuchBucket",
        "ResourceNotFoundException",
        "UnauthorizedOperation",
        "ValidationException",
    }
)


class Calls:
    """Makes calls that change resources.

    Args:
        client: Returns the client of a service in a region.
    """

    IAM: ClassVar = frozenset(
        action for check in catalogue().values() if check.mutator is not None for action in check.mutator.actions
    )

    def __init__(self, client: "Callable[[str, str], BaseClient]") -> None:
        self._client = client

    def make(self, check: str, call: Call, region: str) -> str:
        """Make a call and return AWS' request id.

        Raises:
            StepRefused: The check's mutator does not declare the call, or AWS says that it can never work.
            ClientError: AWS throttles or fails.
        """
        mutator = catalogue()[check].mutator
        if mutator is None or f"{call.service}:{call.operation}" not in mutator.operations:
            raise StepRefused(f"{check} may not call {call.service}:{call.operation}: its mutator does not declare it.")
        try:
            answer = getattr(self._client(call.service, region), call.operation)(**call.parameters)
        except ParamValidationError as error:
            raise StepRefused(f"{call} is no call that AWS knows: {error}") from error
        except ClientError as error:
            if error.response["Error"]["Code"] in _NEVER:
                raise StepRefused(f"AWS refuses {call.service}:{call.operation}: {error}") from error
            raise
        request_id: str = answer["ResponseMetadata"].get("RequestId", "")
        return request_id


class ReversibleCalls(Calls):
    """Makes only calls of mutators whose usual change comes back as if it had never been; nobody is asked first."""

    IAM: ClassVar = frozenset(
        action
        for check in catalogue().values()
        if check.mutator is not None and check.mutator.reversibility is Reversibility.REVERSIBLE
        for action in check.mutator.actions
    )

    def make(self, check: str, call: Call, region: str) -> str:
        """Make a call and return AWS' request id; refuse, as a step, what is graver."""
        mutator = catalogue()[check].mutator
        if mutator is not None and mutator.reversibility is not Reversibility.REVERSIBLE:
            raise StepRefused(f"Changes of {check} are of class {mutator.reversibility}: they need an approval.")
        return super().make(check, call, region)
