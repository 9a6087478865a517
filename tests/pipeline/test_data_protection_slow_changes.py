"""Services answer before they show what they were told: a step waits for that, and undoes once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from botocore.exceptions import ClientError

from data_protection.adapters.steps import ResourceLocks
from data_protection.changes import CannotChange, Change
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Case, Check
from data_protection.errors import ResourceLocked
from data_protection.profiles import Profile
from data_protection.remediation.evidence import Event, Record
from data_protection.remediation.plans import Step
from data_protection.remediation.remediator import Remediator
from data_protection.remediation.steps import State
from data_protection.verdicts import Status, Verdict
from tests.support.protection import REMEDIATIONS, Protected, profile_of, protected

CHECK = catalogue()["DDB-PITR"]
PROFILE = profile_of("dynamodb-table", ["orders"], {"DDB-PITR": {"days": 35}})


def verdict(case: Case[Any], status: Status) -> Verdict:
    """Return what the check says, but once recovery is on."""
    seen = CHECK.validate(case)
    return Verdict(status, "It is not content.") if seen.status is Status.PASS else seen


NEVER_CONTENT = replace(CHECK, validate=lambda case: verdict(case, Status.FAIL))


class Slow:
    """A step whose resource may be seen as it was before.

    Attributes:
        made: Whether each call turned recovery on.
    """

    def __init__(self, account: Protected, monkeypatch: pytest.MonkeyPatch) -> None:
        self.account, self.made, self._monkeypatch = account, list[bool](), monkeypatch
        account.table("orders")
        self.plan = account.plan(PROFILE, 1)
        self._stale: Case[Any] | None = None
        self._look = account.case
        monkeypatch.setattr(account, "case", self._see)
        account.client("dynamodb").meta.events.register(
            "provide-client-params.dynamodb.UpdateContinuousBackups",
            lambda params, **_: self.made.append(
                params["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
            ),
        )

    @property
    def wait_seconds(self) -> int:
        return self.plan.steps[0].change.wait_seconds

    def show_what_is_now(self) -> None:
        """Let everybody see the resource as it is at this moment, whatever becomes of it."""
        self._stale = self._look(PROFILE, self.plan.steps[0])

    def show_the_truth(self) -> None:
        self._stale = None

    @property
    def evidence(self) -> list[Record]:
        return self.account.chain(self.plan, self.plan.steps[0]).records()

    def remediator(self, check: Check[Any] = CHECK) -> Remediator:
        return self.account.remediator(PROFILE, self.plan, check)

    def _see(self, profile: Profile, step: Step) -> Case[Any] | None:
        return self._stale or self._look(profile, step)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    with protected() as account:
        yield Slow(account, monkeypatch)


def test_change_that_does_not_show_yet_is_waited_for(slow: Slow) -> None:
    slow.show_what_is_now()
    worker = slow.remediator()
    worker.apply(slow.account.calls)

    slow.account.pass_time(seconds=slow.wait_seconds)
    assert worker.verify().state is State.APPLIED
    slow.show_the_truth()
    assert worker.verify().state is State.VERIFIED
    assert slow.made == [True]


def test_change_that_does_not_show_in_time_has_failed(slow: Slow) -> None:
    slow.show_what_is_now()
    worker = slow.remediator()
    worker.apply(slow.account.calls)

    slow.account.pass_time(seconds=slow.wait_seconds + 1)

    assert worker.verify().state is State.ROLLING_BACK


def test_change_is_undone_once_and_its_undoing_is_waited_for(slow: Slow) -> None:
    worker = slow.remediator(NEVER_CONTENT)
    worker.apply(slow.account.calls)
    assert worker.verify().state is State.ROLLING_BACK
    slow.show_what_is_now()

    for _ in range(3):
        assert worker.roll_back(slow.account.calls).state is State.UNDONE
        slow.account.pass_time(seconds=10)
    assert slow.made == [True, False]
    slow.show_the_truth()
    assert worker.roll_back(slow.account.calls).state is State.ROLLED_BACK
    assert slow.made == [True, False]


def test_undoing_that_does_not_show_in_time_is_for_people(slow: Slow) -> None:
    worker = slow.remediator(NEVER_CONTENT)
    worker.apply(slow.account.calls)
    worker.verify()
    slow.show_what_is_now()
    worker.roll_back(slow.account.calls)

    slow.account.pass_time(seconds=slow.wait_seconds + 1)
    left = worker.roll_back(slow.account.calls)

    assert left.state is State.UNVERIFIED
    assert left.note == "It was not verified: It is not content. The state before did not come back."


def test_resource_that_others_work_on_by_now_is_not_undone(slow: Slow) -> None:
    worker = slow.remediator(NEVER_CONTENT)
    worker.apply(slow.account.calls)
    worker.verify()
    slow.account.pass_time(hours=3)
    locks = ResourceLocks(slow.account.client("dynamodb"), REMEDIATIONS)
    locks.take(slow.plan.steps[0].target, "another plan", slow.account.now, timedelta(hours=1))

    with pytest.raises(ResourceLocked, match="another plan"):
        worker.roll_back(slow.account.calls)
    assert slow.made == [True]


def test_resource_that_others_work_on_by_now_is_not_judged(slow: Slow) -> None:
    worker = slow.remediator()
    worker.apply(slow.account.calls)
    slow.account.pass_time(hours=3)
    locks = ResourceLocks(slow.account.client("dynamodb"), REMEDIATIONS)
    locks.take(slow.plan.steps[0].target, "another plan", slow.account.now, timedelta(hours=1))

    with pytest.raises(ResourceLocked, match="another plan"):
        worker.verify()


def test_undoing_that_aws_refuses_is_told_of_and_left_to_people(slow: Slow) -> None:
    worker = slow.remediator(NEVER_CONTENT)
    worker.apply(slow.account.calls)
    worker.verify()

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "UpdateContinuousBackups")

    slow.account.client("dynamodb").meta.events.register("before-call.dynamodb.UpdateContinuousBackups", refuse)
    left = worker.roll_back(slow.account.calls)

    assert left.state is State.UNVERIFIED
    assert "It cannot be undone: AWS refuses dynamodb:update_continuous_backups" in left.note
    assert [record.event for record in slow.evidence] == ["seen", "applied", "not_verified", "not_rolled_back"]


def test_undoing_keeps_the_id_of_its_request(slow: Slow) -> None:
    worker = slow.remediator(NEVER_CONTENT)
    worker.apply(slow.account.calls)
    worker.verify()
    worker.roll_back(slow.account.calls)
    worker.roll_back(slow.account.calls)

    events = {record.event: record.content for record in slow.evidence}
    assert list(events) == ["seen", "applied", "not_verified", "undone", "rolled_back"]
    assert events[Event.UNDONE]["request_id"] not in {"", events[Event.APPLIED]["request_id"]}


def test_undoing_that_was_held_up_for_days_is_still_made_where_nothing_else_has_changed(slow: Slow) -> None:
    worker = slow.remediator(NEVER_CONTENT)
    worker.apply(slow.account.calls)
    worker.verify()
    slow.account.pass_time(days=3)

    assert worker.roll_back(slow.account.calls).state is State.UNDONE
    assert worker.roll_back(slow.account.calls).state is State.ROLLED_BACK


def test_state_before_is_known_though_the_mutator_would_change_nothing_any_more(slow: Slow) -> None:
    worker = slow.remediator(NEVER_CONTENT)
    worker.apply(slow.account.calls)
    worker.verify()
    worker.roll_back(slow.account.calls)
    assert CHECK.mutator is not None

    def refuse(_: Any) -> NoReturn:
        raise CannotChange("Its key is gone by now.")

    helpless = replace(NEVER_CONTENT, mutator=replace(CHECK.mutator, propose=refuse))
    assert slow.remediator(helpless).roll_back(slow.account.calls).state is State.ROLLED_BACK


@pytest.mark.parametrize(
    ("left", "state"),
    [("update_continuous_backups", State.ROLLING_BACK), ("update_table", State.VERIFIED), ("", State.VERIFIED)],
)
def test_warning_is_success_only_where_nothing_is_left_that_such_a_call_changes(
    slow: Slow, left: str, state: State
) -> None:
    assert CHECK.mutator is not None

    def propose(_: Case[Any]) -> list[Change]:
        change = slow.plan.steps[0].change
        call = change.call.model_copy(update={"operation": left})
        return [change.model_copy(update={"title": "Do something else", "call": call})] if left else []

    warning = replace(
        CHECK,
        validate=lambda case: verdict(case, Status.WARN),
        mutator=replace(CHECK.mutator, propose=propose),
    )
    slow.remediator().apply(slow.account.calls)

    assert slow.remediator(warning).verify().state is state
