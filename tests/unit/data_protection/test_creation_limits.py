"""How long a creation may take, and what its machine has room for."""

from datetime import timedelta
from math import ceil
from pathlib import Path

import pytest

from data_protection.creation.creator import PATIENCE, wait_after
from data_protection.creation.requests import MOST, parse_request
from data_protection.errors import CreationInvalid
from data_protection.resources import Place
from tests.support.definitions import read

MACHINE = read(Path("statemachines/data_protection/create_secure_resources.asl.yaml"))
STAGE = MACHINE["States"]["CreateStage"]
PLACE = Place("123456789012", "eu-central-1")
# Entered, scheduled, started, succeeded, exited of the task; entered and exited of the choice and the wait.
EVENTS_A_LOOK = 9


def request(tables: int) -> str:
    names = ", ".join(
        f"{{name: orders-{number}, keys: {{partition: {{name: id}}}}, key: alias/data}}" for number in range(tables)
    )
    return f"{{name: shop, tables: [{names}]}}"


def looks() -> int:
    """Return how often a resource is looked at that never comes into being."""
    count, waited = 1, timedelta()
    while waited <= PATIENCE:
        waited += wait_after(waited)
        count += 1
    return count


def test_a_resource_is_looked_at_soon_at_first_and_seldom_in_the_end() -> None:
    waits = [wait_after(timedelta(minutes=minutes)) for minutes in (0, 1, 4, 60)]
    assert waits == [timedelta(seconds=20), timedelta(seconds=20), timedelta(minutes=1), timedelta(minutes=5)]


def test_history_of_the_machine_holds_the_largest_request_at_its_slowest() -> None:
    assert MOST * looks() * EVENTS_A_LOOK < 25_000


def test_machine_has_time_for_the_largest_request_at_its_slowest() -> None:
    stages = 7
    rounds = ceil(MOST / STAGE["MaxConcurrency"]) + stages
    one = PATIENCE + wait_after(PATIENCE) + timedelta(seconds=330)
    assert rounds * one.total_seconds() < MACHINE["TimeoutSeconds"]


def test_a_request_for_more_than_the_machine_has_room_for_is_refused() -> None:
    assert len(parse_request(request(MOST), PLACE, "").all) == MOST
    with pytest.raises(CreationInvalid, match="at most 80"):
        parse_request(request(MOST + 1), PLACE, "")
