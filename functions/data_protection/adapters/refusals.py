"""What AWS means by an error that answers a change: not now, or never.

Each service names its refusals in its own way, as `AccessDenied`, `AuthorizationError` and `MalformedPolicy`, so that
what is known by name is what passes; all else is a refusal.
"""

from typing import ClassVar, Final

from botocore.exceptions import ClientError

# Said again in a while, the call may be taken, or another look shows that it is not needed.
_BUSY: Final = frozenset(
    {
        "AlreadyExistsException",
        "BucketAlreadyOwnedByYou",
        "ConcurrentModification",
        "ConcurrentUpdateException",
        "ConflictException",
        "ContinuousBackupsUnavailableException",
        "DBClusterAlreadyExistsFault",
        "DBInstanceAlreadyExists",
        "DBParameterGroupAlreadyExists",
        "EntityAlreadyExists",
        "InvalidDBClusterStateFault",
        "InvalidDBInstanceState",
        "InvalidDBParameterGroupState",
        "LimitExceededException",
        "OperationAborted",
        "ResourceExistsException",
        "ResourceInUseException",
    }
)
# As AWS names them; what has 500 and more says it by that.
_TRANSIENT: Final = (
    "Throttl",
    "TooManyRequests",
    "RequestLimitExceeded",
    "SlowDown",
    "PriorRequestNotComplete",
    "RequestTimeout",
    "ExpiredToken",
)
_SERVER_FAULT: Final = 500


class Refusal:
    """An error by which AWS answers a call that changes something.

    Attributes:
        is_busy: Whether what the call is about is being changed, or there already.
        is_transient: Whether AWS throttles, fails, or the credentials have run out.
    """

    IAM: ClassVar = frozenset[str]()

    def __init__(self, error: ClientError) -> None:
        code = error.response["Error"]["Code"]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        self.is_busy = code in _BUSY
        self.is_transient = status >= _SERVER_FAULT or any(word in code for word in _TRANSIENT)

    @property
    def is_final(self) -> bool:
        """Whether the call, said again, would be refused again."""
        return not self.is_busy and not self.is_transient
