"""Least privilege of roles."""

from typing import Any

import pytest

from data_protection.reads.iam import AUTHORIZATION
from data_protection.resources import named
from data_protection.verdicts import Status, Verdict
from tests.support.data_protection_account import ACCOUNT, verdict
from tests.support.data_protection_healthy import ROLE, TRUST, healthy, role, statement

LOCAL = "arn:aws:iam::123456789012:policy/local"
FOREIGN = "arn:aws:iam::999999999999:root"
GITHUB = "token.actions.githubusercontent.com"
CLUSTER = "oidc.eks.eu-central-1.amazonaws.com/id/A1B2"
POOL = "cognito-identity.amazonaws.com"


def judged(found: dict[str, Any], *managed: dict[str, Any], asked: dict[str, Any] | None = None) -> Verdict:
    readings = healthy() | {(ACCOUNT, AUTHORIZATION): {"RoleDetailList": [found], "Policies": list(managed)}}
    return verdict("IAM-LEAST", ROLE, readings, asked)


def managed(arn: str, document: dict[str, Any]) -> dict[str, Any]:
    old = {"Document": statement(Action="*", Resource="*"), "IsDefaultVersion": False}
    return {"Arn": arn, "PolicyVersionList": [old, {"Document": document, "IsDefaultVersion": True}]}


def trusting(**members: Any) -> dict[str, Any]:
    return role(AssumeRolePolicyDocument=statement(Action="sts:AssumeRole", **members))


def federated(issuer: str, **condition: Any) -> dict[str, Any]:
    provider = issuer if issuer == POOL else f"arn:aws:iam::123456789012:oidc-provider/{issuer}"
    return trusting(Principal={"Federated": provider}, Condition=condition)


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
        ({"Action": "**", "Resource": "x"}, "allows every action"),
        ({"Action": "iam:*", "Resource": "arn:aws:iam::*:*"}, "may pass every role"),
        ({"Action": "iam:PassRole", "Resource": "arn:aws:iam::123456789012:role/*"}, "may pass every role"),
        (
            {
                "Action": "iam:PassRole",
                "Resource": "*",
                "Condition": {"StringEquals": {"iam:ResourceTag/team": "data"}},
            },
            "may pass every role",
        ),
        (
            {"Action": "iam:PassRole", "Resource": "*", "Condition": {"StringLike": {"iam:PassedToService": "*"}}},
            "may pass every role",
        ),
        ({"Action": "s3:*", "Resource": "arn:aws:s3:::*"}, "everything, as arn:aws:s3:::*"),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::*/*"}, "everything"),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:*"}, "everything"),
        ({"Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:*:*:*"}, "everything"),
        ({"Action": "kms:Decrypt", "Resource": "arn:aws:kms:eu-central-1:123456789012:key/*"}, "everything"),
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
        {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::audio-*"},
        {"Action": "dynamodb:Query", "Resource": "arn:aws:dynamodb:*:*:table/orders/index/*"},
        {"Action": "iam:PassRole", "Resource": "arn:aws:iam::123456789012:role/aws-service-role/*"},
        {"Action": "ec2:StopInstances", "Resource": "*", "Condition": {"StringEquals": {"ec2:ResourceTag/team": "a"}}},
        {"Action": "kms:CreateGrant", "Resource": "*", "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}},
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


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringEquals": {"aws:ResourceAccount": "123456789012"}},
        {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
        {"StringNotEquals": {"aws:ResourceTag/team": "data"}},
        {"StringEqualsIfExists": {"aws:ResourceTag/team": "data"}},
        {"ForAllValues:StringEquals": {"aws:ResourceTag/team": "data"}},
        {"StringLike": {"aws:ResourceTag/team": ["data", "*"]}},
        {"Bool": {"kms:GrantIsForAWSResource": "false"}},
    ],
)
def test_condition_that_leaves_everything_in_reach_excuses_nothing(condition: dict[str, Any]) -> None:
    actions = ["s3:*", "dynamodb:*", "kms:*", "iam:Create*", "iam:Attach*"]
    found = judged(role(statement(Action=actions, Resource="*", Condition=condition)))
    assert (found.status, "on every resource" in found.reason) == (Status.FAIL, True), found.reason


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
    secure = {"Bool": {"aws:SecureTransport": "true"}}
    assert judged(trusting(Principal=principal, Condition=secure)).status is Status.FAIL
    organization = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    assert judged(trusting(Principal=principal, Condition=organization)).status is Status.WARN


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ({}, Status.WARN),
        ({"Bool": {"aws:SecureTransport": "true"}}, Status.WARN),
        ({"StringLike": {"sts:ExternalId": "*"}}, Status.WARN),
        ({"StringEquals": {"sts:ExternalId": "partner-7f3a"}}, Status.PASS),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, Status.PASS),
    ],
)
def test_role_of_another_account_must_be_bound_to_it(condition: dict[str, Any], status: Status) -> None:
    for principal in (FOREIGN, "999999999999", "arn:aws:sts::999999999999:assumed-role/ci/run"):
        found = judged(trusting(Principal={"AWS": principal}, Condition=condition))
        assert found.status is status, found.reason
    assert judged(trusting(Principal={"AWS": "arn:aws:iam::123456789012:root"}, Condition=condition)).reason.startswith(
        "It allows nothing"
    )


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (federated(GITHUB), Status.FAIL),
        (federated(GITHUB, StringEquals={f"{GITHUB}:aud": "sts.amazonaws.com"}), Status.FAIL),
        (federated(GITHUB, StringLike={f"{GITHUB}:sub": "repo:*"}), Status.FAIL),
        (federated(GITHUB, StringLike={f"{GITHUB}:sub": ["repo:ours/app:*", "*"]}), Status.FAIL),
        (federated(GITHUB, StringLike={f"{GITHUB}:sub": "repo:ours/*"}), Status.PASS),
        (federated(CLUSTER, StringEquals={f"{CLUSTER}:sub": "system:serviceaccount:jobs:export"}), Status.PASS),
        (federated(CLUSTER, StringEquals={f"{GITHUB}:sub": "repo:ours/app"}), Status.FAIL),
        (federated(POOL, StringEquals={f"{POOL}:aud": "eu-central-1:1234"}), Status.PASS),
        (federated(POOL), Status.FAIL),
        (trusting(Principal={"Federated": "arn:aws:iam::123456789012:saml-provider/login"}), Status.PASS),
    ],
)
def test_role_of_a_web_identity_must_name_whose(found: dict[str, Any], status: Status) -> None:
    assert judged(found).status is status, judged(found).reason


def test_trust_in_all_but_somebody_fails() -> None:
    found = judged(trusting(NotPrincipal={"AWS": FOREIGN}))
    assert (found.status, "everybody" in found.reason) == (Status.FAIL, True)


def test_role_with_a_path_is_found_by_its_arn_too() -> None:
    by_arn = named(ROLE.kind, ROLE.place, f"arn:aws:iam::{ROLE.place.account}:role/service/worker")
    found = role(statement(Action="s3:GetObject", Resource="arn:aws:s3:::audio/*"), Arn=by_arn.arn)
    readings = healthy() | {(ACCOUNT, AUTHORIZATION): {"RoleDetailList": [found], "Policies": []}}
    assert verdict("IAM-LEAST", by_arn, readings).status is Status.PASS
    assert judged(role(RoleName="other", Arn="other", AssumeRolePolicyDocument=TRUST)).status is Status.FAIL
