"""An account in moto, and remediate_account's functions called in the order in which the machine calls them."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from unittest.mock import patch

from botocore.exceptions import ClientError
from moto import mock_aws

from data_protection.adapters.findings import FindingStore
from data_protection.findings import Standing
from data_protection.handlers import (
    apply_step,
    decide_approval,
    finish_remediation,
    plan_remediation,
    request_approval,
    roll_back_step,
    verify_step,
)
from data_protection.locations import ESTATE_KEY
from data_protection.remediation import compose
from data_protection.resources import Place
from kernel import aws
from kernel.clock import utc_now
from kernel.settings import load
from tests.support.aws import ENVIRONMENT
from tests.support.context import Context
from tests.support.data_protection_moto import say_where_buckets_are

ACCOUNT, REGION = "123456789012", "eu-central-1"
LAKE, EVIDENCE, REMEDIATIONS, FINDINGS = "protected-lake", "evidence", "remediations", "findings"
ALICE, BOB, CAROL = (f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("alice", "bob", "carol"))
FUNCTION = Context(invoked_function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:gatehouse-test")
TIME = "2026-11-21T12:00:00.123Z"
_SETTINGS = {
    "LAKE_BUCKET": LAKE,
    "EVIDENCE_BUCKET": EVIDENCE,
    "REMEDIATIONS_TABLE": REMEDIATIONS,
    "FINDINGS_TABLE": FINDINGS,
    "APPROVERS_TOPIC": f"arn:aws:sns:{REGION}:{ACCOUNT}:approvers",
    "POWERTOOLS_SERVICE_NAME": "data_protection",
}
Answer = dict[str, Any]


class Clock:
    """The time of those who work on steps: the true one, and what was waited for."""

    def __init__(self) -> None:
        self.waited = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.waited

    def wait(self, seconds: float) -> None:
        self.waited += timedelta(seconds=seconds)


CLOCK = Clock()


def client(service: str) -> Any:
    """Return the client that the functions have."""
    return aws.client(aws.session(), service, REGION)


@dataclass
class Remediation:
    """A run of remediate_account.

    Attributes:
        run: Its name.
        answers: What the machine that waited was answered, by task token.
        failures: Sentences about what kept steps from going on.
        planned: What the plan came to.
    """

    run: str = "by-hand-1"
    answers: dict[str, Answer] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    planned: Answer = field(default_factory=dict)

    def plan(self, *phases: int, dry_run: bool = False, requested_by: str = ALICE, **given: Any) -> Answer:
        has_own = not given.keys().isdisjoint({"plan", "undo"})
        place = {} if has_own else {"account": ACCOUNT, "region": REGION, "phases": phases}
        asked = {"run": self.run, "time": TIME, "requested_by": requested_by, "dry_run": dry_run, **place, **given}
        self.planned = dict(plan_remediation.handler(asked, FUNCTION))
        return self.planned

    def ask(self, plan: str, token: str = "token-1", requested_by: str = ALICE) -> Answer:  # noqa: S107 - of no machine
        asked = {"run": self.run, "plan": plan, "requested_by": requested_by, "token": token}
        asked |= {"approvers": self.planned["approvers"]}
        with self._answered():
            return dict(request_approval.handler(asked, FUNCTION))

    def decide(self, plan: str, who: str, *, yes: bool = True, **more: Any) -> tuple[int, Answer]:
        """Return status and body of what the function's URL answers."""
        said = {"plan": plan, "approves": yes, **more}
        event = {"requestContext": {"authorizer": {"iam": {"userArn": who}}}, "body": json.dumps(said)}
        with self._answered():
            answer = decide_approval.handler(event, FUNCTION)
        return answer["statusCode"], json.loads(answer["body"])

    def approve(self, planned: Answer) -> str:
        """Let as many people as must approve a plan, and return its hash."""
        plan = str(planned["plan"])
        if planned["approvers"]:
            self.ask(plan)
        for who in (BOB, CAROL)[: planned["approvers"]]:
            assert self.decide(plan, who)[0] == HTTPStatus.OK
        return plan

    def work(self, planned: Answer) -> None:
        """Work through the waves as the machine does, once the plan is approved."""
        self.approve(planned)
        for wave in planned["waves"]:
            good = [self._group(planned["plan"], group["steps"]) for group in wave["groups"]]
            if not all(good):
                break

    def finish(self, plan: str, *, approved: bool = True) -> Answer:
        asked = {"run": self.run, "plan": plan, "approved": approved, "failures": self.failures}
        return dict(finish_remediation.handler(asked, FUNCTION))

    def step(self, plan: str, step: str) -> Answer:
        asked = {"run": self.run, "plan": plan, "step": step}
        worked = dict(apply_step.handler(asked, FUNCTION))
        while worked["next"] != "nothing":
            CLOCK.wait(worked["wait_seconds"])
            go_on = roll_back_step if worked["next"] == "roll_back" else verify_step
            worked = dict(go_on.handler(asked, FUNCTION))
        return worked

    def _group(self, plan: str, steps: list[str]) -> bool:
        for step in steps:
            worked = self.step(plan, step)
            if not worked["good"]:
                self.failures.append(f"{step} is {worked['state']}: {worked['note']}")
                return False
        return True

    @contextmanager
    def _answered(self) -> Iterator[None]:
        """Hear what the machine is told; moto takes any token, AWS takes each once."""

        def hear(params: Any, **_: Any) -> None:
            if params["taskToken"] in self.answers:
                raise ClientError({"Error": {"Code": "TaskTimedOut", "Message": "closed"}}, "SendTaskSuccess")
            self.answers[params["taskToken"]] = json.loads(params["output"])

        events = aws.states().meta.events
        events.register("provide-client-params.stepfunctions.SendTaskSuccess", hear)
        try:
            yield
        finally:
            events.unregister("provide-client-params.stepfunctions.SendTaskSuccess", hear)


@contextmanager
def remediated_account(estate: str = "{}") -> Iterator[Remediation]:
    """Give an account in moto with what remediate_account keeps."""
    say_where_buckets_are()
    with patch.dict("os.environ", ENVIRONMENT | _SETTINGS), mock_aws(), ExitStack() as patches:
        CLOCK.waited = timedelta()
        for module in (compose, apply_step, verify_step, roll_back_step):
            patches.enter_context(patch.object(module, "utc_now", CLOCK))
        for maker in (aws.s3, aws.dynamodb, aws.states, load):
            maker.cache_clear()
        for bucket in (LAKE, EVIDENCE):
            client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        for name, partition in ((REMEDIATIONS, "plan"), (FINDINGS, "place")):
            aws.dynamodb().create_table(
                TableName=name,
                KeySchema=[
                    {"AttributeName": partition, "KeyType": "HASH"},
                    {"AttributeName": "entry", "KeyType": "RANGE"},
                ],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in (partition, "entry")],
                BillingMode="PAY_PER_REQUEST",
            )
        client("s3").put_object(Bucket=LAKE, Key=ESTATE_KEY, Body=estate.encode())
        client("sns").create_topic(Name="approvers")
        yield Remediation()
    for maker in (aws.s3, aws.dynamodb, aws.states, load):
        maker.cache_clear()


def table(name: str) -> None:
    """Make a table without any protection."""
    client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def profile(*rules: Answer, **more: Any) -> None:
    """Keep the profile by which the account is judged."""
    document = {"name": "rfc-008", "rules": list(rules), **more}
    aws.s3().put_object(Bucket=LAKE, Key="data_protection/profiles/rfc-008.yaml", Body=json.dumps(document).encode())


def tables(*names: str, **requires: Answer) -> Answer:
    """Return the rule that asks something of tables, by default point-in-time recovery."""
    asked = {check.replace("_", "-"): requirement for check, requirement in requires.items()}
    return {
        "kind": "dynamodb-table",
        "select": [{"name": name} for name in names],
        "requires": asked or {"DDB-PITR": {}},
    }


def recovers(name: str) -> bool:
    """Return whether a table has point-in-time recovery."""
    answer = client("dynamodb").describe_continuous_backups(TableName=name)
    recovery = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    return bool(recovery["PointInTimeRecoveryStatus"] == "ENABLED")


def standing(check: str, arn: str) -> Standing | None:
    """Return how a finding is kept."""
    findings = FindingStore(aws.s3(), LAKE, aws.dynamodb(), FINDINGS)
    return findings.standings(Place(ACCOUNT, REGION)).get((check, arn))


def records(plan: str, step: str = "plan") -> list[Answer]:
    """Return the evidence of a step, or of the plan as a whole."""
    s3 = aws.s3()
    prefix = f"data_protection/evidence/{plan}/{step.replace('/', '.')}/"
    listed = s3.list_objects_v2(Bucket=EVIDENCE, Prefix=prefix).get("Contents", [])
    return [json.loads(s3.get_object(Bucket=EVIDENCE, Key=one["Key"])["Body"].read()) for one in listed]


def events_of(plan: str, step: str = "plan") -> list[str]:
    """Return what the evidence tells of, in order."""
    return [record["event"] for record in records(plan, step)]


@contextmanager
def whenever(service: str, operation: str, do: Callable[[Any], None]) -> Iterator[None]:
    """Do something with the parameters of each call of an operation that functions make."""

    def handle(params: Any, **_: Any) -> None:
        do(params)

    events = client(service).meta.events
    name = f"provide-client-params.{service}.{operation}"
    events.register(name, handle)
    try:
        yield
    finally:
        events.unregister(name, handle)
