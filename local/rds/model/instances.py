"""Instances and clusters, with the knobs that say how their logs behave."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Protocol

from local.rds.model.errors import file_missing, invalid
from local.rds.model.layouts import Sources, logs_of
from local.rds.model.logs import Log
from local.rds.model.markers import MarkerStyle
from local.rds.model.portions import MAX_BYTES, BinaryPolicy, CutMarker


class DatabaseServer(Protocol):
    """A server whose restart is real."""

    def crash(self) -> None:
        """End it at once, with what it has not flushed."""

    def start(self) -> None:
        """Start it again; its logs go on."""

    def stop(self) -> None:
        """End it in order."""

    def connect(self) -> Any:
        """Return a connection as the DB-API has it."""


@dataclass
class Knobs:
    """How an instance's logs behave where RDS was seen to behave in more than one way.

    Attributes:
        marker_style: Of returned markers.
        cut_marker: Where the marker points after a cut line.
        cut_back: Bytes that BEFORE_CUT repeats.
        binary: What becomes of bytes that XML cannot carry.
        portion_bytes: Bytes in a portion; a small number makes small tests of large matters.
        page_size: Files on a page of a listing.
        unflushed: Bytes that a restart takes from the end of each file that is written.
        last_written_trails: How far LastWritten is behind the bytes.
        latency: Seconds before each answer about its logs.
        bytes_per_second: How fast log bytes are answered; None: at once.
    """

    marker_style: MarkerStyle = MarkerStyle.HOUR
    cut_marker: CutMarker = CutMarker.NEXT_LINE
    cut_back: int = 7
    binary: BinaryPolicy = BinaryPolicy.REPLACE
    portion_bytes: int = MAX_BYTES
    page_size: int = 1000
    unflushed: int = 3072
    last_written_trails: timedelta = timedelta(0)
    latency: float = 0.0
    bytes_per_second: int | None = None


def _none(_: str) -> None:
    return None


@dataclass
class Instance:
    """A database instance.

    Attributes:
        resource_id: DbiResourceId; another one for an instance of the same name that is made later.
        paused: Whether it is a Serverless v2 instance that sleeps.
        parameters: Of its parameter group, as DescribeDBParameters shows them.
        sources: What its logs are written to, by kind.
        server: What is restarted with it; None where bytes are made up.
    """

    identifier: str
    resource_id: str
    engine: str
    engine_version: str
    created: datetime
    cluster: str | None = None
    status: str = "available"
    instance_class: str = "db.r7g.large"
    paused: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    knobs: Knobs = field(default_factory=Knobs)
    logs: list[Log] = field(default_factory=list)
    sources: Sources = field(default=_none)
    server: DatabaseServer | None = None

    def attach(self, sources: Sources, now: datetime) -> None:
        """Begin the logs that the engine writes to these sources."""
        self.sources = sources
        self.logs = logs_of(self.engine, sources, count(), now)

    @property
    def parameter_group(self) -> str:
        """DBParameterGroupName."""
        return f"{self.identifier}-parameters"

    def log_of(self, name: str) -> Log:
        """Return the log that a file belongs to.

        Raises:
            ServiceError: There is no file of this name.
        """
        for log in self.logs:
            if name in log.files:
                return log
        raise file_missing(name)

    def log_named(self, base: str) -> Log:
        """Return the log whose written file's name begins so.

        Raises:
            ServiceError: None or several do.
        """
        found = [log for log in self.logs if log.name.startswith(base)]
        if len(found) != 1:
            raise invalid(f"{self.identifier} has {len(found)} logs that begin with {base}, not one.")
        return found[0]

    def restart(self, now: datetime) -> None:
        """Lose what is not flushed, then go on."""
        if self.server is not None:
            self.server.crash()
        for log in self.logs:
            log.lose(self.knobs.unflushed, now)
        if self.server is not None:
            self.server.start()

    def describe(self, account: str, region: str) -> dict[str, Any]:
        """Return a DBInstance as botocore's model has it."""
        described: dict[str, Any] = {
            "DBInstanceIdentifier": self.identifier,
            "DbiResourceId": self.resource_id,
            "DBInstanceArn": f"arn:aws:rds:{region}:{account}:db:{self.identifier}",
            "DBInstanceClass": self.instance_class,
            "Engine": self.engine,
            "EngineVersion": self.engine_version,
            "DBInstanceStatus": self.status,
            "InstanceCreateTime": self.created,
            "AvailabilityZone": f"{region}a",
            "DBParameterGroups": [{"DBParameterGroupName": self.parameter_group, "ParameterApplyStatus": "in-sync"}],
            "EnabledCloudwatchLogsExports": [],
            "PromotionTier": 1,
            "TagList": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }
        if self.cluster is not None:
            described["DBClusterIdentifier"] = self.cluster
        return described


@dataclass
class Cluster:
    """An Aurora cluster.

    Attributes:
        members: Identifiers of its instances.
        writer: The one that writes.
        pauses: Whether it may go down to no capacity: MinCapacity 0.
        parameters: Of its parameter group, as DescribeDBClusterParameters shows them.
    """

    identifier: str
    resource_id: str
    engine: str
    engine_version: str
    members: list[str]
    writer: str
    pauses: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def parameter_group(self) -> str:
        """DBClusterParameterGroup."""
        return f"{self.identifier}-parameters"

    def describe(self, account: str, region: str) -> dict[str, Any]:
        """Return a DBCluster as botocore's model has it."""
        described: dict[str, Any] = {
            "DBClusterIdentifier": self.identifier,
            "DbClusterResourceId": self.resource_id,
            "DBClusterArn": f"arn:aws:rds:{region}:{account}:cluster:{self.identifier}",
            "Engine": self.engine,
            "EngineVersion": self.engine_version,
            "EngineMode": "provisioned",
            "DBClusterParameterGroup": self.parameter_group,
            "Status": "available",
            "DBClusterMembers": [
                {
                    "DBInstanceIdentifier": member,
                    "IsClusterWriter": member == self.writer,
                    "DBClusterParameterGroupStatus": "in-sync",
                    "PromotionTier": 1,
                }
                for member in self.members
            ],
            "TagList": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }
        if self.pauses:
            described["ServerlessV2ScalingConfiguration"] = {
                "MinCapacity": 0.0,
                "MaxCapacity": 8.0,
                "SecondsUntilAutoPause": 300,
            }
        return described
