"""The RDS API of one account in one region, each call paid for from the budget that all functions share."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from database_logs.collection.portions import Portion
from database_logs.discovery.events import CATEGORIES, Event
from database_logs.discovery.files import Listed
from database_logs.discovery.formats import Formats, formats_of
from database_logs.discovery.instances import Cluster, Instance, joined
from database_logs.errors import (
    AccessRefused,
    ApiFailed,
    ApiThrottled,
    ApiUnavailable,
    FileGone,
    InstanceGone,
    InstancePaused,
    ParametersGone,
    PortionUnreadable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_rds import RDSClient

    from database_logs.adapters.budget import Budget
    from database_logs.discovery.responses import Responses, Rows, Uses

# Five minutes, and one, less a twentieth: passes come as often, and one that is a second early must not read what the
# one before it asked for.
_FLEET_KEPT: Final = timedelta(seconds=285)
_FILES_KEPT: Final = timedelta(seconds=57)
_PARAMETERS_KEPT: Final = timedelta(hours=1)
# Groups that nobody can change: RDS' own.
_DEFAULT_GROUPS: Final = "default."
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
    "DBParameterGroupNotFound": ParametersGone,
    "DBParameterGroupNotFoundFault": ParametersGone,
    "AccessDenied": AccessRefused,
    "AccessDeniedException": AccessRefused,
}


@dataclass
class Calls:
    """Calls that failed, for metrics."""

    failed: int = 0

    def note(self, meant: Exception | None) -> None:
        """Count an error, unless it is the account's limit, an instance that sleeps, or what files are like."""
        self.failed += not isinstance(meant, (ApiThrottled, InstancePaused, FileGone, PortionUnreadable))


class RdsApi:
    """RDS, as far as logs go: listings of files, and how each call is made.

    Calls that are throttled, or that a passing fault hit, wait and are made again.

    Raises, each method:
        ApiThrottled: The account answers no more calls for now.
        ApiFailed: With an error that means nothing here; ApiUnavailable if it would pass, and did not for five times.
        AccessRefused: The role may not.
        InstanceGone, InstancePaused: Of what is about one instance.
    """

    IAM: ClassVar = frozenset({"rds:DescribeDBLogFiles"})

    def __init__(self, rds: "RDSClient", budget: "Budget", responses: "Responses") -> None:
        self._rds = rds
        self._responses = responses
        self.budget = budget
        self.calls = Calls()

    @property
    def uses(self) -> "Uses":
        """How often an answer that was kept did."""
        return self._responses.uses

    def log_files(self, instance_id: str, *, fresh: bool = False) -> list[Listed]:
        """Return the log files of an instance, as of a minute ago at most, or as of now."""
        given = {"DBInstanceIdentifier": instance_id}
        return [
            Listed(row["LogFileName"], row["Size"], datetime.fromtimestamp(row["LastWritten"] / 1000, UTC))
            for row in self._kept(_FILES_KEPT, "DescribeDBLogFiles", "DescribeDBLogFiles", given, fresh=fresh)
        ]

    def _kept(
        self, keep: timedelta, operation: str, member: str, given: dict[str, Any], *, fresh: bool = False
    ) -> "Rows":
        return self._responses.rows(
            operation, given, keep, lambda: list(self._pages(operation, member, given)), fresh=fresh
        )

    def _pages(self, operation: str, member: str, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
        call = getattr(self._rds, xform_name(operation))
        marker: dict[str, str] = {}
        while True:
            page = self._call(lambda marker=marker: call(**given, **marker))  # type: ignore[misc]
            # A list without rows is a missing member.
            yield from page.get(member, [])
            if not page.get("Marker"):
                return
            marker = {"Marker": page["Marker"]}

    def _call(self, operation: "Callable[[], Any]") -> Any:
        def understood() -> Any:
            with self._understanding():
                return operation()

        return self.budget.pay(understood)

    @contextmanager
    def _understanding(self) -> Iterator[None]:
        try:
            yield
        except ResponseParserError as error:
            raise PortionUnreadable("RDS sent bytes that no XML may have.") from error
        except ClientError as error:
            known = meaning(error.response["Error"]["Code"], error.response["Error"].get("Message", ""))
            self.calls.note(known)
            raise known or _failed(error) from error
        except BotoCoreError as error:
            # Nobody answered, or nobody vouches for the caller.
            self.calls.note(error)
            raise ApiUnavailable(f"RDS does not answer: {error}") from error


class FleetApi(RdsApi):
    """What discovery asks beside listings."""

    IAM: ClassVar = RdsApi.IAM | {
        "rds:DescribeDBClusterParameters",
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstances",
        "rds:DescribeDBParameters",
        "rds:DescribeEvents",
    }

    def instances(self, *, fresh: bool = False) -> list[Instance]:
        """Return all instances with what their clusters say of them, as of five minutes ago at most, or as of now.

        Neptune's and DocumentDB's are among them.
        """
        instances = self._kept(_FLEET_KEPT, "DescribeDBInstances", "DBInstances", {}, fresh=fresh)
        clusters = self._kept(_FLEET_KEPT, "DescribeDBClusters", "DBClusters", {}, fresh=fresh)
        return joined(map(_instance, instances), map(_cluster, clusters))

    def events(self, since: datetime, until: datetime) -> list[Event]:
        """Return what was announced in a time, of instances, clusters and others; of two weeks at most."""
        given = {"StartTime": since, "EndTime": until, "EventCategories": list(CATEGORIES)}
        return [
            Event(
                source=row.get("SourceIdentifier", ""),
                kind=row["SourceType"],
                message=row.get("Message", ""),
                categories=frozenset(row.get("EventCategories", [])),
                at=row["Date"],
            )
            for row in self._pages("DescribeEvents", "Events", given)
        ]

    def formats(self, instance: Instance) -> Formats:
        """Return how an instance writes its logs, as of an hour ago at most."""
        cluster, own = instance.cluster_parameter_group, instance.parameter_group
        return formats_of(
            self._set_in("DescribeDBClusterParameters", "DBClusterParameterGroupName", cluster),
            self._set_in("DescribeDBParameters", "DBParameterGroupName", own),
        )

    def _set_in(self, operation: str, parameter: str, group: str | None) -> dict[str, str]:
        """Return the parameters of a group that somebody has set."""
        if group is None or group.startswith(_DEFAULT_GROUPS):
            return {}
        try:
            rows = self._kept(_PARAMETERS_KEPT, operation, "Parameters", {parameter: group, "Source": "user"})
        except ParametersGone:
            # The instance has another group since its answer was kept.
            return {}
        return {row["ParameterName"]: row["ParameterValue"] for row in rows if "ParameterValue" in row}


class LogApi(RdsApi):
    """What collection asks beside listings."""

    IAM: ClassVar = RdsApi.IAM | {"rds:DescribeDBInstances", "rds:DownloadDBLogFilePortion"}

    def find(self, resource: str) -> Instance | None:
        """Return the instance with a DbiResourceId as it is now, under whatever name; None if there is none any more.

        What its cluster says of it is not asked for.
        """
        given = {"Filters": [{"Name": "dbi-resource-id", "Values": [resource]}]}
        found = list(self._pages("DescribeDBInstances", "DBInstances", given))
        return _instance(found[0]) if found else None

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


def _failed(error: ClientError) -> ApiFailed:
    passes = error.response["ResponseMetadata"]["HTTPStatusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR
    return (ApiUnavailable if passes else ApiFailed)(str(error))


def meaning(code: str, message: str) -> Exception | None:
    """Return what an error code of RDS means here; None for one that means nothing."""
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
        engine_version=found.get("EngineVersion", ""),
        instance_class=found.get("DBInstanceClass", ""),
        status=found["DBInstanceStatus"],
        tags=_tags(found),
        parameter_group=groups[0]["DBParameterGroupName"] if groups else None,
    )


def _cluster(found: Any) -> Cluster:
    return Cluster(
        cluster_id=found["DBClusterIdentifier"],
        members={one["DBInstanceIdentifier"]: one["IsClusterWriter"] for one in found.get("DBClusterMembers", [])},
        status=found["Status"],
        engine_mode=found.get("EngineMode", "provisioned"),
        may_pause=found.get("ServerlessV2ScalingConfiguration", {}).get("MinCapacity") == 0,
        tags=_tags(found),
        parameter_group=found.get("DBClusterParameterGroup"),
    )


def _tags(found: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found.get("TagList", [])}
