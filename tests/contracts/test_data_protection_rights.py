"""What roles of data_protection must never do, however much they may change: resources and conditions beside names."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest

from data_protection.adapters.approvals import ApprovalReader
from data_protection.adapters.plans import PlanReader
from tests.support.statements import statements
from tests.support.templates import Json, functions, root, stacks, standalone

STACKS = {stack.name: stack for stack in stacks() if stack.name.startswith("data_protection")}
_, _, MEMBER = standalone()
FUNCTIONS = {
    f"{function.stack.name}/{function.logical_id}": [
        statement
        for statement, _ in statements(function.stack.resources[function.logical_id]["Properties"]["Policies"])
    ]
    for function in functions()
    if function.stack.name in STACKS
}
# By these, evidence could be deleted before its time, or kept otherwise than it is.
LOOSENING = (
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucketPolicy",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutBucketLogging",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutObjectRetention",
)
GATEHOUSE = "function:gatehouse-${Environment}-*"
EVIDENCE = {
    "arn:${AWS::Partition}:s3:::${EvidenceBucketName}",
    "arn:${AWS::Partition}:s3:::${EvidenceBucketName}/*",
}


def matches(statement: Json, action: str) -> bool:
    return any(fnmatchcase(action, pattern) for pattern in statement["Action"])


def resources(statement: Json) -> set[str]:
    given = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    return {one.get("Fn::Sub", str(one)) if isinstance(one, dict) else one for one in given}


def allowing(action: str) -> set[str]:
    return {name for name, own in FUNCTIONS.items() if any(s["Effect"] == "Allow" and matches(s, action) for s in own)}


def denied(name: str, action: str) -> set[str]:
    """Return of which resources an action is denied to a function whatever else it may do."""
    refusals = [s for s in FUNCTIONS[name] if s["Effect"] == "Deny" and matches(s, action) and "Condition" not in s]
    return {resource for refusal in refusals for resource in resources(refusal)}


CHANGING = sorted(allowing("lambda:InvokeFunction").union(*map(allowing, LOOSENING)))


def test_roles_that_change_are_found() -> None:
    assert CHANGING == [
        "data_protection_creation/CreateResourceFunction",
        "data_protection_drift/FixDriftFunction",
        "data_protection_locking/ConfigureBucketFunction",
        "data_protection_locking/LockShardFunction",
        "data_protection_remediation/ApplyStepFunction",
        "data_protection_remediation/RollBackStepFunction",
    ]


@pytest.mark.parametrize("name", CHANGING)
def test_who_changes_calls_no_function_of_gatehouse_and_so_decides_about_no_approval(name: str) -> None:
    decides = STACKS["data_protection_remediation"].resources["DecideApprovalFunction"]["Properties"]["FunctionName"]
    [refused] = denied(name, "lambda:InvokeFunction")

    assert refused == f"arn:${{AWS::Partition}}:lambda:*:${{AWS::AccountId}}:{GATEHOUSE}"
    assert fnmatchcase(f"function:{decides['Fn::Sub']}", GATEHOUSE)
    assert denied(name, "lambda:InvokeFunctionUrl") == {refused}


@pytest.mark.parametrize("action", LOOSENING)
@pytest.mark.parametrize("name", CHANGING)
def test_who_changes_leaves_the_evidence_and_its_bucket_as_they_are(name: str, action: str) -> None:
    assert denied(name, action) == EVIDENCE


@pytest.mark.parametrize("name", CHANGING)
def test_who_changes_may_still_write_evidence(name: str) -> None:
    assert not denied(name, "s3:PutObject") | denied(name, "s3:GetObject") | denied(name, "s3:ListBucket")


def object_locks() -> Iterator[tuple[str, Json, str]]:
    for stack in STACKS.values():
        for statement, condition in statements(dict(stack.resources)):
            if statement["Effect"] == "Allow" and matches(statement, "s3:PutBucketObjectLockConfiguration"):
                yield f"{stack.name}/{statement['Sid']}", statement, condition


def test_only_buckets_that_are_named_are_locked_and_what_is_made_anew() -> None:
    found = {name: (statement["Resource"], condition) for name, statement, condition in object_locks()}

    # S3 gives IAM nothing by which a bucket that was just made is told from others.
    assert found.pop("data_protection_creation/CreateBuckets")
    assert found == {
        "data_protection_locking/ConfigureBuckets": ({"Ref": "BucketArns"}, "HasBuckets"),
        "data_protection_remediation/LockBuckets": ({"Ref": "LockBucketArns"}, "HasLockBuckets"),
    }
    for child, given in (
        ("DataProtectionLockingStack", "BucketArns"),
        ("DataProtectionRemediationStack", "LockBucketArns"),
    ):
        parameters = root().resources[child]["Properties"]["Parameters"]
        assert parameters[given] == {"Fn::Join": [",", {"Ref": "DataProtectionLockingBucketArns"}]}
    assert root().body["Parameters"]["DataProtectionLockingBucketArns"]["Default"] == ""


def test_roles_of_services_are_made_for_services_that_are_named() -> None:
    making = [
        (stack.name, statement)
        for stack in (*STACKS.values(), MEMBER)
        for statement, _ in statements(dict(stack.resources))
        if "iam:CreateServiceLinkedRole" in statement["Action"]
    ]

    assert {name for name, _ in making} == {
        "data_protection_creation",
        "data_protection_drift",
        "data_protection_remediation",
        "member_account",
    }
    for name, statement in making:
        assert statement["Action"] == ["iam:CreateServiceLinkedRole"], name
        assert statement["Condition"]["StringEquals"]["iam:AWSServiceName"], name
        assert ":role/aws-service-role/" in statement["Resource"]["Fn::Sub"], name


def test_member_role_that_starts_rotations_calls_no_function_of_gatehouse() -> None:
    refusals = [
        statement
        for statement, _ in statements(MEMBER.resources["RemediatePhase3Role"]["Properties"]["Policies"])
        if statement["Effect"] == "Deny" and "lambda:InvokeFunction" in statement["Action"]
    ]

    assert [resources(one) for one in refusals] == [
        {"arn:${AWS::Partition}:lambda:*:${GatehouseAccountId}:function:gatehouse-*"}
    ]


def test_tables_are_scaled_only_while_they_are_being_made() -> None:
    updating = [
        s for s in FUNCTIONS["data_protection_creation/CreateResourceFunction"] if matches(s, "dynamodb:UpdateTable")
    ]

    assert [one["Condition"] for one in updating] == [{"Null": {"aws:ResourceTag/gatehouse:creating": "false"}}]


def test_policy_of_approvers_is_what_the_commands_need() -> None:
    policy = STACKS["data_protection_remediation"].resources["ApproverPolicy"]["Properties"]["PolicyDocument"]
    given = {action: statement for statement, _ in statements(policy) for action in statement["Action"]}

    assert given.keys() == {
        "cloudformation:DescribeStacks",
        "lambda:InvokeFunction",
        "lambda:InvokeFunctionUrl",
        "dynamodb:Query",
        "states:DescribeExecution",
        *PlanReader.IAM,
        *ApprovalReader.IAM,
    }
    assert given["lambda:InvokeFunction"]["Condition"] == {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
    lake, evidence = (f"arn:${{AWS::Partition}}:s3:::${{{name}}}" for name in ("LakeBucketName", "EvidenceBucketName"))
    assert resources(given["s3:ListBucket"]) == {lake, evidence}
    assert resources(given["s3:GetObject"]) == {
        f"{lake}/data_protection/plans/*",
        f"{evidence}/data_protection/evidence/*/plan/*",
    }
    assert resources(given["cloudformation:DescribeStacks"]) == {
        "arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:stack/${RootStackName}/*"
    }
    assert root().resources["DataProtectionRemediationStack"]["Properties"]["Parameters"]["RootStackName"] == {
        "Ref": "AWS::StackName"
    }
