"""The RDS API of one account in one region, each call paid for from the budget that all functions share."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from database_logs.collection.portions import Portion
from database_logs.discovery.files import Listed
from database_logs.discovery.fleet import Instance
from database_logs.errors import (
    AccessRefused,
    ApiThrottled,
    FileGone,
    InstanceGone,
    InstancePaused,
    PortionUnreadable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_rds import RDSClient

    from database_logs.adapters.budget import Budget

_ATTEMPTS: Final = 5
_KEPT: Final = timedelta(minutes=1)
THROTTLES: Final = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
    }
)
_ERRORS: Final[dict[str, type[Exception]]] = {
    "DBInstanceNotReady": InstancePaused,
    "DBInstanceNotFound": InstanceGone,
    "DBInstanceNotFoundFault": InstanceGone,
    "DBLogFileNotFoundFault": FileGone,
    "AccessDenied": AccessRefused,
    "AccessDeniedException": AccessRefused,
}


@dataclass
class Calls:
    """What was asked of RDS, for metrics."""

    made: int = 0
    failed: int = 0


class RdsApi:
    """RDS, as far as logs go. Throttled calls wait and are made again.

    Raises, each method:
        ApiThrottled: The account answers no more calls for now.
        AccessRefused: The role may not.
        InstanceGone, InstancePaused: Of what is about one instance.
    """

    IAM: ClassVar = frozenset(
        {
            "rds:DescribeDBInstances",
            "rds:DescribeDBLogFiles",
            "rds:DescribeDBParameters",
            "rds:DownloadDBLogFilePortion",
        }
    )

    def __init__(self, rds: "RDSClient", budget: "Budget", now: "Callable[[], datetime]") -> None:
        self._rds = rds
        self._now = now
        self._instances: dict[str, tuple[datetime, Instance]] = {}
        self.budget = budget
        self.calls = Calls()

    def instances(self) -> list[Instance]:
        """Return all instances, Neptune's and DocumentDB's too."""
        return [_instance(found) for found in self._pages(self._rds.describe_db_instances, "DBInstances")]

    def instance(self, instance_id: str) -> Instance:
        """Return the instance that bears a name; as it was a minute ago, in which none is deleted and made anew."""
        asked, known = self._instances.get(instance_id, (None, None))
        if asked is not None and known is not None and self._now() - asked < _KEPT:
            return known
        asked = self._now()
        answer = self._call(lambda: self._rds.describe_db_instances(DBInstanceIdentifier=instance_id))
        found = answer.get("DBInstances", [])
        if not found:
            raise InstanceGone(f"There is no instance {instance_id}.")
        self._instances[instance_id] = (asked, _instance(found[0]))
        return self._instances[instance_id][1]

    def parameters(self, group: str) -> dict[str, str]:
        """Return the parameters of a group that somebody has set."""
        rows = self._pages(self._rds.describe_db_parameters, "Parameters", DBParameterGroupName=group, Source="user")
        return {row["ParameterName"]: row["ParameterValue"] for row in rows if "ParameterValue" in row}

    def log_files(self, instance_id: str, contains: str | None = None) -> list[Listed]:
        """Return the log files of an instance, all, or those whose names have a part."""
        given = {"DBInstanceIdentifier": instance_id} | ({"FilenameContains": contains} if contains else {})
        return [
            Listed(row["LogFileName"], row["Size"], datetime.fromtimestamp(row["LastWritten"] / 1000, UTC))
            for row in self._pages(self._rds.describe_db_log_files, "DescribeDBLogFiles", **given)
        ]

    def portion(self, instance_id: str, file: str, marker: str, lines: int) -> Portion:
        """Return a portion from a marker on.

        Raises:
            FileGone: There is no such file.
            PortionUnreadable: RDS, or the XML that it sends, has no form for these bytes.
        """
        answer = self._call(
            lambda: self._rds.download_db_log_file_portion(
                DBInstanceIdentifier=instance_id, LogFileName=file, Marker=marker, NumberOfLines=lines
            )
        )
        return Portion(answer.get("LogFileData", "").encode(), answer.get("Marker"))

    def _pages(self, operation: "Callable[..., Any]", member: str, **given: Any) -> Iterator[dict[str, Any]]:
        marker: dict[str, str] = {}
        while True:
            page = self._call(lambda marker=marker: operation(**given, **marker))  # type: ignore[misc]
            # A list without rows is a missing member.
            yield from page.get(member, [])
            if not page.get("Marker"):
                return
            marker = {"Marker": page["Marker"]}

    def _call(self, operation: "Callable[[], Any]") -> Any:
        for attempt in range(_ATTEMPTS):
            self.budget.spend()
            self.calls.made += 1
            try:
                with self._understanding():
                    return operation()
            except ApiThrottled:
                if attempt == _ATTEMPTS - 1:
                    raise
                self.budget.throttle(attempt)
        raise AssertionError("unreachable: the loop returns or raises")

    @contextmanager
    def _understanding(self) -> Iterator[None]:
        try:
            yield
        except ResponseParserError as error:
            raise PortionUnreadable("RDS sent bytes that no XML may have.") from error
        except ClientError as error:
            known = meaning(error.response["Error"]["Code"], error.response["Error"].get("Message", ""))
            # Neither the account's limit nor an instance that sleeps is a fault of the API.
            if not isinstance(known, (ApiThrottled, InstancePaused, FileGone, PortionUnreadable)):
                self.calls.failed += 1
            if known is None:
                raise
            raise known from error


def meaning(code: str, message: str) -> Exception | None:
    """Return what an error code of RDS means here; None for what is a passing fault."""
    if code in THROTTLES or "quota exceeded" in message.lower():
        return ApiThrottled(f"RDS throttles this account: {code}: {message}")
    if code == "InvalidParameterValue" and "binary" in message:
        return PortionUnreadable(message)
    known = _ERRORS.get(code)
    return known(f"{code}: {message}") if known else None


def _instance(found: Any) -> Instance:
    groups = found.get("DBParameterGroups", [])
    return Instance(
        dbi_resource_id=found["DbiResourceId"],
        instance_id=found["DBInstanceIdentifier"],
        cluster_id=found.get("DBClusterIdentifier"),
        engine=found["Engine"],
        status=found["DBInstanceStatus"],
        tags={tag["Key"]: tag["Value"] for tag in found.get("TagList", [])},
        parameter_group=groups[0]["DBParameterGroupName"] if groups else None,
    )
