"""When an instance is looked at again."""

from datetime import UTC, datetime, timedelta

import pytest

from database_logs.discovery.schedule import Turn, is_due

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
