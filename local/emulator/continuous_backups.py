# ruff: noqa: SLF001 - MiniStack's private names are what is replaced here; seams.py checks them at start
"""Point-in-time recovery as AWS describes it: MiniStack forgets the period, and goes back to this very second.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PointInTimeRecoveryDescription.html
"""

import json
import time
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core.responses import AccountRegionScopedDict, json_response
from ministack.services import dynamodb

from local.emulator import seams

_DEFAULT_DAYS = 35
# "LatestRestorableDateTime is typically 5 minutes before the current time."
_LAG_SECONDS = 300

# By table: days, and seconds since the epoch at which it was switched on.
_periods = AccountRegionScopedDict()


def install() -> None:
    """Keep the period and the time of the switch, and check the first as AWS does."""
    seams.replace(dynamodb, "_update_continuous_backups", "data", _keeping)
    seams.replace(dynamodb, "_describe_continuous_backups", "data", _telling)
    seams.replace(app, "_reset_all_state", "", _forgetting)


def _forgetting(original: Callable[[], None]) -> Callable[[], None]:
    def reset() -> None:
        original()
        _periods.clear()

    return reset


def _keeping(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(data: dict[str, Any]) -> Any:
        asked = data.get("PointInTimeRecoverySpecification", {})
        days = asked.get("RecoveryPeriodInDays", _DEFAULT_DAYS)
        if not 1 <= days <= _DEFAULT_DAYS:
            message = f"RecoveryPeriodInDays must be from 1 to {_DEFAULT_DAYS}, not {days}."
            return dynamodb.error_response_json("ValidationException", message, 400)
        answer = original(data)
        name = dynamodb._normalize_table_name(data.get("TableName"))
        if not asked.get("PointInTimeRecoveryEnabled"):
            _periods.pop(name, None)
        elif name in dynamodb._tables:
            since = _periods[name][1] if name in _periods else time.time()
            _periods[name] = (days, since)
        return _told(answer, name)

    return update


def _telling(original: Callable[..., Any]) -> Callable[..., Any]:
    def describe(data: dict[str, Any]) -> Any:
        return _told(original(data), dynamodb._normalize_table_name(data.get("TableName")))

    return describe


def _told(answer: Any, name: str) -> Any:
    status, _, body = answer
    if status != 200 or name not in _periods:  # noqa: PLR2004 - HTTP
        return answer
    days, since = _periods[name]
    described = json.loads(body)
    described["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"] |= {
        "RecoveryPeriodInDays": days,
        "EarliestRestorableDateTime": since,
        # Not before the switch: a window that has just begun holds nothing yet.
        "LatestRestorableDateTime": max(since, time.time() - _LAG_SECONDS),
    }
    return json_response(described)
