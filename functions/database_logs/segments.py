"""A segment: a run of a log file's bytes that begins and ends where records do."""

from dataclasses import dataclass

from database_logs.log_types import LogType


@dataclass(frozen=True)
class Origin:
    """Where the bytes of a log file come from.

    Attributes:
        dbi_resource_id: Identity of the instance: a name that is used again gets a new one.
        instance_id: DBInstanceIdentifier.
        cluster_id: DBClusterIdentifier; None for an instance without cluster.
        engine: As DescribeDBInstances has it, `aurora-mysql` for instance.
        log_type: Grammar of the file.
        file: LogFileName.
        generation: Which of the files that bear this name, one after the other: names recur.
    """

    dbi_resource_id: str
    instance_id: str
    cluster_id: str | None
    engine: str
    log_type: LogType
    file: str
    generation: str


@dataclass(frozen=True)
class Segment:
    """Bytes `start` (inclusive) to `end` (exclusive) of a file.

    Attributes:
        prefix: log_line_prefix of the instance's parameter group; only postgres_stderr has one.
        time_zone: Zone of times that name none, an IANA name; "UTC" on RDS unless its parameter group says otherwise.
        truncated: The last record is cut: it is longer than any segment may be, or RDS would not give the rest.
        open_tail: The last record may have gone on: the file was idle or ended when it was taken.
    """

    origin: Origin
    start: int
    end: int
    prefix: str = "%t:%r:%u@%d:[%p]:"
    time_zone: str = "UTC"
    truncated: bool = False
    open_tail: bool = False
