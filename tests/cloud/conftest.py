import json
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.deploy import Deployment, deploy
from local.supervisor import EmbeddedCloud
from tests.support.cloud import cloud, finished

__all__ = ["cloud"]

FIXTURE_APP = Path(__file__).parent / "fixture_app" / "template.yaml"
# Not the default account: the real application may be deployed there.
ACCOUNT = "111111111111"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/machine"


def saw(what: str, value: Any) -> None:
    """Say what the emulator did: an upgrade is judged by it."""
    sys.stdout.write(f"{what}: {value}\n")


@dataclass(frozen=True)
class App:
    """The fixture application, deployed."""

    cloud: EmbeddedCloud
    deployment: Deployment

    def client(self, service: str) -> Any:
        return self.cloud.client(service, ACCOUNT)

    @property
    def outputs(self) -> Mapping[str, str]:
        return self.deployment.outputs

    def ask(self, question: str, **event: Any) -> tuple[str | None, Any]:
        """Invoke AskFunction and return the kind of error and the payload."""
        return self.invoke(self.outputs["AskFunction"], {"ask": question, **event})

    def invoke(self, function: str, event: Any) -> tuple[str | None, Any]:
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        payload = json.loads(answer["Payload"].read())
        saw(f"{function.rsplit('-', 2)[-2]} {event}", str(payload)[:300])
        return answer.get("FunctionError"), payload

    def task(self, question: str, **state: Any) -> dict[str, Any]:
        """Return a Task state that asks; `payload` is added to the question."""
        payload = {"ask": question, **state.pop("payload", {})}
        arguments = {"FunctionName": self.outputs["AskFunction"], "Payload": payload}
        ends = {} if "Next" in state else {"End": True}
        return {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": arguments,
            "Output": "{% $states.result.Payload %}",
            **ends,
            **state,
        }

    def run(self, states: dict[str, Any], given: Any = None, **machine: Any) -> dict[str, Any]:
        """Create a JSONata machine that starts at its first state, run it, and describe the execution."""
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **machine}
        client = self.client("stepfunctions")
        arn = client.create_state_machine(
            name=f"test-{uuid.uuid4().hex}", definition=json.dumps(definition), roleArn=ROLE
        )["stateMachineArn"]
        started = client.start_execution(stateMachineArn=arn, input=json.dumps({} if given is None else given))
        described = finished(client, started["executionArn"])
        kept = {key: described.get(key) for key in ("status", "error", "cause", "output")}
        saw("execution", str(kept)[:600])
        return described

    def output(self, states: dict[str, Any], given: Any = None, **machine: Any) -> Any:
        """Run a machine that must succeed and return its output."""
        described = self.run(states, given, **machine)
        assert described["status"] == "SUCCEEDED", described
        return json.loads(described["output"])

    def put_lines(self, name: str, items: list[Any]) -> str:
        """Write a JSONL object into the lake bucket and return its key."""
        key = f"inputs/{name}-{uuid.uuid4().hex}.jsonl"
        body = "".join(f"{json.dumps(item)}\n" for item in items)
        self.client("s3").put_object(Bucket=self.outputs["LakeBucket"], Key=key, Body=body)
        return key


@pytest.fixture(scope="session")
def app(cloud: EmbeddedCloud) -> App:
    return App(
        cloud, deploy(cloud, template=FIXTURE_APP, account=ACCOUNT, on_progress=lambda line: saw("deploy", line))
    )
