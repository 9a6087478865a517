import io
import json
import os
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import ClientError

from local import supervisor
from local.errors import ServerNotRunning, ServerNotStarted
from local.paths import ROOT, STATE
from local.supervisor import EmbeddedCloud
from tests.cloud.conftest import App, saw
from tests.support.cloud import eventually, finished

pytestmark = pytest.mark.cloud


@pytest.fixture
def spare(request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"test-{os.getpid()}-{abs(hash(request.node.name)) % 10**6}"
    yield name
    if left := EmbeddedCloud.find(name):
        left.stop()
    subprocess.run(["rm", "-rf", STATE / name], check=True)  # noqa: S603, S607 - our own folder


def test_nothing_listens_beyond_loopback(app: App) -> None:
    app.ask("echo", value=1)
    listening = [
        connection.laddr
        for pid in app.cloud.survivors()
        for connection in psutil.Process(pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    saw("listening", listening)
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert app.cloud.state.port in {address.port for address in listening}


def test_the_server_sees_only_its_own_variables(cloud: EmbeddedCloud) -> None:
    variables = psutil.Process(cloud.state.pid).environ()
    saw("variables of the server", sorted(variables))
    assert variables["BIND_HOST"] == "127.0.0.1"
    assert variables["GATEWAY_PORT"] == variables["EDGE_PORT"] == str(cloud.state.port)
    inherited = {"PATH", "HOME", "LANG", "LC_CTYPE", "TMPDIR", "PYTHONPATH", "BIND_HOST", "GATEWAY_PORT", "EDGE_PORT"}
    told = {"AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "IOT_MTLS_ENABLED", "SFTP_ENABLED", "LOG_LEVEL"}
    told |= {"AUTH", "SFN_WAIT_SCALE"}
    own = {name for name in variables if name.startswith(("GATEHOUSE_", "MINISTACK_"))}
    assert set(variables) <= inherited | told | own


def test_a_second_server_runs_beside_the_first_and_one_stop_leaves_nothing(cloud: EmbeddedCloud, spare: str) -> None:
    second = EmbeddedCloud.start(spare)
    assert second.state.port != cloud.state.port
    assert EmbeddedCloud.get(spare).state == second.state
    with pytest.raises(ServerNotStarted, match=f"'{spare}' already runs on port {second.state.port}"):
        EmbeddedCloud.start(spare)
    second.client("sqs").create_queue(QueueName="only-there")
    assert not cloud.client("sqs").list_queues(QueueNamePrefix="only-there").get("QueueUrls")
    second.stop()
    assert second.survivors() == []
    assert EmbeddedCloud.find(spare) is None
    with pytest.raises(ServerNotRunning, match="gatehouse up"):
        EmbeddedCloud.get(spare)


def test_a_server_that_ignores_term_is_killed(spare: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = EmbeddedCloud.start(spare)
    monkeypatch.setattr(supervisor, "TERM_SECONDS", 0.2)
    os.kill(server.state.pid, signal.SIGSTOP)
    server.stop()
    assert not server.alive
    assert server.survivors() == []


def test_another_server_on_the_port_is_refused(spare: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(supervisor, "_free_port", lambda: taken.getsockname()[1])
        monkeypatch.setattr(supervisor, "_PORT_ATTEMPTS", 1)
        monkeypatch.setattr(supervisor, "get_json", lambda _url: {"services": "of somebody else"})
        with pytest.raises(ServerNotStarted):
            EmbeddedCloud.start(spare)


def test_a_server_ends_with_a_starter_that_is_killed(spare: str) -> None:
    program = f"import time; from local.supervisor import EmbeddedCloud; EmbeddedCloud.start({spare!r}); time.sleep(60)"
    starter = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)  # noqa: S603 - ourselves
    server = eventually(lambda: EmbeddedCloud.find(spare))
    starter.kill()
    starter.wait()
    # A process on its way out is found for a moment longer than its session has members.
    eventually(lambda: not server.survivors() and EmbeddedCloud.find(spare) is None)


def test_accounts_see_nothing_of_each_other(cloud: EmbeddedCloud) -> None:
    one, other = cloud.client("dynamodb", "222222222222"), cloud.client("dynamodb", "333333333333")
    one.create_table(
        TableName="mine",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    assert one.list_tables()["TableNames"] == ["mine"]
    assert other.list_tables()["TableNames"] == []
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        other.describe_table(TableName="mine")
    one.delete_table(TableName="mine")


def test_a_reset_forgets_everything_and_ends_the_workers(spare: str) -> None:
    server = EmbeddedCloud.start(spare)
    server.client("sqs", "222222222222").create_queue(QueueName="gone")
    server.reset()
    assert not server.client("sqs", "222222222222").list_queues().get("QueueUrls")
    assert server.survivors() == [server.state.pid]
    assert server.health()
    server.stop()


def test_machines_wait_as_small_a_share_of_their_time_as_is_asked_for(spare: str) -> None:
    server = EmbeddedCloud.start(spare, wait_scale=0.001)
    states = server.client("stepfunctions")
    wait = {"Type": "Wait", "Seconds": 600, "End": True}
    machine = states.create_state_machine(
        name="patient",
        definition=json.dumps({"StartAt": "Wait", "States": {"Wait": wait}}),
        roleArn="arn:aws:iam::000000000000:role/machine",
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    assert finished(states, execution, seconds=60)["status"] == "SUCCEEDED"
    server.stop()


def test_roles_are_enforced_on_demand(spare: str) -> None:
    server = EmbeddedCloud.start(spare, enforce_iam=True)
    table = {"TableName": "guarded", "BillingMode": "PAY_PER_REQUEST"}
    server.client("dynamodb").create_table(
        **table,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    allowed = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = server.client("iam")
    role = iam.create_role(
        RoleName="writer", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName="writer", PolicyName="write", PolicyDocument=policy)
    source = (
        "import boto3\ndef handler(event, _):\n    "
        "getattr(boto3.client('dynamodb'), event['do'])(TableName='guarded', **event['with'])\n"
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("main.py", source)
    functions = server.client("lambda")
    functions.create_function(
        FunctionName="guarded", Runtime="python3.11", Role=role, Handler="main.handler", Timeout=20,
        Code={"ZipFile": archive.getvalue()},
    )  # fmt: skip

    def call(do: str, argument: str) -> str:
        event = json.dumps({"do": do, "with": {argument: {"pk": {"S": "x"}}}})
        answer: str = functions.invoke(FunctionName="guarded", Payload=event)["Payload"].read().decode()
        saw(do, answer)
        return answer

    assert call("put_item", "Item") == "null"
    assert "not authorized to perform: dynamodb:DeleteItem" in call("delete_item", "Key")
    server.stop()


def test_no_file_of_a_server_lies_outside_its_folder(cloud: EmbeddedCloud) -> None:
    opened = [Path(file.path) for file in psutil.Process(cloud.state.pid).open_files()]
    saw("open files", opened)
    assert all(path.is_relative_to(STATE) for path in opened)
