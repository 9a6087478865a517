"""What alarms watch: whether their metric can ever have data.

Of an alarm by wrong dimensions CloudWatch shows no fault: where missing data is not breaching, it stays OK.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from data_protection.resources import Kind

_TABLE: Final = frozenset({"TableName"})
_INDEX: Final = _TABLE | {"GlobalSecondaryIndexName"}
_OPERATION: Final = _TABLE | {"Operation"}
# The dimensions by which DynamoDB publishes a metric; by no fewer and no others it has data:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
_PUBLISHED: Final[Mapping[tuple[str, str], tuple[frozenset[str], ...]]] = {
    ("AWS/DynamoDB", metric): by
    for metrics, by in (
        (("ConditionalCheckFailedRequests", "TimeToLiveDeletedItemCount"), (_TABLE,)),
        (
            (
                "ConsumedReadCapacityUnits",
                "ConsumedWriteCapacityUnits",
                "ProvisionedReadCapacityUnits",
                "ProvisionedWriteCapacityUnits",
                "ReadThrottleEvents",
                "WriteThrottleEvents",
            ),
            (_TABLE, _INDEX),
        ),
        (("ReturnedItemCount", "SystemErrors", "ThrottledRequests"), (_OPERATION,)),
        (("SuccessfulRequestLatency",), (_OPERATION, _OPERATION | {"StreamLabel"})),
        (("UserErrors",), (frozenset[str](),)),
    )
    for metric in metrics
}
NAMING: Final[Mapping[tuple[str, str], Kind]] = {
    ("AWS/DynamoDB", "TableName"): Kind.TABLE,
    ("AWS/RDS", "DBInstanceIdentifier"): Kind.DATABASE,
}
"""Kinds of the resources that a dimension names, by namespace and dimension."""


@dataclass(frozen=True)
class Metric:
    """One metric of CloudWatch.

    Attributes:
        namespace: As `AWS/DynamoDB`.
        name: Of it.
        dimensions: Values by name.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str] = field(default_factory=dict)

    @property
    def fault(self) -> str:
        """Why AWS never publishes it by these dimensions, as the end of a sentence; empty for nothing that is known."""
        published = _PUBLISHED.get((self.namespace, self.name))
        if published is None or self.dimensions.keys() in published:
            return ""
        by = " or ".join(" and ".join(sorted(names)) or "no dimension" for names in published)
        return f"{self.name} has data by {by}, not by {' and '.join(sorted(self.dimensions)) or 'no dimension'}"

    def names(self) -> Iterator[tuple[Kind, str]]:
        """Yield the resources that its dimensions name, of kinds that are known here."""
        for dimension, value in self.dimensions.items():
            if kind := NAMING.get((self.namespace, dimension)):
                yield kind, value


def metrics(alarm: Mapping[str, Any]) -> Iterator[Metric]:
    """Yield the metrics of an alarm as AWS has it: its own, or those of its expression that are of its own account.

    A composite alarm has none.
    """
    if "MetricName" in alarm:
        yield _metric(alarm)
    for query in alarm.get("Metrics", []):
        if "MetricStat" in query and "AccountId" not in query:
            yield _metric(query["MetricStat"]["Metric"])


def _metric(given: Mapping[str, Any]) -> Metric:
    dimensions = {one["Name"]: one["Value"] for one in given.get("Dimensions", [])}
    return Metric(given["Namespace"], given["MetricName"], dimensions)
