"""However events come, once, twice, late, in any order or never, a sweep makes of it what is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from data_protection.adapters.drifts import DriftStore
from data_protection.adapters.findings import FindingStore
from data_protection.collection import Questions
from data_protection.drift.calls import CALLS
from data_protection.drift.drifts import Drift, DriftEnd
from data_protection.drift.touches import Cause, Touch, Touches
from data_protection.drift.watcher import Look, Watcher
from data_protection.reads.dynamodb import CONTINUOUS_BACKUPS, TABLE
from data_protection.reads.tagging import TAGS
from data_protection.resources import Kind, Resource
from data_protection.snapshot import Snapshot
from data_protection.verdicts import Status
from tests.support.data_protection_account import ACCOUNT, NOW, PLACE, profile, taken
from tests.support.data_protection_healthy import TABLE as ANSWER
from tests.support.data_protection_healthy import recovery
from tests.support.effort import examples

TABLES = [Resource(Kind.TABLE, PLACE, name) for name in ("one", "two")]
CHECKS = {"DDB-PITR": "UpdateContinuousBackups", "DDB-DELPROT": "UpdateTable"}
PROFILE = profile({table: {check: {} for check in CHECKS} for table in TABLES})

Pair = tuple[str, Resource]
_table_names = count()


class Died(Exception):
    """The worker is no more."""


@dataclass
class World:
    """An account whose tables are changed, and what those hear who are told."""

    on: dict[Pair, bool] = field(default_factory=lambda: {(check, table): True for check in CHECKS for table in TABLES})
    now: datetime = NOW
    told: list[tuple[str, str, str]] = field(default_factory=list)
    effects_left: int | None = None

    def take(self, questions: Questions, now: datetime) -> Snapshot:
        answers: dict[Any, Any] = {(ACCOUNT, TAGS): {"ResourceTagMappingList": []}}
        for table in TABLES:
            answers[table, CONTINUOUS_BACKUPS] = recovery("ENABLED" if self.on["DDB-PITR", table] else "DISABLED")
            answers[table, TABLE] = {"Table": ANSWER | {"DeletionProtectionEnabled": self.on["DDB-DELPROT", table]}}
        return taken(questions, answers, now)

    def publish(self, noun: str, detail: Drift | DriftEnd) -> None:
        if self.effects_left is not None:
            self.effects_left -= 1
            if self.effects_left < 0:
                raise Died
        drift = detail if isinstance(detail, Drift) else detail.drift
        self.told.append((noun, drift.check, drift.arn))

    def touch(self, pair: Pair) -> Touch:
        check, table = pair
        watched = CALLS["dynamodb.amazonaws.com", CHECKS[check]]
        return Touch(watched, PLACE.account, PLACE.region, table.name, Cause("alice", watched.name, "e", self.now))


@dataclass
class Kept:
    """What is kept of an account, in tables of moto."""

    world: World
    findings: FindingStore
    drifts: DriftStore

    def look(self, touches: Sequence[Touch] | None = None) -> None:
        self.world.now += timedelta(seconds=1)
        watcher = Watcher(
            self.world,  # type: ignore[arg-type]
            self.findings,
            self.drifts,
            self.world,  # type: ignore[arg-type]
            None,
            profile=PROFILE,
            profile_name="test",
            now=lambda: self.world.now,
        )
        if touches is None:
            watcher.look(Look("sweep", PLACE))
        else:
            some = Touches(touches)
            watcher.look(Look("recheck", PLACE, some, some.cause))

    def statuses(self) -> Mapping[tuple[str, str], Status]:
        return {pair: standing.status for pair, standing in self.findings.standings(PLACE).items()}

    def open(self) -> set[tuple[str, str]]:
        return set(self.drifts.open_in(PLACE))


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": PLACE.region}
    with patch.dict("os.environ", credentials), mock_aws():
        yield boto3.client("dynamodb", region_name=PLACE.region)


def kept(dynamodb: Any, world: World) -> Kept:
    name = f"findings-{next(_table_names)}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("place", "entry")],
        KeySchema=[{"AttributeName": "place", "KeyType": "HASH"}, {"AttributeName": "entry", "KeyType": "RANGE"}],
    )
    made = Kept(world, FindingStore(None, "", dynamodb, name), DriftStore(dynamodb, name))  # type: ignore[arg-type]
    made.look()
    return made


PAIRS = st.sampled_from([(check, table) for check in CHECKS for table in TABLES])
CHANGE = st.tuples(st.just("change"), PAIRS, st.booleans())
# Which of the events so far come, by their number: in any order, several times, late, or never.
DELIVERY = st.tuples(st.just("deliver"), st.lists(st.integers(0, 9), min_size=1, max_size=4), st.none())
SWEEP = st.tuples(st.just("sweep"), st.none(), st.none())
STEPS = st.lists(st.one_of(CHANGE, DELIVERY, SWEEP), max_size=12)


def run(made: Kept, steps: Sequence[tuple[str, Any, Any]]) -> None:
    events: list[Touch] = []
    for kind, what, on in steps:
        if kind == "change":
            made.world.on[what] = on
            events.append(made.world.touch(what))
        elif kind == "sweep":
            made.look()
        elif come := [events[number] for number in what if number < len(events)]:
            made.look(come)
    made.look()


def as_it_is(world: World) -> dict[tuple[str, str], Status]:
    return {(check, table.arn): Status.PASS if on else Status.FAIL for (check, table), on in world.on.items()}


@settings(max_examples=examples(60), deadline=None)
@given(steps=STEPS)
def test_after_a_sweep_findings_and_open_drifts_are_as_the_account_is(dynamodb: Any, steps: Any) -> None:
    made = kept(dynamodb, World())

    run(made, steps)

    assert made.statuses() == as_it_is(made.world)
    assert made.open() == {pair for pair, status in as_it_is(made.world).items() if status is Status.FAIL}
    for pair in as_it_is(made.world):
        nouns = [noun for noun, *about in made.world.told if tuple(about) == pair]
        assert nouns == ["DriftFound", "DriftFixed"] * (len(nouns) // 2) + ["DriftFound"] * (len(nouns) % 2), (
            "what is told of a resource goes to and fro"
        )
        assert len(nouns) % 2 == (pair in made.open())


@settings(max_examples=examples(30), deadline=None)
@given(steps=STEPS, effects=st.integers(0, 3))
def test_a_look_that_dies_is_made_up_for_by_the_next_one(dynamodb: Any, steps: Any, effects: int) -> None:
    made = kept(dynamodb, World())
    made.world.effects_left = effects
    try:
        run(made, steps)
    except Died:
        made.world.effects_left = None
        made.look()

    assert made.statuses() == as_it_is(made.world)
    assert made.open() == {pair for pair, status in as_it_is(made.world).items() if status is Status.FAIL}
    found = {tuple(about) for noun, *about in made.world.told if noun == "DriftFound"}
    assert made.open() <= found, "nothing is open that nobody was told of"
