"""A worker on a step may die between any two effects; another one goes on, and nothing is done twice."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Check
from data_protection.profiles import Profile
from data_protection.remediation.evidence import Event, verify_chain
from data_protection.remediation.plans import Plan
from data_protection.remediation.steps import State
from data_protection.verdicts import Status, Verdict
from tests.support.protection import Protected, profile_of, protected

_EFFECTS = frozenset({"take", "release", "move", "append", "make"})
CHECK = catalogue()["DDB-PITR"]
# Says no as long as recovery is on, so that each step is undone.
NEVER_CONTENT = replace(
    CHECK,
    validate=lambda case: (
        Verdict(Status.FAIL, "It is not content.")
        if CHECK.validate(case).status is Status.PASS
        else CHECK.validate(case)
    ),
)


class Killed(BaseException):
    """The worker is no more."""


class Mortal:
    """Kills its worker at one effect of all adapters: before it, or right after it."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at, self.after, self.seen = at, after, 0

    def __call__(self, part: Any) -> Any:
        mortal = self

        class Part:
            def __getattr__(self, name: str) -> Any:
                method = getattr(part, name)
                return mortal.guard(method) if name in _EFFECTS else method

        return Part()

    def guard(self, method: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            self.seen += 1
            if self.seen == self.at and not self.after:
                raise Killed
            answer = method(*arguments, **named)
            if self.seen == self.at:
                raise Killed
            return answer

        return call


@pytest.fixture(scope="module")
def account() -> Iterator[Protected]:
    with protected() as made:
        yield made


def run(account: Protected, profile: Profile, plan: Plan, check: Check[Any], wrap: Callable[[Any], Any]) -> State:
    """Work on the step as the machine does, until nothing more happens."""
    worker, calls = account.remediator(profile, plan, check, wrap), wrap(account.calls)
    progress = worker.apply(calls)
    while not progress.state.is_final:
        account.pass_time(seconds=10)
        progress = worker.verify() if progress.state is State.APPLIED else worker.roll_back(calls)
    return progress.state


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("check", "effects", "outcome", "calls", "events"),
    [
        (CHECK, 12, State.VERIFIED, [True], [Event.SEEN, Event.APPLIED, Event.VERIFIED]),
        (
            NEVER_CONTENT,
            20,
            State.ROLLED_BACK,
            [True, False],
            [Event.SEEN, Event.APPLIED, Event.NOT_VERIFIED, Event.UNDONE, Event.ROLLED_BACK],
        ),
    ],
    ids=["verified", "rolled back"],
)
def test_wherever_a_worker_dies_its_step_comes_to_the_same_end_and_no_call_is_made_twice(
    account: Protected,
    *,
    check: Check[Any],
    effects: int,
    outcome: State,
    calls: list[bool],
    events: list[Event],
    after: bool,
) -> None:
    made: list[bool] = []
    account.client("dynamodb").meta.events.register(
        "provide-client-params.dynamodb.UpdateContinuousBackups",
        lambda params, **_: made.append(params["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]),
        unique_id="made",
    )
    for effect in count(1):
        made.clear()
        account.followed.clear()
        table = f"{outcome}-{after}-{effect}"
        account.table(table)
        profile = profile_of("dynamodb-table", [table], {"DDB-PITR": {"days": 35}})
        plan = account.plan(profile, 1)
        mortal = Mortal(effect, after=after)
        try:
            run(account, profile, plan, check, mortal)
        except Killed:
            account.pass_time(minutes=1)
        else:
            assert mortal.seen == effects == effect - 1
            break
        assert run(account, profile, plan, check, lambda part: part) is outcome, effect
        assert made == calls, effect
        records = account.chain(plan, plan.steps[0]).records()
        verify_chain(records)
        told = [record.event for record in records]
        # Who dies between the inverse call and its record leaves that the state before is back.
        assert told in (events, [event for event in events if event is not Event.UNDONE]), effect
        assert records[0].content["status"] == "fail"
        assert {case.resource.name for case in account.followed} == {table}, effect
    account.client("dynamodb").meta.events.unregister(
        "provide-client-params.dynamodb.UpdateContinuousBackups", unique_id="made"
    )
