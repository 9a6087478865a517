"""Waves of a plan, and requests for one."""

from datetime import UTC, datetime
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_protection.changes import Call, Change, Reversibility
from data_protection.checks.check import Severity
from data_protection.remediation.contracts import PlanRemediation
from data_protection.remediation.plans import Plan, Step
from data_protection.remediation.policy import Limits, Policy
from data_protection.remediation.waves import waves
from data_protection.resources import Kind
from data_protection.verdicts import Status
from kernel.errors import ValidationError

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def step(number: int, name: str, target: str = "") -> Step:
    return Step(
        id=f"CHECK/s3-bucket/{name}/{number}",
        kind=Kind.BUCKET,
        name=name,
        arn=f"arn:{name}",
        severity=Severity.HIGH,
        status=Status.FAIL,
        reason="It is off.",
        change=Change(
            check="CHECK",
            title="Turn it on",
            call=Call(service="s3", operation="put", parameters={"Bucket": name}),
            inverse=None,
            reversibility=Reversibility.REVERSIBLE,
            before=None,
            after=None,
            target=target,
        ),
    )


def plan(*steps: Step) -> Plan:
    return Plan(
        account="123456789012",
        region="eu-central-1",
        profile="test",
        policy=Policy(),
        phases=(1,),
        made_at=NOW,
        requested_by="alice",
        resources_in_scope=10,
        steps=steps,
        omissions=(),
        contradictions=(),
    )


def groups(made: Plan) -> list[list[str]]:
    return [list(group.steps) for wave in waves(made) for group in wave.groups]


def test_waves_are_one_then_a_tenth_then_the_rest() -> None:
    sizes = [len(wave.groups) for wave in waves(plan(*(step(0, f"b{number}") for number in range(40))))]

    assert sizes == [1, 4, 35]


def test_nothing_to_do_is_no_wave() -> None:
    assert waves(plan()) == ()


def test_steps_that_change_what_they_share_come_one_after_the_other() -> None:
    made = plan(
        step(0, "audio", target="arn:logs"), step(1, "audio"), step(0, "site", target="arn:logs"), step(0, "alone")
    )

    assert groups(made) == [
        ["CHECK/s3-bucket/alone/0"],
        ["CHECK/s3-bucket/audio/0", "CHECK/s3-bucket/audio/1", "CHECK/s3-bucket/site/0"],
    ]


def test_step_comes_after_those_that_it_follows_whatever_they_touch() -> None:
    last = step(0, "audio", target="arn:logs").model_copy(update={"follows": ("CHECK/s3-bucket/site/1",)})

    assert groups(plan(step(1, "site"), step(0, "alone"), last)) == [
        ["CHECK/s3-bucket/alone/0"],
        ["CHECK/s3-bucket/site/1", "CHECK/s3-bucket/audio/0"],
    ]


def test_resources_are_counted_by_what_is_changed() -> None:
    shared = plan(step(0, "audio", target="arn:logs"), step(0, "site", target="arn:logs"))
    own = plan(step(0, "audio", target="arn:key"), step(1, "audio"))

    assert (shared.resources_touched, own.resources_touched) == (1, 2)


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["", "arn:a", "arn:b", "arn:x"])), max_size=25))
def test_every_step_is_in_one_group_in_its_order_and_no_two_groups_touch_the_same(given: list[tuple[str, str]]) -> None:
    steps = [step(number, name, target) for number, (name, target) in enumerate(given)]
    by_id, position = {one.id: one for one in steps}, {one.id: number for number, one in enumerate(steps)}
    made = groups(plan(*steps))

    assert sorted(one for group in made for one in group) == sorted(by_id)
    assert all(group == sorted(group, key=lambda one: position[one]) for group in made)
    touched = [{arn for one in group for arn in (by_id[one].arn, by_id[one].target)} for group in made]
    assert sum(map(len, touched)) == len(set().union(*touched))


def test_no_plan_outgrows_what_an_execution_can_tell_of() -> None:
    with pytest.raises(pydantic.ValidationError, match="less than or equal to 200"):
        Limits(changes=201)


BASE: dict[str, Any] = {"run": "r", "time": "2026-11-21T12:00:00Z", "requested_by": "alice"}
PLACE: dict[str, Any] = {"account": "123456789012", "region": "eu-central-1", "phases": [1]}


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({}, "give account, region and phases of a new plan"),
        ({"account": "123456789012", "region": "eu-central-1"}, "give account, region and phases of a new plan"),
        ({"plan": "0" * 64, "phases": [1]}, "a plan that is made has its own phases"),
        ({"plan": "0" * 64, "undo": "1" * 64}, "a plan that is made has its own undo"),
        (PLACE | {"undo": "0" * 64}, "a plan that is undone has its own account, phases, region"),
        (PLACE | {"steps": ["DDB-PITR"]}, "steps are of a plan that is undone"),
        ({"undo": "saturday"}, "`undo`: 'saturday' is not the hash of a plan: give all of its 64 digits"),
        ({"plan": "0a1b2c3d"}, "`plan`: '0a1b2c3d' is not the hash of a plan: give .* which `gatehouse plans` prints"),
        (PLACE | {"account": 123456789012}, "`account`: 123456789012 is not a text: put it in quotes"),
        (PLACE | {"phases": [5]}, "5 is not one of 1 to 4"),
        (PLACE | {"named": ["S3-LOCKS"]}, "there is no check S3-LOCKS"),
        (PLACE | {"requested_by": ""}, "`requested_by` is empty"),
    ],
)
def test_half_a_request_is_none(asked: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        PlanRemediation.model_validate(BASE | asked)
