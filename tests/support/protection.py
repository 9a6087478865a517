"""An account in moto that is protected, and one step of a plan to work on."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws

from data_protection.adapters.calls import Calls
from data_protection.adapters.evidence import EvidenceChain
from data_protection.adapters.snapshots import Snapshots
from data_protection.adapters.steps import ResourceLocks, StepLedger
from data_protection.assessments import Assessment, assess, cases
from data_protection.checks.check import Case, Check
from data_protection.collection import Questions
from data_protection.profiles import Profile, parse
from data_protection.remediation.plans import Plan, Step, make_plan
from data_protection.remediation.policy import Limits, Policy
from data_protection.remediation.remediator import Remediator
from data_protection.remediation.sights import mending
from data_protection.resources import Place, Resource
from tests.support.data_protection_moto import say_where_buckets_are

ACCOUNT, REGION = "123456789012", "eu-central-1"
PLACE = Place(ACCOUNT, REGION)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
EVIDENCE, REMEDIATIONS = "evidence", "remediations"
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SESSION_TOKEN": "test",
    "AWS_DEFAULT_REGION": REGION,
}


@dataclass
class Protected:
    """An account in moto.

    Attributes:
        now: The time, which only tests move.
        followed: Cases that kept findings were to follow.
    """

    now: datetime = NOON
    followed: list[Case[Any]] = field(default_factory=list)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str = REGION) -> Any:
        if (service, region) not in self._clients:
            self._clients[service, region] = boto3.client(service, region_name=region)  # type: ignore[call-overload]
        return self._clients[service, region]

    def table(self, name: str) -> None:
        self.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def assess(self, profile: Profile) -> Assessment:
        snapshot = Snapshots(self.client).take(Questions(PLACE, profile), self.now)
        return assess(snapshot, profile, self.now)

    def plan(
        self, profile: Profile, *phases: int, named: frozenset[str] = frozenset(), limits: Limits | None = None
    ) -> Plan:
        return make_plan(
            self.assess(profile),
            profile=profile.name,
            phases=phases,
            named=named,
            policy=Policy(limits=limits or Limits()),
            requested_by="alice",
        )

    def case(self, profile: Profile, step: Step) -> Case[Any] | None:
        only = [(step.change.check, Resource(step.kind, PLACE, step.name))]
        snapshot = Snapshots(self.client).take(Questions(PLACE, profile, only), self.now)
        for check, case in cases(snapshot, profile, self.now):
            if check.id == step.change.check and case.resource.name == step.name:
                return case
        return None

    def remediator(
        self,
        profile: Profile,
        plan: Plan,
        check: Check[Any],
        wrap: Callable[[Any], Any] = lambda part: part,
        *,
        number: int = 0,
    ) -> Remediator:
        """Return what works on a step of a plan; its adapters go through `wrap`, by which tests kill it."""
        step = plan.steps[number]
        return Remediator(
            "by-hand",
            plan.hash,
            step,
            REGION,
            look=lambda: mending(check, step, plan.following(step), self.case(profile, step)),
            follow=lambda case, state: wrap(self.followed).append(case) if state.is_final else None,
            ledger=wrap(StepLedger(self.client("dynamodb"), REMEDIATIONS)),
            locks=wrap(ResourceLocks(self.client("dynamodb"), REMEDIATIONS)),
            evidence=wrap(self.chain(plan, step)),
            now=lambda: self.now,
        )

    @property
    def calls(self) -> Calls:
        return Calls(self.client)

    def chain(self, plan: Plan, step: Step) -> EvidenceChain:
        return EvidenceChain(
            self.client("s3"), EVIDENCE, plan=plan.hash, step=step.id, principal="arn:aws:sts::1:role", controls={}
        )

    def pass_time(self, **by: float) -> None:
        self.now += timedelta(**by)


@contextmanager
def protected() -> Iterator[Protected]:
    """Give an empty account with the bucket of evidence and the table of remediations."""
    say_where_buckets_are()
    with patch.dict("os.environ", _CREDENTIALS), mock_aws():
        account = Protected()
        account.client("s3").create_bucket(Bucket=EVIDENCE, CreateBucketConfiguration={"LocationConstraint": REGION})
        account.client("dynamodb").create_table(
            TableName=REMEDIATIONS,
            KeySchema=[
                {"AttributeName": "plan", "KeyType": "HASH"},
                {"AttributeName": "entry", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "plan", "AttributeType": "S"},
                {"AttributeName": "entry", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield account


def profile_of(
    kind: str, names: list[str], requires: dict[str, Any], exceptions: list[dict[str, Any]] | None = None
) -> Profile:
    """Return a profile of one rule."""
    return parse(
        json.dumps(
            {
                "name": "test",
                "rules": [{"kind": kind, "select": [{"name": name} for name in names], "requires": requires}],
                "exceptions": exceptions or [],
            }
        )
    )
