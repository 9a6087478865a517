"""When an answer of RDS that is kept is believed."""

import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from database_logs.discovery.responses import MemoryCache, Responses, Rows
from database_logs.errors import CacheUnavailable

KEEP = timedelta(minutes=5)
OWNER = ("123456789012", "eu-central-1", "")


class World:
    """A clock, what RDS would answer, and how often it was asked."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
        self.rows: Rows = [{"Name": "orders-1"}]
        self.asked = 0

    def ask(self) -> Rows:
        self.asked += 1
        return self.rows

    def responses(self, shared: Any, owner: tuple[str, str, str] = OWNER) -> Responses:
        """Return what a process has that begins now."""
        return Responses(MemoryCache(), shared, owner, lambda: self.now)


class Spoiled(MemoryCache):
    """A cache that gives back something else."""

    def __init__(self, spoil: Callable[[bytes], bytes]) -> None:
        super().__init__()
        self._spoil = spoil

    def get(self, key: str) -> bytes | None:
        value = super().get(key)
        return value if value is None else self._spoil(value)


class Down:
    """A cache that does not answer, and how often that was found out."""

    def __init__(self) -> None:
        self.tried = 0

    def get(self, _: str) -> bytes | None:
        self.tried += 1
        raise CacheUnavailable("down")

    def put(self, *_: object) -> None:
        self.tried += 1
        raise CacheUnavailable("down")


@pytest.fixture
def world() -> World:
    return World()


def test_answer_is_shared_until_it_is_too_old(world: World) -> None:
    shared = MemoryCache()
    assert world.responses(shared).rows("A", {}, KEEP, world.ask) == world.rows
    world.now += KEEP - timedelta(seconds=1)
    other = world.responses(shared)
    assert other.rows("A", {}, KEEP, world.ask) == world.rows
    assert (world.asked, other.uses.hits) == (1, 1)
    world.now += timedelta(seconds=1)
    other.rows("A", {}, KEEP, world.ask)
    assert world.asked == 2


def test_fresh_answer_passes_by_what_is_kept_and_replaces_it(world: World) -> None:
    shared = MemoryCache()
    here, there = world.responses(shared), world.responses(shared)
    here.rows("A", {}, KEEP, world.ask)
    world.rows = [{"Name": "orders-2"}]
    assert here.rows("A", {}, KEEP, world.ask, fresh=True) == world.rows
    assert here.rows("A", {}, KEEP, world.ask) == there.rows("A", {}, KEEP, world.ask) == world.rows
    assert world.asked == 2


@pytest.mark.parametrize(
    "other",
    [
        ("210987654321", "eu-central-1", ""),
        ("123456789012", "eu-west-1", ""),
        ("123456789012", "eu-central-1", "arn:aws:iam::123456789012:role/reader"),
    ],
)
def test_accounts_regions_and_roles_have_answers_of_their_own(world: World, other: tuple[str, str, str]) -> None:
    shared = MemoryCache()
    for owner in (OWNER, other):
        world.responses(shared, owner).rows("A", {}, KEEP, world.ask)
    assert world.asked == 2


def test_parameters_have_answers_of_their_own(world: World) -> None:
    responses = world.responses(MemoryCache())
    for given in ({"Id": "a"}, {"Id": "b"}, {"Id": "a"}):
        responses.rows("A", given, KEEP, world.ask)
    assert world.asked == 2


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda value: value[:-1], id="cut"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda value: b"?" + value[1:], id="unknown form"),
        pytest.param(lambda value: b"z" + value[1:], id="not compressed"),
        pytest.param(lambda value: value.replace(b'"version":1', b'"version":2'), id="another version"),
        pytest.param(lambda value: value.replace(b'"key":"A/', b'"key":"B/'), id="of another key"),
        pytest.param(lambda _: b"z" + zlib.compress(b"[]"), id="no entry"),
    ],
)
def test_what_nobody_can_have_put_there_is_counted_and_asked_for_anew(
    world: World, spoil: Callable[[bytes], bytes]
) -> None:
    shared = Spoiled(spoil)
    world.responses(shared).rows("A", {}, KEEP, world.ask)
    responses = world.responses(shared)
    assert responses.rows("A", {}, KEEP, world.ask) == world.rows
    assert (world.asked, responses.uses.failures, responses.uses.hits) == (2, 1, 0)


def test_answer_from_far_in_the_future_is_not_believed(world: World) -> None:
    shared = MemoryCache()
    world.now += timedelta(days=1)
    world.responses(shared).rows("A", {}, KEEP, world.ask)
    world.now -= timedelta(days=1)
    world.responses(shared).rows("A", {}, KEEP, world.ask)
    assert world.asked == 2


def test_cache_that_is_down_costs_nothing_but_calls_and_is_left_alone_for_a_minute(world: World) -> None:
    down = Down()
    responses = world.responses(down)
    for number in range(100):
        assert responses.rows("A", {"Id": number}, KEEP, world.ask) == world.rows
    assert (world.asked, down.tried, responses.uses.failures) == (100, 1, 1)
    assert responses.rows("A", {"Id": 7}, KEEP, world.ask) == world.rows
    assert world.asked == 100, "the process remembers nevertheless"
    world.now += timedelta(minutes=1)
    responses.rows("A", {"Id": 100}, KEEP, world.ask)
    assert down.tried == 2


def test_times_are_the_same_whether_an_answer_was_kept_or_not(world: World) -> None:
    world.rows = [{"At": world.now}]
    responses = world.responses(MemoryCache())
    first = responses.rows("A", {}, KEEP, world.ask)
    assert first == responses.rows("A", {}, KEEP, world.ask) == [{"At": "2026-11-21T08:00:00+00:00"}]


def test_failed_call_is_not_kept(world: World) -> None:
    def fail() -> Rows:
        raise ValueError("refused")

    responses = world.responses(MemoryCache())
    with pytest.raises(ValueError, match="refused"):
        responses.rows("A", {}, KEEP, fail)
    assert responses.rows("A", {}, KEEP, world.ask) == world.rows


def test_memory_forgets_what_was_not_used_for_longest() -> None:
    memory = MemoryCache(most_bytes=10)
    for key in "abc":
        memory.put(key, b"1234", KEEP)
        memory.get("a")
    assert [memory.get(key) for key in "abc"] == [b"1234", None, b"1234"]
    memory.put("a", b"12345", KEEP)
    assert memory.get("c") == b"1234"
