"""How an instance writes its logs, by the parameters that somebody has set."""

from collections.abc import Mapping
from typing import Final

from database_logs.boundaries.postgres import RDS_PREFIX
from kernel.contracts import Document

# PostgreSQL's, and MySQL's.
_ZONES: Final = ("log_timezone", "time_zone")


class Formats(Document):
    """How an instance writes its logs.

    Attributes:
        prefix: log_line_prefix.
        time_zone: Of times that name none.
        destination: log_destination; empty where the engine's own counts.
    """

    prefix: str = RDS_PREFIX
    time_zone: str = "UTC"
    destination: str = ""


def formats_of(cluster: Mapping[str, str], instance: Mapping[str, str]) -> Formats:
    """Return the formats of an instance.

    What both groups set is as the instance's has it (Aurora user guide, "Working with parameter groups").

    Args:
        cluster: Parameters that are set in the cluster's group; none without a cluster.
        instance: In the instance's own.
    """
    given = {**cluster, **instance}
    return Formats(
        prefix=given.get("log_line_prefix", RDS_PREFIX),
        time_zone=next((given[name] for name in _ZONES if name in given), "UTC"),
        destination=given.get("log_destination", ""),
    )
