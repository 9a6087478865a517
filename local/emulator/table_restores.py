# ruff: noqa: SLF001 - MiniStack's private names are what is replaced here; seams.py checks them at start
"""Restores of tables to a point in time as AWS describes them: MiniStack's are there at once and forget their source.

What a restored table has and lacks, and what is refused:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html
What it says of its source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreSummary.html
"""

import copy
import json
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import dynamodb

from local.emulator import seams

_OK = 200
# On AWS it takes minutes at least. Here it is long enough to be seen.
_CREATING_SECONDS = 2.0

# Members that a restored table's record has besides MiniStack's; they go when the table goes.
_SUMMARY = "_gatehouse_restore_summary"
_ACTIVE_FROM = "_gatehouse_active_from"


def install() -> None:
    """Let restored tables be created for a while, say of what, and be encrypted as their source is."""
    seams.replace(dynamodb, "_restore_table_to_point_in_time", "data", _restoring)
    seams.replace(dynamodb, "_table_description", "name", _telling)
    seams.replace(dynamodb, "_update_table", "data", _only_active)
    seams.replace(dynamodb, "_delete_table", "data", _only_active)


def _restoring(original: Callable[..., Any]) -> Callable[..., Any]:
    def restore(data: dict[str, Any]) -> Any:
        name = dynamodb._normalize_table_name(data.get("SourceTableName") or data.get("SourceTableArn"))
        source = dynamodb._tables.get(name)
        if source is None:
            return original(data)
        window = _window(name)
        if window is None:
            return dynamodb.error_response_json(
                "PointInTimeRecoveryUnavailableException",
                f"Point in time recovery is not enabled for table {name}.",
                400,
            )
        earliest, latest = window
        asked = latest if data.get("UseLatestRestorableTime") else data.get("RestoreDateTime")
        # A table is restored to a second.
        if asked is None or not int(earliest) <= int(asked) <= int(latest):
            message = f"RestoreDateTime must be from {earliest} to {latest}, not {asked}."
            return dynamodb.error_response_json("InvalidRestoreTimeException", message, 400)
        answer = original(data)
        if answer[0] != _OK:
            return answer
        override = data.get("SSESpecificationOverride")
        dynamodb._tables[data["TargetTableName"]] |= {
            "SSEDescription": (
                dynamodb._sse_description_from_spec(override)
                if override
                else copy.deepcopy(source.get("SSEDescription"))
            ),
            _SUMMARY: {"SourceTableArn": source["TableArn"], "RestoreDateTime": int(asked)},
            _ACTIVE_FROM: time.monotonic() + _CREATING_SECONDS,
        }
        return json_response({"TableDescription": dynamodb._table_description(data["TargetTableName"])})

    return restore


def _window(name: str) -> tuple[float, float] | None:
    """Return the earliest and latest moment a table can be restored to, or None if it cannot."""
    _, _, body = dynamodb._describe_continuous_backups({"TableName": name})
    recovery = json.loads(body)["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    if recovery["PointInTimeRecoveryStatus"] != "ENABLED":
        return None
    return recovery["EarliestRestorableDateTime"], recovery["LatestRestorableDateTime"]


def _telling(original: Callable[[str], dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
    def describe(name: str) -> dict[str, Any]:
        described, table = original(name), dynamodb._tables[name]
        if _SUMMARY in table:
            creating = _is_creating(table)
            described["RestoreSummary"] = table[_SUMMARY] | {"RestoreInProgress": creating}
            described["TableStatus"] = "CREATING" if creating else described["TableStatus"]
        return described

    return describe


def _only_active(original: Callable[..., Any]) -> Callable[..., Any]:
    def change(data: dict[str, Any]) -> Any:
        name = dynamodb._normalize_table_name(data.get("TableName"))
        if _is_creating(dynamodb._tables.get(name, {})):
            message = f"Attempt to change a resource which is still in use: Table is being created: {name}"
            return dynamodb.error_response_json("ResourceInUseException", message, 400)
        return original(data)

    return change


def _is_creating(table: dict[str, Any]) -> bool:
    active_from: float = table.get(_ACTIVE_FROM, 0.0)
    return time.monotonic() < active_from
