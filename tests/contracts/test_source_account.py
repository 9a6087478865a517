"""The part of another account: its role grants what reading a feed takes, to Gatehouse's functions alone."""

import json
from typing import Any

from firewall_logs.access import Access, session_policy
from firewall_logs.adapters.source import SourceCatalogue, SourceListing, SourceReader
from tests.support.templates import Json, functions, standalone

SOURCE, _, _ = standalone()


def _statements() -> dict[str, Json]:
    """Return what the role may do, by Sid."""
    policies = SOURCE.resources["ReaderRole"]["Properties"]["Policies"]
    found = [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]
    plain = [statement["Fn::If"][1] if "Fn::If" in statement else statement for statement in found]
    return {statement["Sid"]: statement for statement in plain}


def _actions(statements: Any) -> set[str]:
    actions = [statement["Action"] for statement in statements if statement["Effect"] == "Allow"]
    return {action for found in actions for action in ([found] if isinstance(found, str) else found)}


def test_role_grants_just_what_the_adapters_of_the_source_use() -> None:
    assert _actions(_statements().values()) == SourceCatalogue.IAM | SourceListing.IAM | SourceReader.IAM


def test_sessions_may_do_all_that_the_role_may() -> None:
    access = Access(role_arn="arn:aws:iam::222222222222:role/r", external_id="gatehouse-4711")
    session = json.loads(session_policy(access, "bucket", "prefix/"))["Statement"]
    assert _actions(session) == _actions(_statements().values())


def test_role_is_narrowed_to_the_prefix() -> None:
    statements = _statements()
    assert statements["ListPrefix"]["Condition"] == {"StringLike": {"s3:prefix": {"Fn::Sub": "${Prefix}*"}}}
    assert statements["ReadObjects"]["Resource"]["Fn::Sub"].endswith(":::${BucketName}/${Prefix}*")


def test_everything_but_tls_is_refused() -> None:
    refusal = _statements()["TlsOnly"]
    assert (refusal["Effect"], refusal["Action"], refusal["Resource"]) == ("Deny", "*", "*")
    assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_only_gatehouses_roles_with_the_external_id_may_assume_it() -> None:
    [trust] = SOURCE.resources["ReaderRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"]["AWS"]["Fn::Sub"].endswith("::${LakeAccountId}:root")
    assert trust["Condition"]["StringEquals"] == {"sts:ExternalId": {"Ref": "ExternalId"}}
    assert trust["Condition"]["ArnLike"]["aws:PrincipalArn"]["Fn::Sub"].endswith(":role/${LakeStackName}-*")


def test_functions_that_read_raw_objects_may_assume_just_the_roles_that_are_given() -> None:
    readers = {
        function.logical_id: statement["Fn::If"]
        for function in functions()
        for policy in function.properties["Policies"]
        for statement in policy["Statement"]
        if "sts:AssumeRole" in str(statement) and function.domain == "firewall_logs"
    }
    assert readers.keys() >= {"PlanRunFunction", "ProcessUnitFunction"}
    for condition, granted, otherwise in readers.values():
        assert condition == "HasSourceRoles"
        assert (granted["Action"], granted["Resource"]) == (["sts:AssumeRole"], {"Ref": "SourceRoleArns"})
        assert otherwise == {"Ref": "AWS::NoValue"}
