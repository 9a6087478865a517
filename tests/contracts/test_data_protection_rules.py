"""The rules of drift let pass just the calls that are known, whoever makes them, and every check is heard of."""

import json
from functools import cache
from typing import Any

import pytest
from moto.events.models import EventPattern

from data_protection.checks.catalogue import catalogue
from data_protection.drift.calls import CALLS
from tests.support.data_protection_drift import OUR_ROLE, ROOT, USER, event, role
from tests.support.templates import stacks

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
PATTERN_CHARACTERS = 2048

# What no event tells, with the reason; the sweep reads all of it.
UNHEARD = {
    "backup.ListProtectedResources": "recovery points come with time, by no call",
    "s3.ListObjectsV2": "access logs come with time, by no call",
    "tagging.GetResources": "a tag is set by a call of each service; what it puts in scope is for the sweep",
    "iam.GetAccountAuthorizationDetails": "IAM's events are in us-east-1 only",
    "application-autoscaling.DescribeScheduledActions": "no verdict hangs on it, only whether a target may be given up",
}


@cache
def patterns() -> dict[str, dict[str, Any]]:
    [stack] = [stack for stack in stacks() if stack.name == "data_protection_drift"]
    rules = {name: rule["EventPattern"] for name, rule in stack.of_type("AWS::Events::Rule").items()}
    return {name: pattern for name, pattern in rules.items() if "detail-type" in pattern}


def let_pass(made: Any) -> list[str]:
    """Return the rules that let an event pass, by moto's EventBridge."""
    return [name for name, pattern in patterns().items() if EventPattern.load(json.dumps(pattern)).matches_event(made)]


def of(source: str, name: str, **others: Any) -> dict[str, Any]:
    return event(source.removesuffix(".amazonaws.com"), name, {}, **others)


@pytest.mark.parametrize(
    "by",
    [USER, ROOT, role("arn:aws:iam::123456789012:role/admin"), role(OUR_ROLE)],
    ids=["user", "root", "role", "our role"],
)
def test_each_call_passes_one_rule_whoever_makes_it(by: dict[str, Any]) -> None:
    assert {key: len(let_pass(of(*key, by=by))) for key in CALLS} == dict.fromkeys(CALLS, 1)


@pytest.mark.parametrize("code", ["AccessDenied", "ValidationException"])
def test_no_call_that_failed_passes(code: str) -> None:
    assert [key for key in CALLS if let_pass(of(*key, errorCode=code))] == []


def test_what_is_no_call_of_an_api_does_not_pass() -> None:
    made = of("dynamodb.amazonaws.com", "UpdateTable")
    assert let_pass(made)
    assert not let_pass(made | {"detail-type": "AWS Service Event via CloudTrail"})


def test_rules_name_nothing_that_is_not_known() -> None:
    named = {
        (name, kind): pattern["detail"][kind] for name, pattern in patterns().items() for kind in pattern["detail"]
    }
    assert {one for (_, kind), names in named.items() if kind == "eventSource" for one in names} == {
        source for source, _ in CALLS
    }
    assert {one for (_, kind), names in named.items() if kind == "eventName" for one in names} == {
        name for _, name in CALLS
    }


@pytest.mark.parametrize("name", patterns())
def test_a_pattern_is_as_short_as_eventbridge_asks(name: str) -> None:
    assert len(json.dumps(patterns()[name], separators=(",", ":"))) <= PATTERN_CHARACTERS


def test_every_read_of_a_check_is_told_of_by_a_call_or_has_a_reason_why_not() -> None:
    reads = {read for check in catalogue().values() for read in (*check.reads, *check.further)}
    told = {read for watched in CALLS.values() for read in watched.reads}

    assert {read.name for read in reads - told} == UNHEARD.keys()
    assert told <= reads, "a call is heard whose effect no check reads"


def test_what_remediation_changes_is_no_drift_of_others() -> None:
    named = {stack.name: stack for stack in stacks()}
    remediation = named["data_protection_remediation"]
    changing = {
        f"${{{name}Role.Arn}}"
        for name, function in remediation.of_type("AWS::Serverless::Function").items()
        for policy in function["Policies"]
        if any(statement.get("Sid") == "ChangeOwnAccount" for statement in policy["Statement"])
    }
    told = remediation.body["Outputs"]["RoleArns"]["Value"]["Fn::Sub"]
    assert changing == set(told.split(","))

    watching = named["data_protection_drift"].resources["RecheckResourceFunction"]["Properties"]
    ours = watching["Environment"]["Variables"]["OWN_ROLE_ARNS"]["Fn::Sub"]
    assert set(ours.split(",")) == {"${FixDriftFunctionRole.Arn}", "${RemediationRoleArns}"}
    given = named["template"].resources["DataProtectionDriftStack"]["Properties"]["Parameters"]
    source = given["RemediationRoleArns"]["Fn::GetAtt"]
    assert (
        source if isinstance(source, str) else ".".join(source)
    ) == "DataProtectionRemediationStack.Outputs.RoleArns"
