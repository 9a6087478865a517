"""Calls that make resources: those that a recipe declares, with what AWS says to them, and no value of a secret."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from data_protection.adapters.creation import CreationCalls, CreationSnapshots
from data_protection.changes import Call
from data_protection.creation.kinds.secrets import GENERATE
from data_protection.creation.recipes import RECIPES
from data_protection.errors import CreationDelayed, CreationRefused
from data_protection.resources import Kind
from tests.support.data_protection_account import operation

REGION = "eu-central-1"


def made(kind: Kind, call: Call, error: dict[str, Any] | None = None, status: int = 400) -> str:
    """Make a call, which AWS answers with an error if one is given."""
    client: Any = boto3.client(call.service, region_name=REGION)  # type: ignore[call-overload]
    if error is not None:
        name = operation(call.service, call.operation).name

        def refuse(**_: Any) -> None:
            raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}, name)  # type: ignore[typeddict-item]

        client.meta.events.register(f"before-call.*.{name}", refuse)
    return CreationCalls(lambda _service, _region: client).make(kind, call, REGION)


UNTAG = Call(service="dynamodb", operation="untag_resource", parameters={"ResourceArn": "arn", "TagKeys": ["a"]})


def test_a_call_that_no_recipe_declares_is_not_made() -> None:
    delete = Call(service="dynamodb", operation="delete_table", parameters={"TableName": "orders"})
    with pytest.raises(CreationRefused, match="no recipe declares it"):
        made(Kind.TABLE, delete)


def test_no_recipe_deletes_or_turns_off() -> None:
    operations = {operation.partition(":")[2] for recipe in RECIPES.values() for operation in recipe.operations}
    assert not [name for name in operations if name.startswith(("delete", "disable", "deregister", "cancel", "stop"))]


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("ValidationException", 400, CreationRefused),
        ("AccessDeniedException", 400, CreationRefused),
        ("BucketAlreadyExists", 409, CreationRefused),
        ("ResourceInUseException", 400, CreationDelayed),
        ("ContinuousBackupsUnavailableException", 400, CreationDelayed),
        ("EntityAlreadyExists", 409, CreationDelayed),
        ("ThrottlingException", 400, ClientError),
        ("InternalServerError", 500, ClientError),
    ],
)
def test_what_aws_says_decides_whether_it_is_tried_again(code: str, status: int, meaning: type[Exception]) -> None:
    with pytest.raises(meaning):
        made(Kind.TABLE, UNTAG, {"Code": code, "Message": "no"}, status)


def secret(**value: Any) -> Call:
    parameters = {"Name": "partner", GENERATE: {"PasswordLength": 40, "RequireEachIncludedType": True, **value}}
    return Call(service="secretsmanager", operation="create_secret", parameters=parameters)


def test_value_of_a_secret_is_made_by_secrets_manager() -> None:
    made(Kind.SECRET, secret(ExcludeCharacters="$'"))
    value = boto3.client("secretsmanager", region_name=REGION).get_secret_value(SecretId="partner")["SecretString"]
    assert len(value) == 40
    assert not set("$'") & set(value)


def test_secret_of_a_user_is_an_object_of_name_and_password() -> None:
    made(Kind.SECRET, secret(username="shop"))
    value = boto3.client("secretsmanager", region_name=REGION).get_secret_value(SecretId="partner")["SecretString"]
    assert json.loads(value).keys() == {"username", "password"}


def test_value_of_a_secret_that_is_refused_is_in_no_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = boto3.client("secretsmanager", region_name=REGION)
    monkeypatch.setattr(client, "get_random_password", lambda **_: {"RandomPassword": "hunter2"})
    call = secret()
    wrong = call.model_copy(update={"parameters": {**call.parameters, "Nmae": 1}})
    with pytest.raises(CreationRefused) as refused:
        CreationCalls(lambda _service, _region: client).make(Kind.SECRET, wrong, REGION)
    assert "hunter2" not in str(refused.value)


def test_snapshots_of_creation_read_and_change_nothing() -> None:
    verbs = {action.partition(":")[2] for action in CreationSnapshots.IAM}
    assert all(verb.startswith(("Describe", "Get", "List")) for verb in verbs)
