import json
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from local.deploy import Deployment
from local.supervisor import EmbeddedCloud
from tests.support import raw
from tests.support.cloud import cloud, deployed, eventually, finished
from tests.support.refusals import refusals

__all__ = ["cloud", "deployed"]  # fixtures

FUNCTIONS = "gatehouse-local-firewall-logs"


@dataclass(frozen=True)
class Gatehouse:
    """The real application in the embedded cloud, as its user sees it."""

    cloud: EmbeddedCloud
    deployment: Deployment
    since: int = field(default=0, kw_only=True)
    """When the test began, in milliseconds; what was refused before is another's."""

    def client(self, service: str) -> Any:
        return self.cloud.client(service)

    def output(self, name: str) -> str:
        return self.deployment.outputs[name]

    def put(self, key: str, body: bytes) -> dict[str, str]:
        bucket = self.output("RawBucketName")
        version = self.client("s3").put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]
        return {"bucket": bucket, "key": key, "version_id": version}

    def put_events(self, name: str, events: range) -> dict[str, str]:
        return self.put(f"cloudflare/3/{name}.log.gz", raw.ndjson(raw.an_event(n) for n in events))

    def start(self, machine: str = "ProcessObjectsArn", **given: Any) -> str:
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=self.output(machine), name=f"test-{uuid.uuid4().hex}", input=json.dumps(given)
        )
        return str(started["executionArn"])

    def end(self, execution_arn: str, seconds: float = 240) -> dict[str, Any]:
        return finished(self.client("stepfunctions"), execution_arn, seconds=seconds)

    def run(self, machine: str = "ProcessObjectsArn", **given: Any) -> dict[str, Any]:
        return self.end(self.start(machine, **given))

    def map_runs(self, described: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the Map Runs of an execution."""
        states = self.client("stepfunctions")
        listed = states.list_map_runs(executionArn=described["executionArn"])["mapRuns"]
        return [states.describe_map_run(mapRunArn=found["mapRunArn"]) for found in listed]

    def document(self, described: dict[str, Any], name: str) -> Any:
        """Return a document of a run, once it is there."""
        key = f"firewall_logs/runs/{described['name']}/{name}"
        s3 = self.client("s3")

        def look() -> Any:
            found = s3.list_objects_v2(Bucket=self.output("RunsBucketName"), Prefix=key)
            if not found.get("KeyCount"):
                return None
            return json.load(s3.get_object(Bucket=self.output("RunsBucketName"), Key=key)["Body"])

        return eventually(look)

    def ledger(self, ref: dict[str, str]) -> list[dict[str, Any]]:
        """Return the ledger's items for a raw object."""
        items = self.client("dynamodb").scan(TableName=self.output("FirewallLedgerTableName"))["Items"]
        found = [{**json.loads(item["raw_object"]["S"]), "state": item["state"]["S"]} for item in items]
        return [item for item in found if (item["key"], item["version_id"]) == (ref["key"], ref["version_id"])]

    def committed_files(self, key: str, kind: str) -> list[bytes]:
        """Return the files of a kind that the manifests of a raw key name."""
        s3, bucket = self.client("s3"), self.output("LakeBucketName")
        listed = s3.list_objects_v2(Bucket=bucket, Prefix="firewall_logs/manifests/").get("Contents", [])
        manifests = [json.load(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"]) for entry in listed]
        names = [f["key"] for m in manifests if m["source"]["key"] == key for f in m["files"] if f["kind"] == kind]
        return [s3.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names]

    def refusals(self, meant: Collection[str] = ()) -> list[str]:
        """Return what the functions' logs say of missing permissions since the test began, without what is meant."""
        return refusals(self.client("logs"), since=self.since, meant=meant)

    def query(self, key: str, columns: str, folder: Path) -> list[Any]:
        """Query the events of a raw key, the way an analyst would."""
        for number, body in enumerate(self.committed_files(key, "events")):
            (folder / f"{number}.parquet").write_bytes(body)
        return duckdb.execute(f"SELECT {columns} FROM '{folder}/*.parquet'").fetchall()  # noqa: S608 - of this test

    def keep_estate(self, estate: dict[str, Any]) -> None:
        """Say which accounts data protection looks after."""
        bucket, body = self.output("LakeBucketName"), json.dumps(estate).encode()
        self.client("s3").put_object(Bucket=bucket, Key="data_protection/estate.json", Body=body)

    @contextmanager
    def untriggered(self) -> Iterator[None]:
        """Yield while new objects start nothing, so that a run by hand is the only one."""
        events = self.client("events")
        [rule] = [r for r in events.list_rules()["Rules"] if r.get("Description") == "New raw objects"]
        events.disable_rule(Name=rule["Name"])
        try:
            yield
        finally:
            events.enable_rule(Name=rule["Name"])

    @contextmanager
    def configured(self, function: str, **configuration: Any) -> Iterator[None]:
        """Yield while a function has another configuration."""
        functions, name = self.client("lambda"), f"{FUNCTIONS}-{function}"
        before = functions.get_function_configuration(FunctionName=name)
        functions.update_function_configuration(FunctionName=name, **configuration)
        try:
            yield
        finally:
            restored = {key: before[key] for key in configuration}
            functions.update_function_configuration(FunctionName=name, **restored)

    @contextmanager
    def planning(self, **variables: str) -> Iterator[None]:
        """Yield while the planner has other settings."""
        found = self.client("lambda").get_function_configuration(FunctionName=f"{FUNCTIONS}-plan-run")
        with self.configured("plan-run", Environment={"Variables": {**found["Environment"]["Variables"], **variables}}):
            yield

    def tasks(self, run: str) -> list[dict[str, Any]]:
        """Return the tasks on Fargate of a run, in the order of their start."""
        ecs, cluster = self.client("ecs"), FUNCTIONS
        arns = [arn for s in ("RUNNING", "STOPPED") for arn in _tasks(ecs, cluster, s)]
        described = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
        mine = [task for task in described if f"/{run}/" in json.dumps(task["overrides"])]
        return sorted(mine, key=lambda task: str(task["createdAt"]))


@pytest.fixture(scope="session")
def application(deployed: tuple[EmbeddedCloud, Deployment]) -> Gatehouse:
    """Return the application, whose estate is the own account."""
    made = Gatehouse(*deployed)
    made.keep_estate({})
    return made


@pytest.fixture(scope="module")
def refused_on_purpose() -> tuple[str, ...]:
    """Return texts that are in all that a module has refused to it on purpose, and in nothing else; none."""
    return ()


@pytest.fixture(scope="module")
def least_privilege(application: Gatehouse, refused_on_purpose: tuple[str, ...]) -> Iterator[None]:
    """See that the real policies suffice; a module that takes some away looks itself."""
    began = replace(application, since=int(1000 * time.time()))
    yield
    assert began.refusals(refused_on_purpose) == []


@pytest.fixture
def gatehouse(application: Gatehouse, least_privilege: None) -> Gatehouse:
    return replace(application, since=int(1000 * time.time()))


def ended(stacks: Any, name: str) -> dict[str, Any] | None:
    """Return the description of a stack that was made; None while it is being made."""
    [described] = stacks.describe_stacks(StackName=name)["Stacks"]
    if described["StackStatus"].endswith("IN_PROGRESS"):
        return None
    assert described["StackStatus"] == "CREATE_COMPLETE", described
    return dict(described)


def _tasks(ecs: Any, cluster: str, status: str) -> list[str]:
    arns: list[str] = ecs.list_tasks(cluster=cluster, desiredStatus=status)["taskArns"]
    return arns
