"""`gatehouse approve` over an account in moto; where functions have URLs, over a server."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from threading import Thread
from typing import Any, ClassVar

import pytest
from typer.testing import CliRunner

from cli import approvals
from cli.main import app
from cli.target import Target
from data_protection.handlers import decide_approval
from kernel import aws
from tests.support.remediation import (
    BOB,
    FUNCTION,
    LAKE,
    Remediation,
    profile,
    remediated_account,
    table,
    tables,
)


class Functions:
    """Lambda, as far as the command line calls it."""

    def invoke(self, **called: Any) -> dict[str, Any]:
        assert called["FunctionName"] == "gatehouse-local-data-protection-decide-approval"
        answer = decide_approval.handler(json.loads(called["Payload"]), FUNCTION)
        return {"Payload": BytesIO(json.dumps(answer).encode())}


class Callers:
    """STS: who calls is Bob."""

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": BOB}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Remediation]:
    with remediated_account() as made:
        others = {"lambda": Functions(), "sts": Callers(), "s3": aws.s3()}
        monkeypatch.setattr(Target, "of", lambda env, cloud, *_: Target(env, others.__getitem__, cloud))
        monkeypatch.setattr(Target, "output", lambda _, key: {"LakeBucketName": LAKE}[key])
        table("orders")
        profile(tables("orders"))
        yield made


def said(*arguments: str) -> tuple[int, str]:
    ended = CliRunner().invoke(app, arguments)
    return ended.exit_code, ended.stdout + ended.stderr


def test_plan_is_approved_by_whom_sts_names(run: Remediation) -> None:
    plan = run.plan(1)["plan"]
    run.ask(plan)

    code, told = said("approve", plan, "--comment", "read it")
    assert (code, f"✓ The plan {plan} is approved." in told) == (0, True)


def test_refusal_is_told_in_a_sentence(run: Remediation) -> None:
    plan = run.plan(1, requested_by=BOB)["plan"]
    run.ask(plan)

    code, told = said("approve", plan)
    assert (code, f"✗ {BOB} asked for the plan {plan}; somebody else must approve it." in told) == (1, True)
    code, told = said("approve", plan, "--no")
    assert (code, f"✓ The plan {plan} is rejected." in told) == (0, True)


def test_yes_that_others_must_follow_is_counted(run: Remediation) -> None:
    plan = run.plan(1, 4)["plan"]
    run.ask(plan)

    code, told = said("approve", plan)

    assert (code, f"✓ Your yes to the plan {plan} is counted; 1 more must approve." in " ".join(told.split())) == (
        0,
        True,
    )


def test_first_digits_of_a_hash_are_enough(run: Remediation) -> None:
    plan = run.plan(1)["plan"]
    run.ask(plan)

    assert "no hash" in said("approve", plan[:7])[1]
    assert "There is no plan whose hash begins with 00000000" in said("approve", "0" * 8)[1]
    code, told = said("approve", plan[:8].upper())
    assert (code, f"✓ The plan {plan} is approved." in told) == (0, True)


def test_digits_with_which_several_hashes_begin_are_refused_with_their_names(run: Remediation) -> None:
    plan = run.plan(1)["plan"]
    other = f"{plan[:8]}{'0' * 56}"
    key = f"data_protection/locking/simulation={other}/simulation.json"
    aws.s3().put_object(Bucket=LAKE, Key=key, Body=b"{}")

    code, told = said("approve", plan[:8])

    assert code == 1
    assert f"2 hashes begin with {plan[:8]}: {other}, {plan}. Give more digits." in " ".join(told.split())


class Endpoint(BaseHTTPRequestHandler):
    """A function's URL."""

    heard: ClassVar[list[tuple[str, str]]] = []
    answers: ClassVar[list[tuple[int, bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.heard.append((self.headers["authorization"], body))
        status, answer = self.answers.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_url_of_the_function_gets_a_signed_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/abc.lambda-url.eu-central-1.on.aws/"
    monkeypatch.setattr(Target, "output", lambda _, key: {"DecideApprovalUrl": url}[key])
    Endpoint.answers[:] = [
        (200, b'{"outcome": "approved", "missing": 0}'),
        (403, b'{"Message": "Forbidden"}'),
        (502, b"Bad"),
    ]
    aws_target = Target("dev", lambda _: None)
    try:
        first = approvals.decide(aws_target, "0" * 64, approves=True)
        second = approvals.decide(aws_target, "0" * 64, approves=True)
        third = approvals.decide(aws_target, "0" * 64, approves=True)
    finally:
        server.shutdown()
        server.server_close()

    assert first == (200, {"outcome": "approved", "missing": 0})
    assert second == (403, {"Message": "Forbidden"})
    assert third == (502, {"why": "The function's URL answered 502: Bad"})
    authorization, body = Endpoint.heard[0]
    assert authorization.startswith("AWS4-HMAC-SHA256 Credential=testing/")
    assert "/eu-central-1/lambda/aws4_request" in authorization
    assert json.loads(body) == {"plan": "0" * 64, "approves": True, "comment": ""}
