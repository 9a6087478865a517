"""The story of the demo of database logs: when its hours go by, and what is told of them afterwards."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from cli.database_demo_story import Story, happened, lines_lost
from local.rds.model.script import Rule

START = datetime(2026, 11, 21, 6, 10, tzinfo=UTC)
FAILOVER = START + timedelta(hours=1.5)


@pytest.mark.parametrize(
    ("hours", "looks"),
    [
        pytest.param(1.0, [65], id="an hour"),
        pytest.param(1.05, [68], id="little more than an hour"),
        pytest.param(2.5, [60, 120, 155], id="a part of an hour at the end"),
        pytest.param(3.0, [60, 120, 185], id="whole hours"),
    ],
)
def test_fleet_is_looked_at_each_hour_and_a_moment_after_the_end(hours: float, looks: list[int]) -> None:
    story = Story(START, hours, [])
    assert story.looks == [START + timedelta(minutes=minutes) for minutes in looks]
    gone_by = sum((part for _, parts in story.steps() for part in parts), timedelta())
    assert gone_by == timedelta(hours=hours)
    assert all(part > timedelta() for _, parts in story.steps() for part in parts)


@pytest.mark.parametrize("hours", [1.0, 1.4, 2.0, 2.2, 2.5, 3.0, 4.0])
def test_failover_comes_between_two_looks_and_a_restart_just_after_one(hours: float) -> None:
    story = Story(START, hours, ["postgres"])
    assert all(abs(look - story.failover) >= timedelta(minutes=15) for look in story.looks)
    if len(story.looks) > 2:
        assert story.reboot is not None
        assert any(timedelta() < story.reboot - look <= timedelta(minutes=5) for look in story.looks[:-1])


def test_script_throttles_looks_and_restarts_servers() -> None:
    story = Story(START, 2.5, ["postgres"])
    rules = TypeAdapter(list[Rule]).validate_python(story.script())
    assert [(rule.effect, rule.instance, rule.after) for rule in rules] == [
        *(("throttle", "*", look) for look in story.looks),
        ("failover", "aurora-postgresql-00", FAILOVER),
        ("failover", "postgres-00", FAILOVER),
        ("reboot", "postgres-00", story.looks[1] + timedelta(minutes=5)),
    ]


def _file(number: int, **more: Any) -> dict[str, Any]:
    return {
        "generation": number,
        "size": 10,
        "closed": None,
        "moves_on": False,
        "instance": f"db-{number}",
        "lost": [],
        **more,
    }


def test_what_happened_is_told_in_the_order_of_time() -> None:
    story = Story(START, 2.5, [])
    rotated = (START + timedelta(minutes=50)).isoformat()
    later = START + timedelta(minutes=125)
    lost = [{"at": FAILOVER.isoformat(), "lines": 3}, {"at": later.isoformat(), "lines": 4}]
    truth = [_file(0, closed=rotated), _file(1, closed=rotated), _file(2, lost=lost), _file(3, closed=rotated, size=0)]
    assert lines_lost(truth) == 7
    told = happened(story, truth, applied=[0, 0, 4, 1], truncated=2)
    assert [each.when for each in told] == ["07:00", "07:40", "08:15", "08:45", ""]
    assert [each.what for each in told] == [
        "2 files rotated: closed, and others begun",
        "db-2 started anew: 3 lines at the ends of 1 file lost",
        "db-2 started anew: 4 lines at the ends of 1 file lost",
        "RDS refused 4 calls: too many a second",
        "2 portions cut inside of a line, and asked for again",
    ]
