"""An account in moto in which requests are made, as the machine does, with every call that was made."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import boto3
import yaml
from moto import mock_aws

from data_protection.adapters.creation import CreationCalls, CreationEvidence, CreationSnapshots, CreationStore
from data_protection.changes import Call
from data_protection.creation.contracts import (
    CreateResource,
    CreationPlanned,
    CreationValidated,
    PlanCreation,
    ResourceCreated,
    ResourceRef,
    ValidateCreation,
)
from data_protection.creation.creator import Creator, Judge, Planner
from data_protection.locations import request_key
from data_protection.resources import Kind, Place

PLACE = Place("123456789012", "eu-central-1")
DATABASE = {
    "name": "orders",
    "engine": "postgres",
    "version": "16.3",
    "instance_class": "db.t4g.medium",
    "gigabytes": 50,
    "username": "owner",
    "key": "alias/data",
    "subnet_group": "private",
    "security_groups": ["sg-12345678"],
}
LAKE, EVIDENCE = "lake", "evidence"
BOUNDARY = "arn:aws:iam::123456789012:policy/bounds"
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SESSION_TOKEN": "test",
    "AWS_DEFAULT_REGION": PLACE.region,
}
Wrap = Callable[[Any], Any]


@dataclass
class Workshop:
    """An account and what was called there.

    Attributes:
        made: Each call that was made, in order.
    """

    made: list[Call] = field(default_factory=list)
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str, region: str = PLACE.region) -> Any:
        assert region == PLACE.region
        if service not in self._clients:
            self._clients[service] = boto3.client(service, region_name=region)  # type: ignore[call-overload]
        return self._clients[service]

    @property
    def store(self) -> CreationStore:
        return CreationStore(self.client("s3"), LAKE)

    @property
    def operations(self) -> list[str]:
        return [f"{call.service}:{call.operation}" for call in self.made]

    def ask(self, request: dict[str, Any]) -> None:
        """Put a request where the operator puts it."""
        self.client("s3").put_object(Bucket=LAKE, Key=request_key(request["name"]), Body=yaml.safe_dump(request))

    def plan(self, name: str, run: str = "run") -> CreationPlanned:
        asked = PlanCreation(run=run, time=datetime.now(UTC), request=name)
        return Planner(PLACE, CreationSnapshots(self.client), self.store, BOUNDARY).plan(asked, datetime.now(UTC))

    def planned_calls(self, run: str = "run") -> list[Call]:
        """Return the calls of a plan, as it is kept."""
        return [Call(**call) for one in self.kept("plan.json", run) for call in one["calls"]]

    def kept(self, name: str, run: str = "run") -> Any:
        """Return what a run keeps."""
        key = f"data_protection/creations/date={datetime.now(UTC).date()}/run={run}/{name}"
        return json.loads(self.client("s3").get_object(Bucket=LAKE, Key=key)["Body"].read())

    def step(self, asked: CreateResource, wrap: Wrap = lambda part: part) -> ResourceCreated:
        calls = wrap(_Recorded(CreationCalls(self.client), self.made))
        snapshots = CreationSnapshots(self.client)
        return Creator(PLACE, snapshots, calls, self.store, lambda: datetime.now(UTC)).create(asked)

    def make(self, planned: CreationPlanned, run: str = "run", wrap: Wrap = lambda part: part) -> None:
        """Make what is planned, as the machine does."""
        for planned_one in planned.resources:
            resource = ResourceRef(kind=planned_one.kind, name=planned_one.name)
            done = self.step(CreateResource(run=run, time=datetime.now(UTC), resource=resource), wrap)
            assert done.done, done

    def judge(self, run: str = "run") -> CreationValidated:
        asked = ValidateCreation(run=run, time=datetime.now(UTC))
        evidence = CreationEvidence(self.client("s3"), EVIDENCE)
        judge = Judge(PLACE, CreationSnapshots(self.client), self.store, evidence)
        return judge.judge(asked, datetime.now(UTC))

    def run(self, request: dict[str, Any], run: str = "run", wrap: Wrap = lambda part: part) -> CreationValidated:
        """Plan, make and judge a request."""
        self.ask(request)
        self.make(self.plan(request["name"], run), run, wrap)
        return self.judge(run)


class _Recorded:
    def __init__(self, calls: CreationCalls, made: list[Call]) -> None:
        self._calls, self._made = calls, made

    def make(self, kind: Kind, call: Call, region: str) -> str:
        request_id = self._calls.make(kind, call, region)
        self._made.append(call)
        return request_id


@contextmanager
def workshop() -> Iterator[Workshop]:
    """Yield an account that has a lake bucket and nothing else."""
    with patch.dict("os.environ", _CREDENTIALS), mock_aws():
        made = Workshop()
        location = {"LocationConstraint": PLACE.region}
        for bucket in (LAKE, EVIDENCE):
            made.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
        _tag_buckets_at_birth(made.client("s3"))
        yield made


def _tag_buckets_at_birth(s3: Any) -> None:
    """Let a bucket have the tags that it is created with, as AWS does and moto does not."""

    def keep(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["born"] = params["Bucket"], params.get("CreateBucketConfiguration", {}).get("Tags")

    def tag(context: dict[str, Any], **_: Any) -> None:
        bucket, tags = context.get("born", ("", None))
        if tags:
            s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})

    s3.meta.events.register("provide-client-params.s3.CreateBucket", keep)
    s3.meta.events.register("after-call.s3.CreateBucket", tag)
