"""Compares a restored table with the one that it was restored from.

What comes back and what does not: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from data_protection.drills.contracts import Drill, DrillResult
from data_protection.readings import Answer


@dataclass(frozen=True)
class Look:
    """What was read of a table.

    Attributes:
        table: Of DescribeTable.
        backups: Of DescribeContinuousBackups.
        ttl: Of DescribeTimeToLive.
        tags: By key.
    """

    table: Answer
    backups: Answer = field(default_factory=dict)
    ttl: Answer = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def result(drill: Drill, source: Look, scratch: Look, now: datetime) -> DrillResult:
    """Return what a drill found.

    Args:
        drill: Which.
        source: The table that was restored.
        scratch: What it was restored to.
        now: When the restored table was first seen to be active.
    """
    asked, seconds = drill.asked, (now - drill.began).total_seconds()
    lost = (drill.began - drill.restored_to).total_seconds()
    return DrillResult(
        drill=drill,
        seconds=seconds,
        meets_rto=seconds <= asked.rto_minutes * 60,
        lost_seconds=lost,
        meets_rpo=lost <= asked.rpo_minutes * 60,
        source_items=source.table.get("ItemCount", 0),
        source_bytes=source.table.get("TableSizeBytes", 0),
        differing=tuple(_differing(source.table, scratch.table)),
        to_set=tuple(_to_set(source, scratch)),
    )


def _differing(source: Answer, scratch: Answer) -> Iterable[str]:
    for name, read in (
        ("keys", _keys),
        ("attributes of keys", _attributes),
        ("global indexes", lambda table: _indexes(table.get("GlobalSecondaryIndexes", ()))),
        ("local indexes", lambda table: _indexes(table.get("LocalSecondaryIndexes", ()))),
        ("billing mode", _billing),
        ("capacity", _capacity),
        ("encryption key", lambda table: table.get("SSEDescription", {}).get("KMSMasterKeyArn")),
    ):
        before, after = read(source), read(scratch)
        if before != after:
            yield f"Of the {name} there is {after or 'none'} instead of {before or 'none'}."


def _to_set(source: Look, scratch: Look) -> Iterable[str]:
    view = _stream(source.table)
    if view != _stream(scratch.table):
        yield f"The stream ({view}) must be turned on again, and what reads it be pointed to the new one."
    if _recovery(source.backups) == "ENABLED" != _recovery(scratch.backups):
        yield "Point-in-time recovery must be turned on again; its window starts anew."
    if _expiry(source.ttl) != _expiry(scratch.ttl):
        yield f"Time to live, by the attribute {_expiry(source.ttl)}, must be turned on again."
    if source.table.get("DeletionProtectionEnabled") and not scratch.table.get("DeletionProtectionEnabled"):
        yield "Deletion protection must be turned on again."
    if lacking := sorted(set(source.tags) - set(scratch.tags)):
        yield f"The tags {', '.join(lacking)} must be put again, and with them whatever is granted or found by them."
    yield "Scaling policies, alarms and policies that name the table must be made for the new one."


def _keys(table: Answer) -> list[tuple[str, str]]:
    return [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]]


def _attributes(table: Answer) -> list[tuple[str, str]]:
    return sorted((one["AttributeName"], one["AttributeType"]) for one in table["AttributeDefinitions"])


def _indexes(indexes: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[tuple[str, str]], str]]:
    return sorted((one["IndexName"], _keys(one), one["Projection"]["ProjectionType"]) for one in indexes)


def _billing(table: Answer) -> str:
    mode: str = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    return mode


def _capacity(table: Answer) -> tuple[int, int]:
    given = table.get("ProvisionedThroughput", {})
    return given.get("ReadCapacityUnits", 0), given.get("WriteCapacityUnits", 0)


def _stream(table: Answer) -> str:
    given = table.get("StreamSpecification", {})
    return str(given.get("StreamViewType", "")) if given.get("StreamEnabled") else ""


def _recovery(backups: Answer) -> str:
    status: str = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus", "DISABLED")
    return status


def _expiry(ttl: Answer) -> str:
    return str(ttl.get("AttributeName", "")) if ttl.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"} else ""
