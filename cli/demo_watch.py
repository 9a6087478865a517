"""Watches what the delivered objects set in motion, until nothing moves any more."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cli.target import Target
from firewall_logs.contracts import Account, Manifest
from firewall_logs.locations import LAKE
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

MACHINE: Final = "process_objects"
_LOOK_SECONDS: Final = 0.5
# The last message may still wait in a batch of the event source; only quiet that lasts is the end.
_QUIET_SECONDS: Final = 6.0
_STUCK_SECONDS: Final = 180.0


class StuckError(RuntimeError):
    """Nothing has moved for a long time, and the end is not reached."""


@dataclass
class Scene:
    """What is there at one moment.

    Attributes:
        executions: Status by name.
        units_done: Of all executions' maps.
        committed: Sum of the manifests.
        waiting: Messages in the queue, in flight included.
        dead: Messages in the dead-letter queue.
    """

    executions: dict[str, str] = field(default_factory=dict)
    units_done: int = 0
    units: int = 0
    objects: int = 0
    committed: Account = field(default_factory=Account)
    waiting: int = 0
    dead: int = 0

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way."""
        return bool(self.executions) and not self.waiting and "RUNNING" not in self.executions.values()

    def count(self, *states: str) -> int:
        """Return how many executions are in one of these states."""
        return sum(status in states for status in self.executions.values())


class Watch:
    """Looks at one environment again and again; remembers what cannot change any more."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._machine = target.machine_arn(MACHINE)
        self._sfn: SFNClient = target.client("stepfunctions")
        self._lake = Bucket(target.client("s3"), target.output("LakeBucketName"))
        self._accounts: dict[str, Account] = {}
        self._settled_units: dict[str, tuple[int, int]] = {}

    def until_quiet(self) -> Iterator[Scene]:
        """Yield scene after scene; the last one is quiet and has been for a while.

        Raises:
            StuckError: Nothing moves, but messages or executions are left.
        """
        last, changed_at = Scene(), time.monotonic()
        while True:
            scene = self.look()
            now = time.monotonic()
            if scene != last:
                last, changed_at = scene, now
            yield scene
            if scene.quiet and now - changed_at >= _QUIET_SECONDS:
                return
            if now - changed_at >= _STUCK_SECONDS:
                raise StuckError(
                    f"Nothing has moved for {_STUCK_SECONDS:.0f} s: {scene.count('RUNNING')} executions run and "
                    f"{scene.waiting} messages wait. `gatehouse logs {MACHINE}{self._target.cloud_option}` may say why."
                )
            time.sleep(_LOOK_SECONDS)

    def look(self) -> Scene:
        """Return what is there now."""
        executions = dict(self._executions())
        units = [self._units(arn, status) for arn, status in executions.items()]
        self._read_new_manifests()
        return Scene(
            executions={arn.rsplit(":", 1)[-1]: status for arn, status in executions.items()},
            units_done=sum(done for done, _ in units),
            units=sum(total for _, total in units),
            objects=len(self._accounts),
            committed=sum(self._accounts.values(), Account()),
            waiting=self._messages("ObjectQueueUrl"),
            dead=self._messages("ObjectDeadLetterQueueUrl"),
        )

    def _executions(self) -> Iterator[tuple[str, str]]:
        for page in self._sfn.get_paginator("list_executions").paginate(stateMachineArn=self._machine):
            for each in page["executions"]:
                yield each["executionArn"], each["status"]

    def _units(self, arn: str, status: str) -> tuple[int, int]:
        if arn in self._settled_units:
            return self._settled_units[arn]
        runs = self._sfn.list_map_runs(executionArn=arn)["mapRuns"]
        counts = [self._sfn.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"] for run in runs]
        done = sum(each["succeeded"] + each["failed"] for each in counts)
        units = done, sum(each["total"] for each in counts)
        if status != "RUNNING":
            self._settled_units[arn] = units
        return units

    def _read_new_manifests(self) -> None:
        for key, _ in self._lake.keys(f"{LAKE}/manifests/"):
            if key not in self._accounts:
                body = self._lake.get(key)
                if body is not None:
                    self._accounts[key] = Manifest.model_validate_json(body).account

    def _messages(self, output: str) -> int:
        names: Any = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        sqs = self._target.client("sqs")
        said = sqs.get_queue_attributes(QueueUrl=self._target.output(output), AttributeNames=names)["Attributes"]
        return sum(int(said.get(name, 0)) for name in names)
