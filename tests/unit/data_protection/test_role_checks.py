"""Least privilege of roles."""

from typing import Any

import pytest

from data_protection.reads.iam import AUTHORIZATION
from data_protection.verdicts import Status, Verdict
from tests.support.data_protection_account import ACCOUNT, verdict
from tests.support.data_protection_healthy import ROLE, TRUST, healthy, role, statement

LOCAL = "arn:aws:iam::123456789012:policy/local"


def judged(found: dict[str, Any], *managed: dict[str, Any], asked: dict[str, Any] | None = None) -> Verdict:
    readings = healthy() | {(ACCOUNT, AUTHORIZATION): {"RoleDetailList": [found], "Policies": list(managed)}}
    return verdict("IAM-LEAST", ROLE, readings, asked)


def managed(arn: str, document: dict[str, Any]) -> dict[str, Any]:
    old = {"Document": statement(Action="*", Resource="*"), "IsDefaultVersion": False}
    return {"Arn": arn, "PolicyVersionList": [old, {"Document": document, "IsDefaultVersion": True}]}


def trusting(**members: Any) -> dict[str, Any]:
    return role(AssumeRolePolicyDocument=statement(Action="sts:AssumeRole", **members))


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"Action": "*", "Resource": "arn:aws:s3:::audio"}, "allows every action"),
        ({"Action": ["s3:GetObject", "*:*"], "Resource": "x"}, "allows every action"),
        ({"Action": "s3:GetObject", "Resource": "*"}, "allows s3:GetObject on every resource"),
        ({"Action": ["s3:*", "logs:PutLogEvents"], "Resource": ["*", "x"]}, "allows s3:* on every resource"),
        ({"Action": "iam:PassRole", "Resource": "*"}, "may pass every role"),
        ({"Action": "iam:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, "pass every"),
        ({"NotAction": "iam:*", "Resource": "*"}, "all but what it names"),
        ({"Action": "s3:GetObject", "NotResource": "x"}, "all but what it names"),
    ],
)
def test_statement_that_allows_too_much_fails(members: dict[str, Any], said: str) -> None:
    found = judged(role(statement(**members)))
    assert (found.status, said in found.reason) == (Status.FAIL, True), found.reason


@pytest.mark.parametrize(
    "members",
    [
        {"Action": "s3:*", "Resource": "arn:aws:s3:::audio/*"},
        {"Action": ["logs:PutLogEvents", "XRAY:PutTraceSegments"], "Resource": "*"},
        {"Action": "s3:GetObject", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceAccount": "1"}}},
        {
            "Action": "iam:PassRole",
            "Resource": "*",
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        },
        {"Effect": "Deny", "Action": "*", "Resource": "*"},
    ],
)
def test_statement_that_is_narrow_or_harmless_passes(members: dict[str, Any]) -> None:
    found = judged(role(statement(**members)))
    assert found.status is Status.PASS, found.reason


def test_profile_may_allow_more_actions_on_everything() -> None:
    found = role(statement(Action="sqs:ListQueues", Resource="*"))
    assert judged(found).status is Status.FAIL
    assert judged(found, asked={"anywhere": ["sqs:List*"]}).status is Status.PASS


def test_managed_policy_is_judged_by_its_default_version() -> None:
    found = role(attached=(LOCAL,))
    assert judged(found, managed(LOCAL, statement(Action="s3:GetObject", Resource="x"))).status is Status.PASS
    assert judged(found, managed(LOCAL, statement(Action="s3:GetObject", Resource="*"))).status is Status.FAIL


def test_managed_policy_that_aws_did_not_answer_is_not_taken_for_harmless() -> None:
    found = judged(role(attached=(LOCAL,)))
    assert (found.status, LOCAL in found.reason) == (Status.UNKNOWN, True)


def test_administrator_fails_whether_its_policy_was_read_or_not() -> None:
    found = judged(role(attached=("arn:aws:iam::aws:policy/AdministratorAccess",)))
    assert (found.status, "AdministratorAccess" in found.reason) == (Status.FAIL, True)


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["arn:aws:iam::1:root", "*"]}])
def test_role_that_everybody_may_have_fails(principal: Any) -> None:
    assert judged(trusting(Principal=principal)).status is Status.FAIL
    organization = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    assert judged(trusting(Principal=principal, Condition=organization)).status is Status.WARN


def test_role_is_found_by_its_arn_too() -> None:
    by_arn = type(ROLE)(ROLE.kind, ROLE.place, ROLE.arn)
    assert verdict("IAM-LEAST", by_arn, healthy()).status is Status.PASS
    assert judged(role(RoleName="other", Arn="other", AssumeRolePolicyDocument=TRUST)).status is Status.FAIL
