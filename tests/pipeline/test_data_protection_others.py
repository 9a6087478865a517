"""Others change what a step changes: between its worker's death and the next one, between apply and undo, and at once.

The configuration that is changed here is a bucket's policy, of which each call replaces the whole.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

import pytest

from data_protection.bucket_policies import log_grant
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Check
from data_protection.errors import ResourceLocked
from data_protection.profiles import Profile
from data_protection.remediation.evidence import verify_chain
from data_protection.remediation.plans import Plan
from data_protection.remediation.steps import State
from data_protection.resources import Kind, Resource
from data_protection.verdicts import Status, Verdict
from tests.support.protection import PLACE, REGION, Protected, profile_of, protected

FOREIGN: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "PaymentsTeam",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:DeleteBucket",
            "Resource": "arn:aws:s3:::site",
        }
    ],
}
# Every call that leaves something behind.
EFFECTS: Final = (
    ("s3", "PutObject"),
    ("s3", "PutBucketPolicy"),
    ("s3", "PutBucketLogging"),
    ("s3", "DeleteBucketPolicy"),
    ("dynamodb", "PutItem"),
    ("dynamodb", "DeleteItem"),
)
TLS: Final = catalogue()["S3-TLS"]
# Content with nothing, so that each change that it has made is undone.
NEVER_CONTENT: Final = replace(TLS, validate=lambda _case: Verdict(Status.FAIL, "It is not content."))


class Died(BaseException):
    """The worker is no more."""


@dataclass
class Story:
    """An account in which something happens after the nth effect of a worker.

    Attributes:
        account: It.
        made: Operations that changed buckets.
        after: Which effect.
        happens: What.
        seen: How many effects there were so far.
    """

    account: Protected
    made: list[str] = field(default_factory=list)
    after: int = 0
    happens: Callable[[], None] = lambda: None
    seen: int = 0

    def effect(self, operation: str) -> None:
        if operation.startswith(("PutBucket", "DeleteBucket")):
            self.made.append(operation)
        self.seen += 1
        if self.seen == self.after:
            self.after = 0
            self.happens()

    def work(self, profile: Profile, plan: Plan, check: Check[Any] | None = None) -> list[State]:
        """Work on all steps of a plan until nothing is left to do, and return how they ended."""
        return [
            self._step(profile, plan, number, check or catalogue()[step.change.check])
            for number, step in enumerate(plan.steps)
        ]

    def interrupted(self, effect: int, profile: Profile, plan: Plan, check: Check[Any]) -> bool:
        """Work on a plan until the worker dies after an effect, and return whether there were as many."""

        def die() -> None:
            raise Died

        self.seen, self.after, self.happens = 0, effect, die
        try:
            self.work(profile, plan, check)
        except Died:
            return True
        finally:
            self.after = 0
        return False

    def met(self, effect: int, profile: Profile, first: Plan, second: Plan) -> tuple[list[State], list[State], bool]:
        """Work on a plan, and after an effect on another one, which waits where it must.

        Returns:
            How the steps of both ended, and whether there were as many effects.
        """
        ended: list[State] = []

        def meet() -> None:
            with suppress(ResourceLocked):
                ended.extend(self.work(profile, second))

        self.seen, self.after, self.happens = 0, effect, meet
        states, has_met = self.work(profile, first), self.after == 0
        self.after = 0
        return states, ended or self.work(profile, second), has_met

    def _step(self, profile: Profile, plan: Plan, number: int, check: Check[Any]) -> State:
        worker = self.account.remediator(profile, plan, check, number=number)
        state = worker.apply(self.account.calls).state
        while not state.is_final:
            state = (worker.roll_back(self.account.calls) if state.is_undoing else worker.verify()).state
            self.account.pass_time(seconds=5)
        return state

    def bucket(self, name: str) -> None:
        self.account.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})


@pytest.fixture
def story() -> Iterator[Story]:
    with protected() as account:
        told = Story(account)
        for service, operation in EFFECTS:
            account.client(service).meta.events.register(
                f"after-call.{service}.{operation}", lambda operation=operation, **_: told.effect(operation)
            )
        yield told


def policy_of(account: Protected, bucket: str) -> Any:
    return json.loads(account.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])


@pytest.mark.parametrize("check", [TLS, NEVER_CONTENT], ids=["applied", "undone"])
def test_wherever_a_worker_dies_what_others_put_there_meanwhile_stays(story: Story, check: Check[Any]) -> None:
    ended: list[State] = []
    for effect in count(1):
        name = f"site-{effect}"
        story.bucket(name)
        profile = profile_of("s3-bucket", [name], {"S3-TLS": {}})
        plan = story.account.plan(profile, 2)

        has_died = story.interrupted(effect, profile, plan, check)
        story.account.client("s3").put_bucket_policy(Bucket=name, Policy=json.dumps(FOREIGN))
        story.made.clear()
        (state,) = story.work(profile, plan, check)

        assert (story.made, policy_of(story.account, name)) == ([], FOREIGN), effect
        records = story.account.chain(plan, plan.steps[0]).records()
        verify_chain(records)
        events = [record.event for record in records]
        if state is State.REFUSED:
            assert {*events} <= {"seen", "refused"}, effect
        ended.append(state)
        if not has_died:
            break
    # Before the call may have been made nothing is changed; from then on people must tell who has changed what.
    assert list(dict.fromkeys(ended))[:2] == [State.REFUSED, State.UNVERIFIED]


def test_two_remediations_at_once_make_each_call_once_wherever_they_meet(story: Story) -> None:
    story.bucket("access-logs")
    target = Resource(Kind.BUCKET, PLACE, "access-logs")
    grant = json.dumps({"Version": "2012-10-17", "Statement": [log_grant(target)]})
    story.account.client("s3").put_bucket_policy(Bucket="access-logs", Policy=grant)
    story.account.pass_time(days=30)  # the emulator delivers a log at once, by its own clock
    for effect in count(1):
        name = f"site-{effect}"
        story.bucket(name)
        profile = profile_of("s3-bucket", [name], {"S3-LOG": {"target": "access-logs"}})
        first = story.account.plan(profile, 1)
        story.account.pass_time(seconds=1)
        second = story.account.plan(profile, 1)
        assert first.hash != second.hash
        story.made.clear()

        states, others, has_met = story.met(effect, profile, first, second)

        assert story.made == ["PutBucketLogging"], effect
        assert {*states, *others} == {State.VERIFIED, State.SATISFIED}, effect
        # The check can only warn until a log arrives: what others have done counts all the same.
        [finding] = story.account.assess(profile).findings
        assert finding.status is Status.WARN
        if not has_met:
            break
