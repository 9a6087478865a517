"""`gatehouse status` of an embedded cloud."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from cli.main import app
from local.supervisor import EmbeddedCloud

BUCKETS = {"LakeBucketName": "the-lake", "EvidenceBucketName": "the-evidence"}


class Deployed:
    """Any client of the embedded cloud, in which nothing but one stack is to be seen.

    Attributes:
        outputs: Of the stack; None before it is deployed.
    """

    outputs: dict[str, str] | None = None

    def describe_stacks(self, *, StackName: str = "") -> dict[str, Any]:  # noqa: N803 - boto3's name
        if self.outputs is None:
            if StackName:
                raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks")
            return {"Stacks": []}
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()]
        return {"Stacks": [{"StackName": "gatehouse", "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}]}

    def get_paginator(self, _: str) -> "Deployed":
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"Functions": [], "stateMachines": []}]


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Deployed:
    made = Deployed()
    state = SimpleNamespace(pid=1, started_at=0.0)
    running = SimpleNamespace(endpoint="http://127.0.0.1:4566", state=state, client=lambda _: made)
    monkeypatch.setattr(EmbeddedCloud, "get", lambda _: running)
    monkeypatch.setenv("COLUMNS", "200")
    return made


def said(*options: str) -> dict[str, list[str]]:
    """Return the rows of `gatehouse status` by their titles."""
    ended = CliRunner().invoke(app, ["status", *options])
    assert ended.exit_code == 0, ended.stderr
    found: dict[str, list[str]] = {}
    for line in ended.stdout.splitlines():
        title, _, row = line.partition("  ")
        found.setdefault(title or list(found)[-1], []).append(row.strip())
    return found


def test_status_names_the_buckets_of_results_and_what_reads_them(deployed: Deployed) -> None:
    deployed.outputs = {**BUCKETS, "AssessAccountArn": "arn:aws:states:::stateMachine:assess_account"}
    rows = said("--cloud", "other")
    assert rows["lake"] == ["the-lake", "gatehouse results --cloud other", "gatehouse query SQL --cloud other"]
    assert rows["evidence"] == [
        "the-evidence",
        "gatehouse plans --cloud other",
        "gatehouse evidence HASH --cloud other",
    ]
    assert rows["data_protection"][0] == "enabled"


def test_status_without_data_protection_says_how_to_enable_it(deployed: Deployed) -> None:
    deployed.outputs = BUCKETS
    rows = said()
    assert rows["data_protection"] == ["disabled", "gatehouse up --parameter DataProtection=enabled"]
    assert "evidence" not in rows


@pytest.mark.parametrize("outputs", [None, {"Other": "stack"}])
def test_status_names_no_bucket_before_gatehouse_is_deployed(
    deployed: Deployed, outputs: dict[str, str] | None
) -> None:
    deployed.outputs = outputs
    assert not {"lake", "evidence", "data_protection"} & set(said())
