"""Configures versioning and Object Lock of a bucket, as the checks propose it."""

from typing import TYPE_CHECKING, ClassVar, Final

from data_protection.adapters.calls import Calls
from data_protection.changes import Change
from data_protection.errors import StepRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.client import BaseClient

_CALLS: Final = frozenset({"put_bucket_versioning", "put_object_lock_configuration"})


class LockConfiguration:
    """Makes the two calls that a lock needs, and none that the same checks may make besides.

    Args:
        client: Returns the client of a service in a region.
    """

    IAM: ClassVar = frozenset({"s3:PutBucketVersioning", "s3:PutBucketObjectLockConfiguration"})

    def __init__(self, client: "Callable[[str, str], BaseClient]") -> None:
        self._calls = Calls(client)

    def make(self, change: Change, region: str) -> str:
        """Make a change and return AWS' request id.

        Raises:
            StepRefused: It is none of a lock, or AWS says that it can never work.
            ClientError: AWS throttles or fails.
        """
        if change.call.operation not in _CALLS:
            raise StepRefused(f"A lock does not call {change.call.operation}.")
        return self._calls.make(change.check, change.call, region)
