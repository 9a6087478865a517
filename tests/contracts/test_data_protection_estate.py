"""The estate is of people: they alone write it, and by name patterns alone do functions reach other accounts."""

import fnmatch
import json
import re

from data_protection.locations import ESTATE_KEY
from tests.support.statements import statements
from tests.support.templates import Json, root, stacks, standalone

_LAKE = "${LakeBucketName}/"
_, _, MEMBER = standalone()
DOMAIN = [stack for stack in stacks() if stack.name.startswith("data_protection")]


def patterns(statement: Json) -> list[str]:
    """Return which keys of the lake a statement is about."""
    return re.findall(rf"{re.escape(_LAKE)}([^\"]+)", json.dumps(statement.get("Resource", [])))


def writers(key: str) -> set[str]:
    """Return which stacks have something that may write a key of the lake."""
    return {
        stack.name
        for stack in stacks()
        for resource in stack.resources.values()
        for statement, _ in statements(resource)
        if {"s3:PutObject", "s3:DeleteObject"} & set(statement["Action"])
        and any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns(statement))
    }


def test_nothing_that_is_deployed_writes_the_estate_or_holds_it() -> None:
    assert "data_protection" in writers("data_protection/findings/any")
    assert writers(ESTATE_KEY) == set()
    assert not [name for stack in DOMAIN for name in stack.of_type("AWS::SSM::Parameter")]


def test_no_function_assumes_more_than_roles_of_the_name_that_is_given() -> None:
    resources = {
        statement["Resource"]["Fn::Sub"].rpartition("::")[2]
        for stack in DOMAIN
        for resource in stack.resources.values()
        for statement, _ in statements(resource)
        if "sts:AssumeRole" in statement["Action"] and "Resource" in statement
    }

    assert resources == {f"*:role/${{{roles}}}" for roles in ("AssessRoles", "RemediateRoles", "LockRoles")}


def test_name_that_is_given_begins_with_what_tells_the_roles_from_others() -> None:
    given = {name: p for name, p in root().body["Parameters"].items() if re.fullmatch(r"DataProtection\w+Roles", name)}
    shipped = [MEMBER.resources[name]["Properties"]["RoleName"] for name in MEMBER.resources]

    assert len(given) == 3
    for parameter in given.values():
        allowed = re.compile(parameter["AllowedPattern"])
        assert parameter["Default"] == ""
        assert all(allowed.fullmatch(name) for name in ("", *shipped, "gatehouse-data-protection-remediate-*"))
        assert not any(allowed.fullmatch(name) for name in ("*", "gate*", "a,b", "arn:aws:iam::1:role/x"))
