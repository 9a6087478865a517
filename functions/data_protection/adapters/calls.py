"""Makes the calls of plans: those that a mutator declares, and no other."""

from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError, ParamValidationError

from data_protection.adapters.refusals import Refusal
from data_protection.changes import Call, Reversibility
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Mutator
from data_protection.errors import StepRefused
from data_protection.remediation.policy import MAY_BE_PREAPPROVED

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.client import BaseClient


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
            StepRefused: The check's mutator does not declare the call, or AWS refuses it, or says that a quota is used
                up; then the sentence says when it works.
            ClientError: AWS throttles or fails, or what the call is about is being changed.
        """
        mutator = catalogue()[check].mutator
        if mutator is None or f"{call.service}:{call.operation}" not in mutator.operations:
            raise StepRefused(f"{check} may not call {call.service}:{call.operation}: its mutator does not declare it.")
        try:
            answer = getattr(self._client(call.service, region), call.operation)(**call.parameters)
        except ParamValidationError as error:
            raise StepRefused(f"{call} is no call that AWS knows: {error}") from error
        except ClientError as error:
            code, refused = error.response["Error"]["Code"], f"AWS refuses {call.service}:{call.operation}: {error}"
            quota = mutator.quota
            if quota is not None and code == quota.refusal:
                # DynamoDB refuses other faults by the same code, so that AWS' own words stand first.
                raise StepRefused(
                    f"{refused} ({quota}; if that is why, it works {quota.hours} h from now at the latest: plan again "
                    "then.)"
                ) from error
            if Refusal(error).is_final:
                raise StepRefused(refused) from error
            raise
        request_id: str = answer["ResponseMetadata"].get("RequestId", "")
        return request_id


def _comes_back_unasked(mutator: Mutator[Any]) -> bool:
    """Whether the usual change of a mutator comes back as if it had never been, and its phase may go unapproved."""
    return mutator.reversibility is Reversibility.REVERSIBLE and mutator.phase in MAY_BE_PREAPPROVED


class ReversibleCalls(Calls):
    """Makes only calls that nobody is asked about first: of mutators whose usual change comes back."""

    IAM: ClassVar = frozenset(
        action
        for check in catalogue().values()
        if check.mutator is not None and _comes_back_unasked(check.mutator)
        for action in check.mutator.actions
    )

    def make(self, check: str, call: Call, region: str) -> str:
        """Make a call and return AWS' request id; refuse, as a step, what is graver."""
        mutator = catalogue()[check].mutator
        if mutator is not None and not _comes_back_unasked(mutator):
            raise StepRefused(
                f"Changes of {check} are of phase {mutator.phase} and class {mutator.reversibility}: they need an "
                "approval."
            )
        return super().make(check, call, region)
