"""Errors as the service answers them."""


class ServiceError(Exception):
    """An error answer.

    Attributes:
        code: As clients see it, `DBInstanceNotFound` for instance.
        status: HTTP status.
        message: The service's sentence.
    """

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = status
        self.message = message


def instance_missing(identifier: str) -> ServiceError:
    """Logs belong to instances: what a cluster's identifier is answered with, too."""
    return ServiceError("DBInstanceNotFound", 404, f"DBInstance {identifier} not found.")


def file_missing(name: str) -> ServiceError:
    """Purged, renamed, or never there."""
    return ServiceError("DBLogFileNotFoundFault", 404, f"DBLog File: {name}, is not found on the DB instance.")


def not_ready(identifier: str) -> ServiceError:
    """A Serverless v2 instance is paused."""
    return ServiceError("DBInstanceNotReady", 400, f"DBInstance {identifier} is paused; its logs cannot be read.")


def invalid(message: str) -> ServiceError:
    """A parameter is not what it may be."""
    return ServiceError("InvalidParameterValue", 400, message)


def binary() -> ServiceError:
    """The bytes near the position are not printable (honeycombio/rdslogs#19)."""
    return invalid(
        "This file contains binary data and should be downloaded instead of viewed: request the complete file."
    )


def throttled() -> ServiceError:
    """The account has made too many calls in this region."""
    return ServiceError("Throttling", 400, "Rate exceeded")
