"""When an instance is looked at again, and how that is remembered."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from database_logs.adapters.turns import Turns
from database_logs.discovery.files import Known
from database_logs.discovery.schedule import Turn, is_due
from database_logs.errors import TableThrottled

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
SHORTEST = timedelta(minutes=5)


@pytest.mark.parametrize(
    ("late", "due"),
    [
        pytest.param(0, True, id="on the second"),
        pytest.param(40, True, id="seen at the end of a pass that took 40 seconds"),
        pytest.param(300, False, id="not this time: nothing moved"),
    ],
)
def test_instance_is_looked_at_in_every_pass_although_passes_take_a_while(late: int, due: bool) -> None:  # noqa: FBT001
    turn = Turn(SHORTEST, NOW + SHORTEST + timedelta(seconds=late))
    assert is_due(turn, NOW + SHORTEST, SHORTEST) is due


def test_instance_that_nobody_looked_at_is_due() -> None:
    assert is_due(None, NOW, SHORTEST)


class BusyTable:
    """DynamoDB as it answers BatchWriteItem while it has no time for more than some items."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.written: list[str] = []

    def batch_write_item(self, *, RequestItems: dict[str, list[Any]]) -> Any:  # noqa: N803 - as boto3 has it
        [(table, requests)] = RequestItems.items()
        assert len(requests) <= 25
        self.written += [one["PutRequest"]["Item"]["item"]["S"] for one in requests[: self.at_once]]
        left = requests[self.at_once :]
        return {"UnprocessedItems": {table: left} if left else {}}


def _states(number: int) -> list[Known]:
    return [Known(f"error/{one:03}", 1, NOW, None, settled=False, final=False) for one in range(number)]


def test_what_dynamodb_leaves_of_a_batch_is_written_after_a_pause() -> None:
    table, pauses = BusyTable(at_once=10), list[float]()
    Turns(table, "tracking", pauses.append).note("db-1", _states(60))  # type: ignore[arg-type]
    assert table.written == [f"file#error/{one:03}" for one in range(60)]
    assert len(pauses) == 4


def test_what_dynamodb_never_takes_is_an_error() -> None:
    table, pauses = BusyTable(at_once=0), list[float]()
    with pytest.raises(TableThrottled, match="3 items of tracking"):
        Turns(table, "tracking", pauses.append).note("db-1", _states(3))  # type: ignore[arg-type]
    assert sum(pauses) <= 30
