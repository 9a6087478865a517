"""data_protection as it is deployed into the embedded cloud."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from local.endpoints import ACCOUNT

if TYPE_CHECKING:
    from cli.protection_demo_people import Person
    from local.supervisor import EmbeddedCloud

_PROFILE: Final = "rfc-008"
_SHIPPED: Final = Path(f"functions/data_protection/profiles_shipped/{_PROFILE}.yaml")
_LOOK_SECONDS: Final = 0.5
_ASKED_SECONDS: Final = 60
_OK, _FORBIDDEN, _NOT_FOUND = 200, 403, 404
_EARS: Final = "demo-drift"


class ExecutionFailed(RuntimeError):
    """An execution of a state machine did not succeed."""


class Unexpected(RuntimeError):
    """Something is not as it must be; a sentence."""


@dataclass(frozen=True)
class Looked:
    """What an assessment came to.

    Attributes:
        percent: Of the checks that hold.
        coverage: Percent of the checks that could be judged.
        checks: How many there are.
        unknown: Of them, those that could not be judged.
        calls: That the snapshot took.
        seconds: That the execution took.
        page: The HTML report.
    """

    percent: float
    coverage: float
    checks: int
    unknown: int
    calls: int
    seconds: float
    page: bytes


@dataclass(frozen=True)
class Carried:
    """What became of a plan.

    Attributes:
        counts: Its steps, by the state in which they ended.
        wrong: Why steps are not good, or could not be worked on; sentences.
    """

    counts: Mapping[str, int]
    wrong: Sequence[str] = ()

    @property
    def good(self) -> bool:
        """Whether every step is."""
        return not self.wrong

    @property
    def applied(self) -> int:
        """How many steps changed something, whatever came of it."""
        return sum(self.counts.get(state, 0) for state in ("verified", "rolled_back", "unverified"))


def parameters() -> dict[str, str]:
    """Return the template's parameters for the demo."""
    return {"FirewallLogs": "disabled", "FirewallLogsBatch": "disabled", "DataProtection": "enabled"}


class Application:
    """The deployed domain, whose machines are started by hand.

    Args:
        cloud: Where it is.
        outputs: Of the root stack.
    """

    def __init__(self, cloud: "EmbeddedCloud", outputs: Mapping[str, str]) -> None:
        self._cloud = cloud
        self._outputs = outputs

    def decide(self, completed: Callable[[str], str]) -> None:
        """Put the shipped profile into the lake, completed by what only people can decide."""
        profile = completed(_SHIPPED.read_text("utf-8"))
        key = f"data_protection/profiles/{_PROFILE}.yaml"
        self._cloud.client("s3").put_object(Bucket=self._outputs["LakeBucketName"], Key=key, Body=profile.encode())

    def assess(self) -> Looked:
        """Run assess_account.

        Raises:
            ExecutionFailed: It did not succeed; the sentence has error and cause.
        """
        began = time.monotonic()
        output = self.run("AssessAccountArn")
        seconds = time.monotonic() - began
        report, [place] = output["report"], output["places"]
        page = self._cloud.client("s3").get_object(
            Bucket=self._outputs["LakeBucketName"], Key=f"{report['prefix']}index.html"
        )
        return Looked(
            percent=report["percent"],
            coverage=report["coverage"],
            checks=sum(report["counts"].values()),
            unknown=report["counts"]["unknown"],
            calls=place["calls"],
            seconds=seconds,
            page=page["Body"].read(),
        )

    def plan(self, asks: "Person", phases: Sequence[int], named: Sequence[str]) -> dict[str, Any]:
        """Make a plan, which is the dry run of remediate_account, and return the document with its hash as `plan`.

        Raises:
            ExecutionFailed: It did not succeed.
        """
        place = {"account": ACCOUNT, "region": self._cloud.state.region}
        return self._plan(asks, **place, phases=phases, named=named)

    def plan_undoing(self, asks: "Person", plan: str, steps: Sequence[str]) -> dict[str, Any]:
        """Make a plan that undoes steps of another one, by their ids, and return it as `plan` does.

        Raises:
            ExecutionFailed: It did not succeed.
        """
        return self._plan(asks, undo=plan, steps=steps)

    def _plan(self, asks: "Person", **given: Any) -> dict[str, Any]:
        planned = self.run("RemediateAccountArn", by=asks, **given, requested_by=asks.arn, dry_run=True)
        body = self._cloud.client("s3").get_object(Bucket=self._outputs["LakeBucketName"], Key=planned["key"])["Body"]
        return {**json.load(body), "plan": planned["plan"], "approvers": planned["approvers"]}

    def carry_out(
        self, plan: str, asks: "Person", approve: Sequence["Person"], on_progress: Callable[[int], None]
    ) -> Carried:
        """Have a plan approved and carried out. Who asks tries to approve it first, which must be refused.

        Args:
            plan: Its hash.
            asks: Who asks.
            approve: Who approve, as many as it needs.
            on_progress: Called with the number of steps that were begun.

        Raises:
            Unexpected: An approval was not taken, or one was taken that must not be.
            ExecutionFailed: It did not come to the end of the plan.
        """
        from cli.approvals import decide  # noqa: PLC0415 - heavy

        execution = self._start("RemediateAccountArn", asks, plan=plan, dry_run=False, requested_by=asks.arn)
        deadline = time.monotonic() + _ASKED_SECONDS
        while (said := decide(asks.target, plan, approves=True))[0] == _NOT_FOUND and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        if said[0] != _FORBIDDEN:
            raise Unexpected(f"{asks.arn} asked for the plan {plan} and could approve it, or was not asked: {said}")
        for person in approve:
            said = decide(person.target, plan, approves=True, comment="The demo's approver has read it.")
            if said[0] != _OK:
                raise Unexpected(f"The approval of the plan {plan} by {person.arn} was not taken: {said}")
        if said[1]["outcome"] != "approved":
            raise Unexpected(f"The plan {plan} is not approved by {len(approve)}: {said}")
        ended = self._wait(execution, lambda: on_progress(self._begun(plan)))
        if ended["status"] == "SUCCEEDED":
            return Carried(json.loads(ended["output"])["finished"]["counts"])
        if ended.get("error") != "RemediationIncomplete":
            raise ExecutionFailed(_told(ended))
        told, _, counts = ended["cause"].rpartition(f" Plan {plan}: ")
        return Carried(json.loads(counts), [told])

    def _begun(self, plan: str) -> int:
        found = self._cloud.client("dynamodb").query(
            TableName=self._outputs["ProtectionRemediationsTableName"],
            KeyConditionExpression="#plan = :plan AND begins_with(entry, :step)",
            ExpressionAttributeNames={"#plan": "plan"},
            ExpressionAttributeValues={":plan": {"S": plan}, ":step": {"S": "step#"}},
            Select="COUNT",
        )
        return int(found["Count"])

    def listen(self) -> None:
        """Hear from now on what is told of drift."""
        queue = self._cloud.client("sqs").create_queue(QueueName=_EARS)["QueueUrl"]
        arn = self._cloud.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        events, bus = self._cloud.client("events"), self._outputs["EventBusName"]
        events.put_rule(
            Name=_EARS, EventBusName=bus, EventPattern=json.dumps({"source": ["gatehouse.data_protection"]})
        )
        target = {"Id": _EARS, "Arn": arn["Attributes"]["QueueArn"]}
        events.put_targets(Rule=_EARS, EventBusName=bus, Targets=[target])

    def hear(self, noun: str, about: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
        """Return the detail of the next event of a type that is about something; others are passed over.

        Raises:
            Unexpected: None came in time.
        """
        sqs = self._cloud.client("sqs")
        queue, deadline = sqs.get_queue_url(QueueName=_EARS)["QueueUrl"], time.monotonic() + seconds
        while time.monotonic() < deadline:
            for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                event = json.loads(message["Body"])
                detail: dict[str, Any] = event["detail"]
                if event["detail-type"] == f"data_protection.{noun}" and about(detail):
                    return detail
        raise Unexpected(f"No {noun} was heard within {seconds:g} s.")

    def run(self, machine: str, *, by: "Person | None" = None, **given: Any) -> Any:
        """Run a machine, by the name of its output, to its end, and return its output.

        Raises:
            ExecutionFailed: It did not succeed.
        """
        described = self._wait(self._start(machine, by, **given))
        if described["status"] != "SUCCEEDED":
            raise ExecutionFailed(_told(described))
        return json.loads(described["output"])

    def _start(self, machine: str, by: "Person | None", **given: Any) -> str:
        states = (by or self._cloud).client("stepfunctions")
        started = states.start_execution(stateMachineArn=self._outputs[machine], input=json.dumps(given))
        return str(started["executionArn"])

    def _wait(self, execution: str, meanwhile: Callable[[], None] = lambda: None) -> dict[str, Any]:
        states = self._cloud.client("stepfunctions")
        while (described := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            meanwhile()
            time.sleep(_LOOK_SECONDS)
        return dict(described)


def _told(ended: Mapping[str, Any]) -> str:
    said = f"{ended.get('error', '')}: {ended.get('cause', '')}"
    return f"The execution {ended['executionArn']} {ended['status']}: {said}"
