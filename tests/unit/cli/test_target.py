import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError, PartialCredentialsError, ProfileNotFound, TokenRetrievalError
from moto import mock_aws
from typer.testing import CliRunner

from cli.main import app
from cli.target import NotDeployed, Target
from local import samconfig


@pytest.fixture(autouse=True)
def machine_without_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away all that boto3 could find out by itself."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_region_and_stack_on_aws_are_those_of_samconfig(environment: str) -> None:
    configured = samconfig.environment(environment)
    target = Target.of(environment)
    assert target.client("stepfunctions").meta.region_name == configured.region
    assert target.stack == configured.stack


def test_run_without_credentials_says_so() -> None:
    ended = CliRunner().invoke(app, ["run", "process_objects", "--env", "dev", "--input", json.dumps({"feed": "47"})])
    assert ended.exit_code == 1
    assert "No AWS credentials were found" in ended.stderr


def test_deploying_to_an_unknown_environment_names_those_there_are() -> None:
    ended = CliRunner().invoke(app, ["deploy", "--env", "stage"])
    assert ended.exit_code == 1
    assert "samconfig.toml has no environment 'stage': it has dev, local, prod." in ended.stderr


def test_run_of_a_machine_that_is_not_deployed_says_what_it_comes_with() -> None:
    with mock_aws():
        session: Any = boto3.Session(region_name="eu-central-1")
        with pytest.raises(NotDeployed, match=r"It comes with `gatehouse up --parameter DatabaseLogs=enabled`\."):
            Target("local", session.client, "dev").machine_arn("discover_logs")
        with pytest.raises(NotDeployed, match=r"It comes with `DatabaseLogs=enabled` in samconfig\.toml"):
            Target("dev", session.client).machine_arn("discover_logs")


def test_nobody_is_impersonated_on_aws() -> None:
    ended = CliRunner().invoke(app, ["approve", "0" * 64, "--env", "dev", "--as", "bob"])
    assert ended.exit_code == 1
    assert "`--as bob` is for --env local; in environment 'dev' your credentials say who you are." in ended.stderr


def test_run_in_an_unknown_environment_names_those_there_are() -> None:
    ended = CliRunner().invoke(app, ["run", "process_objects", "--env", "moon"])
    assert ended.exit_code == 1
    assert "samconfig.toml has no environment 'moon': it has dev, local, prod." in ended.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoCredentialsError(), "No AWS credentials were found"),
        (PartialCredentialsError(provider="env", cred_var="secret"), "credentials cannot be used: Partial credentials"),
        (ProfileNotFound(profile="old"), "(old) could not be found"),
        (TokenRetrievalError(provider="sso", error_msg="Token has expired"), "Token has expired"),
    ],
)
def test_unusable_credentials_are_not_called_an_outage(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Target:
        raise error

    monkeypatch.setattr(Target, "of", refuse)
    ended = CliRunner().invoke(app, ["run", "process_objects", "--env", "dev"])
    assert ended.exit_code == 1
    assert said in ended.stderr
    assert "cannot be reached" not in ended.stderr
