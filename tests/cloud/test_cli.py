import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app as command
from cli.target import Target
from local.supervisor import EmbeddedCloud
from tests.cloud.conftest import ACCOUNT, App


def gatehouse(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_help_imports_nothing_heavy() -> None:
    heavy = "{'boto3', 'botocore', 'polars', 'pyarrow', 'psutil', 'yaml', 'duckdb', 'plotly'}"
    program = f"import sys; import cli.main; print(sorted({heavy} & set(sys.modules)))"
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "[]\n"
    assert time.perf_counter() - start < 3  # half a second on an idle machine


@pytest.mark.parametrize("words", [["status"], ["logs"]])
def test_without_a_server_the_next_step_is_named(words: list[str]) -> None:
    name = f"none-{uuid.uuid4().hex}"
    ended = gatehouse(*words, "--cloud", name)
    assert ended.exit_code == 1
    assert f"start it with `gatehouse up --cloud {name}`" in " ".join(ended.output.split())
    assert "Traceback" not in ended.output


def test_down_without_a_server_is_no_fault() -> None:
    name = f"none-{uuid.uuid4().hex}"
    ended = gatehouse("down", "--cloud", name)
    assert (ended.exit_code, ended.output.startswith("nothing to stop")) == (0, True)
    assert gatehouse("down", "--quiet", "--cloud", name).output == ""


def test_parameter_that_the_template_does_not_have_is_refused_before_anything_starts() -> None:
    name = f"none-{uuid.uuid4().hex}"
    ended = gatehouse("up", "--cloud", name, "--parameter", "DataProtecton=enabled")
    assert (ended.exit_code, "Did you mean DataProtection?" in ended.output) == (1, True)
    assert EmbeddedCloud.find(name) is None


@pytest.mark.cloud
def test_user_acts_under_their_own_name_however_often_asked_for(cloud: EmbeddedCloud) -> None:
    name = f"alice-{uuid.uuid4().hex}"
    for _ in range(2):
        target = Target.of("local", cloud.state.name, name)
        assert target.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::000000000000:user/{name}"
        target.client("dynamodb").list_tables()
    assert Target.of("local", cloud.state.name).client("sts").get_caller_identity()["Arn"].endswith(":root")


@pytest.mark.cloud
def test_own_credentials_are_taken_where_they_are_for_the_embedded_cloud(
    cloud: EmbeddedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"operators-{uuid.uuid4().hex}"
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = cloud.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    session = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="alice")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", session["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", session["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", session["SessionToken"])

    def caller() -> str:
        return str(Target.of("local", cloud.state.name).client("sts").get_caller_identity()["Arn"])

    assert caller().endswith(":root")
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint)
    assert caller() == f"arn:aws:sts::000000000000:assumed-role/{role}/alice"


@pytest.mark.cloud
def test_status_names_server_stacks_machines_and_functions(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.supervisor.EmbeddedCloud.client", _of_account(app))
    ended = gatehouse("status", "--cloud", app.cloud.state.name)
    assert ended.exit_code == 0
    shown = "".join(ended.output.split())
    for part in (app.cloud.endpoint, f"process{app.cloud.state.pid}", "CREATE_COMPLETE", app.outputs["AskFunction"]):
        assert part in shown


@pytest.mark.cloud
def test_logs_of_a_part_of_a_name(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.ask("fail", message="read me")
    monkeypatch.setattr("local.supervisor.EmbeddedCloud.client", _of_account(app))
    ended = gatehouse("logs", "askfunction", "--cloud", app.cloud.state.name)
    assert "[ERROR] KnownTrouble: read me" in ended.output
    assert "ConsumeFunction" not in ended.output
    refused = gatehouse("logs", "nobody", "--cloud", app.cloud.state.name)
    assert refused.exit_code == 1
    assert "is called 'nobody'. There are: " in refused.output


def _of_account(app: App) -> Callable[[EmbeddedCloud, str], Any]:
    """Return `client` for an account that is not the command line's."""
    original = EmbeddedCloud.client
    return lambda _, service: original(app.cloud, service, ACCOUNT)
