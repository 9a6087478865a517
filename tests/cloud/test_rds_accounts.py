"""The log API of RDS beside the embedded cloud: its functions find it, and its roles' keys belong to their accounts."""

import io
import json
import uuid
import zipfile
from collections.abc import Iterator

import boto3
import pytest

from local.endpoints import ACCOUNT, REGION
from local.rds.model.world import World
from local.rds.server import RdsServer
from local.supervisor import EmbeddedCloud
from tests.cloud.conftest import saw
from tests.support.cloud import eventually
from tests.support.rds import START, add_instance

pytestmark = pytest.mark.cloud

THERE = "555555555555"
ROLE = "arn:aws:iam::{}:role/reader"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
HANDLER = """
import boto3
def handle(event, context):
    return [one["DBInstanceIdentifier"] for one in boto3.client("rds").describe_db_instances()["DBInstances"]]
"""


@pytest.fixture(scope="module")
def api() -> Iterator[RdsServer]:
    world = World(START)
    add_instance(world, "here")
    add_instance(world, "there", account=THERE)
    with RdsServer(world) as server:
        yield server


def test_keys_of_a_role_belong_to_its_account(cloud: EmbeddedCloud, api: RdsServer) -> None:
    api.control.cloud(cloud.endpoint)
    keys = cloud.client("sts").assume_role(RoleArn=ROLE.format(THERE), RoleSessionName="me")["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], REGION)
    seen = session.client("rds", endpoint_url=api.endpoint).describe_db_instances()["DBInstances"]
    assert [one["DBInstanceIdentifier"] for one in seen] == ["there"]


@pytest.mark.parametrize("enforce_iam", [False, True])
def test_functions_find_the_api_and_are_of_their_account(api: RdsServer, *, enforce_iam: bool) -> None:
    cloud = EmbeddedCloud.start(f"test-{uuid.uuid4().hex[:8]}", rds=api.endpoint, enforce_iam=enforce_iam)
    try:
        api.control.cloud(cloud.endpoint)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("reader.py", HANDLER)
        cloud.client("iam").create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST)
        functions = cloud.client("lambda")
        functions.create_function(
            FunctionName="reader",
            Runtime="python3.11",
            Role=ROLE.format(ACCOUNT),
            Handler="reader.handle",
            Code={"ZipFile": archive.getvalue()},
            Timeout=20,
        )
        answer = eventually(lambda: functions.invoke(FunctionName="reader"))["Payload"].read()
        saw("the function's answer", answer)
        assert json.loads(answer) == ["here"]
    finally:
        cloud.stop()
