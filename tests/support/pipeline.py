"""process_objects without its state machine: the same handlers in the same order, in processes that can be killed."""

import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from local.endpoints import credentials
from local.supervisor import EmbeddedCloud
from tests.support import raw, step_processes
from tests.support.aws import BUS, DAYS, ENVIRONMENT, LAKE, LEDGER, PARAMETER, RAW, RULES, RUNS, create_tables
from tests.support.firewall import FEEDS
from tests.support.states import NOTHING, State
from tests.support.step_processes import StepProcess

PYARROW_HANDLERS = frozenset(
    {"plan_run", "reconcile_run", "plan_backfill", "survey_unit", "reconcile_day", "validate_day"}
)

# Objects by name, or the input of a run.
Wanted = list[dict[str, str]] | dict[str, Any]


class StepFailed(Exception):
    """A handler raised; the name is the class it raised."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


@dataclass
class Pipeline:
    """Buckets, ledger and workers on an embedded cloud.

    Attributes:
        cloud: Where everything is.
        environment: Added to, or replacing, what the handlers see.
        effects: Effects of the last step that was called.
        faults: Requests of the last step that failed on purpose.
        requests: Of the last step, as its function would count them.
        fault_rate: Share of all requests that fail on purpose.
    """

    cloud: EmbeddedCloud
    environment: dict[str, str] = field(default_factory=dict)
    effects: int = 0
    faults: int = 0
    requests: dict[str, int] = field(default_factory=dict)
    fault_rate: float = 0.0
    _workers: dict[bool, StepProcess] = field(default_factory=dict)
    _left: dict[str, State] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Make what the handlers expect."""
        s3 = self.s3
        for bucket in (RAW, LAKE, RUNS):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        for bucket in (RAW, RUNS):
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        create_tables(self.dynamodb)
        self.events.create_event_bus(Name=BUS)
        self.configure(FEEDS)
        self.cloud.client("ssm").put_parameter(Name=RULES, Value="[]", Type="String")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back the workers."""
        while self._workers:
            step_processes.give_back(*self._workers.popitem())

    @cached_property
    def s3(self) -> Any:
        """An S3 client; making one takes longer than a run."""
        return self.cloud.client("s3")

    @cached_property
    def dynamodb(self) -> Any:
        """A DynamoDB client."""
        return self.cloud.client("dynamodb")

    @cached_property
    def events(self) -> Any:
        """An EventBridge client."""
        return self.cloud.client("events")

    def configure(self, feeds: str) -> None:
        """Set the feeds."""
        self.cloud.client("ssm").put_parameter(Name=PARAMETER, Value=feeds, Type="String", Overwrite=True)

    def put(self, key: str, body: bytes) -> dict[str, str]:
        """Put a raw object and return its reference."""
        version = self.s3.put_object(Bucket=RAW, Key=key, Body=body)["VersionId"]
        return {"bucket": RAW, "key": key, "version_id": version}

    def put_lines(self, key: str, rows: list[dict[str, Any]]) -> dict[str, str]:
        """Put raw events as gzip NDJSON."""
        return self.put(key, raw.ndjson(rows))

    def call(self, handler: str, event: dict[str, Any], kill_after: int | None = None) -> dict[str, Any]:
        """Call a handler and return its result.

        Raises:
            StepFailed: It raised, or was killed.
        """
        worker = self._worker(handler in PYARROW_HANDLERS)
        request = {"handler": handler, "event": event, "kill_after": kill_after, "fault_rate": self.fault_rate}
        answer = worker.ask(request)
        self.effects, self.faults, self.requests = answer["effects"], answer["faults"], answer["requests"]
        if "error" in answer:
            raise StepFailed(answer["error"], answer["message"])
        result: dict[str, Any] = answer["result"]
        return result

    def run(self, run_id: str, refs: "Wanted") -> dict[str, Any]:
        """Call every step of a run in order, the way the machine does, and return the result of the last.

        Args:
            run_id: Name of the run.
            refs: Its objects, or its whole input.
        """
        result: dict[str, Any] = {}
        for handler, event in self.steps(run_id, refs):
            result = self.call(handler, event)
        return result

    def steps(self, run_id: str, refs: "Wanted") -> Any:
        """Yield handler and event of each step; the units are read once they are planned."""
        given = {"objects": refs} if isinstance(refs, list) else refs
        yield "plan_run", {"run_id": run_id, "started_at": "2026-06-03T00:00:00Z", "input": given}
        for unit in self.units(run_id):
            yield "process_unit", unit
        yield "reconcile_run", {"run_id": run_id}
        yield "commit_run", {"run_id": run_id}

    def units(self, run_id: str) -> list[dict[str, Any]]:
        """Return the units of a planned run."""
        return self.lines(f"firewall_logs/runs/{run_id}/units.jsonl")

    def lines(self, key: str) -> list[dict[str, Any]]:
        """Return the documents of a list in the runs bucket."""
        body = self.s3.get_object(Bucket=RUNS, Key=key)["Body"].read()
        return [json.loads(line) for line in body.splitlines()]

    def lake(self) -> dict[str, bytes]:
        """Return every object of the lake."""
        return self._contents(LAKE)

    @classmethod
    @contextmanager
    def alone(cls, **environment: str) -> Iterator["Pipeline"]:
        """Yield one on a cloud of its own, which ends with it.

        Args:
            environment: Added to, or replacing, what the handlers see.
        """
        cloud = EmbeddedCloud.start(f"test-{uuid.uuid4().hex[:8]}")
        try:
            with cls(cloud, environment) as made:
                yield made
        finally:
            cloud.stop()
            shutil.rmtree(cloud.folder, ignore_errors=True)

    @contextmanager
    def another(self, **environment: str) -> Iterator["Pipeline"]:
        """Yield one with workers of its own on the same buckets and ledger.

        Args:
            environment: Added to, or replacing, what these handlers see.
        """
        rival = Pipeline(self.cloud, self.environment | environment)
        try:
            yield rival
        finally:
            rival.__exit__(None, None, None)

    def receipts(self) -> dict[str, Any]:
        """Return every receipt."""
        return self.documents("firewall_logs/receipts/")

    def documents(self, prefix: str) -> dict[str, Any]:
        """Return every document below a prefix of the runs bucket."""
        return {key: json.loads(body) for key, body in self._contents(RUNS, prefix).items()}

    def proofs(self) -> dict[str, Any]:
        """Return what every receipt proves."""
        return {key: receipt["proof"] for key, receipt in self.receipts().items()}

    def states(self) -> list[str]:
        """Return the state of every object of the ledger."""
        items = self.dynamodb.scan(TableName=LEDGER, ConsistentRead=True)["Items"]
        return sorted(item["state"]["S"] for item in items)

    @contextmanager
    def rules(self, rules: list[dict[str, Any]]) -> Iterator[None]:
        """Yield while these quality rules hold beside the shipped ones."""
        ssm = self.cloud.client("ssm")
        ssm.put_parameter(Name=RULES, Value=json.dumps(rules), Type="String", Overwrite=True)
        try:
            yield
        finally:
            ssm.put_parameter(Name=RULES, Value="[]", Type="String", Overwrite=True)

    def days(self) -> list[tuple[str, str, str]]:
        """Return the day index: event date, object and its rows there."""
        items = self.dynamodb.scan(TableName=DAYS, ConsistentRead=True)["Items"]
        return sorted((i["partition"]["S"], i["item"]["S"], i["rows"]["N"]) for i in items if "source_id" in i)

    def outcome(self) -> tuple[Any, ...]:
        """Return everything that must not depend on how a run came about."""
        return self.lake(), self.proofs(), self.states(), self.days()

    def forget(self) -> None:
        """Empty everything but the raw bucket, whose objects keep their versions and so their identity."""
        self.put_back(NOTHING)

    def state(self) -> State:
        """Return all that `forget` empties, to be put back."""
        return State.of(self.s3, self.dynamodb)

    def put_back(self, state: State) -> None:
        """Let everything be as it was."""
        state.put_back(self.s3, self.dynamodb)

    def begin_with(self, run_id: str, refs: "Wanted") -> None:
        """Let there be what a run leaves, and nothing else."""
        self.begin(json.dumps([run_id, refs]), lambda: self.run(run_id, refs))

    def begin(self, name: str, make: Callable[[], object]) -> None:
        """Let there be what something leaves, and nothing else; it is done once, and put back whenever asked again."""
        if name not in self._left:
            self.forget()
            make()
            self._left[name] = self.state()
        self.put_back(self._left[name])

    def _keys(self, bucket: str, prefix: str = "") -> list[str]:
        listed = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for page in listed for entry in page.get("Contents", [])]

    def _contents(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        keys = self._keys(bucket, prefix)
        return {key: self.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def _worker(self, pyarrow: bool) -> StepProcess:  # noqa: FBT001 - which of the two
        if pyarrow not in self._workers:
            environment = {
                "PATH": "/usr/bin:/bin",
                "PYTHONPATH": "functions:.",
                **ENVIRONMENT,
                **credentials(),
                "AWS_ENDPOINT_URL": self.cloud.endpoint,
                **self.environment,
            }
            self._workers[pyarrow] = step_processes.lend(pyarrow, environment)
        return self._workers[pyarrow]
